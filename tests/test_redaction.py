from __future__ import annotations

import pytest

from jupyter_gpu_kernels.build.tools.redaction import redact, uncover


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host/conda", "https://***@host/conda"),
        ("https://user:p@ss@host:8443/conda?x=1", "https://***@host:8443/conda?***"),
        ("https://host/t/tk-123-abc/conda-forge", "https://host/t/***/conda-forge"),
        (
            "error for url (https://host/t/tk-1/linux-64/a.conda?sig=abc): 403",
            "error for url (https://host/t/***/linux-64/a.conda?***): 403",
        ),
        ("http://u:p@a/x and http://u:p@b/y", "http://***@a/x and http://***@b/y"),
        ("https://host/path@1.0/t", "https://host/path@1.0/t"),
        ("/t/no-url", "/t/no-url"),
        ("conda-forge", "conda-forge"),
        ("https://tok3n@host:8080/simple", "https://***@host:8080/simple"),
        ("see https://host/x.whl?token=abc&v=2", "see https://host/x.whl?***"),
        ("mail me@host", "mail me@host"),
    ],
)
def test_credentials_are_hidden_wherever_a_url_stands(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_url_without_its_credentials_still_leads_there() -> None:
    assert uncover("https://user:secret@host/t/tk-1/conda-forge") == "https://host/conda-forge"
    assert uncover("conda-forge") == "conda-forge"
