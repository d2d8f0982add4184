# ruff: noqa: E501
"""uv's own words (of 0.13.8, shortened) and the sentences made of them."""

from __future__ import annotations

import pytest

from jupyter_gpu_kernels.build.wheels.failures import CorruptDownloadError, NoWheelError, explain
from jupyter_gpu_kernels.errors import ChannelError, DownloadError, GpuKernelsError, InstallError, SolveError

UNSOLVED = "error: No solution found when resolving dependencies\n  cause: "


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            f"{UNSOLVED}Because tensorflow==2.15.0 has no wheels with a matching Python ABI tag (e.g., `cp312`) and you "
            "require tensorflow==2.15.0, we can conclude that your requirements are unsatisfiable.\n\nhint: You require "
            "CPython 3.12 (`cp312`), but we only found wheels for `tensorflow` (v2.15.0) with the following Python ABI "
            "tags: `cp39`, `cp310`, `cp311`",
            NoWheelError,
            "tensorflow 2.15.0 has no wheel for Python 3.12; it has for 3.9 to 3.11.",
        ),
        (
            f"{UNSOLVED}Because tensorflow-gpu==2.3.1 has no wheels with a matching Python ABI tag (e.g., `cp311`)\n\n"
            "hint: You require CPython 3.11 (`cp311`), but we only found wheels for `tensorflow-gpu` (v2.3.1) with the "
            "following Python ABI tags: `cp35m`, `cp36m`, `cp38`",
            NoWheelError,
            "tensorflow-gpu 2.3.1 has no wheel for Python 3.11; it has for 3.5, 3.6, 3.8.",
        ),
        (
            f"{UNSOLVED}Because the requested Python version (>=3.11.7) does not satisfy Python>=3.12 and lab==2.0 "
            "depends on Python>=3.12, we can conclude that lab==2.0 cannot be used.",
            NoWheelError,
            "lab 2.0 needs Python >=3.12.",
        ),
        (
            f"{UNSOLVED}Because only tensorflow-cpu<=2.22.0rc0 is available and you require tensorflow-cpu==99.*, we can "
            "conclude that your requirements are unsatisfiable.",
            SolveError,
            "The package index has no tensorflow-cpu==99.*: it has tensorflow-cpu<=2.22.0rc0.",
        ),
        (
            f"{UNSOLVED}Because lab==3.1.0 depends on warp-server>=1.4,<2.dev0 and you require lab==3.1, we can conclude "
            "that you require warp-server>=1.4,<2.dev0. And because you require warp-server==2.2, we can conclude that "
            "your requirements are unsatisfiable.",
            SolveError,
            "lab needs warp-server>=1.4,<2.dev0, but you ask for warp-server==2.2.",
        ),
        (
            f"{UNSOLVED}Because all versions of uwsgi have no usable wheels and you require uwsgi, we can conclude that "
            "your requirements are unsatisfiable.\n\nhint: Wheels are required for `uwsgi` because building from source "
            "is disabled for all packages (i.e., with `--no-build`)",
            NoWheelError,
            "uwsgi is not there as a wheel for this Python and machine, only as source code.",
        ),
        (
            f"{UNSOLVED}Because all versions of gamma depend on beta<1 and all versions of alpha depend on beta>=1, we "
            "can conclude that all versions of alpha and all versions of gamma are incompatible.",
            SolveError,
            "gamma needs beta<1, but alpha needs beta>=1.",
        ),
        (
            f"{UNSOLVED}Because scipy==1.17.0 depends on numpy>=1.26.4,<2.7 and you require numpy<1.20, we can conclude",
            SolveError,
            "scipy needs numpy>=1.26.4,<2.7, but you ask for numpy<1.20.",
        ),
        (
            f"{UNSOLVED}Because all versions of cupy depend on numpy>=1.20,<2.6. And because you require cupy and "
            "numpy<1.20, we can conclude that your requirements are unsatisfiable.",
            SolveError,
            "cupy needs numpy>=1.20,<2.6, but you ask for numpy<1.20.",
        ),
        (
            f"{UNSOLVED}Because numpy<=1.19.5 cannot be used and you require numpy<1.20, we can conclude that your "
            "requirements are unsatisfiable.\n\nhint: You require CPython 3.11 (`cp311`), but we only found wheels for "
            "`numpy` (v1.10.3) with the following Python ABI tags: `cp26m`, `cp35m`",
            NoWheelError,
            "No numpy<1.20 has a wheel for Python 3.11.",
        ),
        (
            f"{UNSOLVED}Because all versions of a depend on beta>=1 and all versions of c depend on beta>=2, we can\n"
            "         conclude that something else is wrong",
            SolveError,
            "What was asked for cannot be installed together.",
        ),
        (
            "error: Request failed after 3 retries in 8.4s\n  cause: Failed to fetch: https://bob:pw@mirror.lab/simple/six/\n"
            "  cause: client error (Connect)\n  cause: dns error",
            ChannelError,
            "mirror.lab cannot be used: its name is not known here.",
        ),
        (
            "error: Request failed after 3 retries\n  cause: Failed to fetch: https://mirror.lab/simple/six/\n"
            "  cause: error sending request for url (https://mirror.lab/simple/six/)\n  cause: client error (Connect)\n"
            "  cause: invalid peer certificate: UnknownIssuer",
            ChannelError,
            "The certificate of mirror.lab is not trusted.",
        ),
        ("error: something new", SolveError, "No set of wheels was found: something new."),
        ("", SolveError, "No set of wheels was found: exit status 2."),
    ],
)
def test_a_failed_plan_is_one_sentence(text: str, kind: type[GpuKernelsError], message: str) -> None:
    error = explain(text, returncode=2, solving=True)
    assert (type(error), error.message) == (kind, message)
    assert error.cure
    assert "bob:pw" not in error.detail


