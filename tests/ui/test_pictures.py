"""The README's pictures are those that the tests take, so that they show what there is."""

from __future__ import annotations

import re
from pathlib import Path

from .desk import CHECKOUT, README_PICTURES


def test_the_readme_shows_what_the_tests_see() -> None:
    shown = re.findall(r"docs/images/([\w-]+)\.png", (CHECKOUT / "README.md").read_text(encoding="utf-8"))
    kept = [path.stem for path in README_PICTURES.iterdir()]
    assert sorted(set(shown)) == sorted(kept)
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert set(kept) <= set(re.findall(r'\.picture\("([\w-]+)"', sources))