@pytest.mark.parametrize(
    ("text", "returncode", "kind", "message"),
    [
        (
            "error: Failed to install: torch-2.9.0-cp312.whl (torch==2.9.0)\n  cause: failed to copy file from /c/a to /e/b: "
            "No space left on device (os error 28)",
            2,
            InstallError,
            "The disk is full.",
        ),
        (
            "error: failed to create directory `/data/envs/.gen/x/lib`\n  cause: Permission denied (os error 13)",
            2,
            InstallError,
            "A file could not be written at /data/envs/.gen/x/lib: permission denied.",
        ),
        (
            "error: Failed to download `alpha==1.0`\n  cause: Hash mismatch for `alpha==1.0`\n\n"
            "         Expected:\n           sha256:00\n\n         Computed:\n           sha256:11",
            1,
            CorruptDownloadError,
            "The wheel of alpha 1.0 arrived damaged, or is not the file that the index lists.",
        ),
        (
            "error: Failed to download `alpha==1.0`\n  cause: Failed to extract archive: alpha-1.0-py3-none-any.whl\n"
            "  cause: Failed to download distribution due to network timeout. Try increasing UV_HTTP_TIMEOUT",
            1,
            DownloadError,
            "alpha 1.0 could not be downloaded from the package index: it does not answer in time.",
        ),
        (
            "error: Failed to download `alpha==1.0`\n  cause: Failed to fetch: https://mirror.lab/alpha.whl\n"
            "  cause: HTTP status client error (404 Not Found) for url (https://mirror.lab/alpha.whl)",
            1,
            DownloadError,
            "alpha 1.0 could not be downloaded (HTTP 404).",
        ),
        ("Downloading torch (500MiB)", 137, InstallError, "uv, which installs from the package index, was killed."),
        ("error: what is this", 2, InstallError, "The wheels could not be installed: what is this."),
    ],
)
def test_a_failed_installation_is_one_sentence(
    text: str, returncode: int, kind: type[GpuKernelsError], message: str
) -> None:
    error = explain(text, returncode=returncode, solving=False)
    assert (type(error), error.message, error.detail) == (kind, message, text)


def test_lines_that_uv_wrapped_are_understood() -> None:
    text = f"{UNSOLVED}Because all versions of gamma depend on\n         beta<1 and all versions of alpha depend\n  on beta>=1"
    assert explain(text, returncode=1, solving=True).message == "gamma needs beta<1, but alpha needs beta>=1."
