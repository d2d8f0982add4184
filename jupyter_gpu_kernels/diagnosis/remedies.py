"""The cures that can be done here; :mod:`jupyter_gpu_kernels.serve.doctoring` carries them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..models import Remedy

#: Jobs on an environment, whose name is the subject.
REBUILD = "rebuild"
VERIFY = "verify"
REMOVE_ENVIRONMENT = "remove-environment"
JOBS = frozenset({REBUILD, VERIFY, REMOVE_ENVIRONMENT})
#: Done to a kernelspec, whose directory is the subject.
REMOVE_KERNELSPEC = "remove-kernelspec"
ADOPT_KERNELSPEC = "adopt-kernelspec"
RELEASE_KERNELSPEC = "release-kernelspec"
#: Done to a process; the subject is its id and when it began.
END_PROCESS = "end-process"
#: Done to a directory of the package's own cache.
CLEAN_CACHE = "clean-cache"
#: Done to a directory of environments.
SWEEP = "sweep"


def rebuild(name: str) -> Remedy:
    """Build an environment anew, then exchange the two."""
    question = f"Build {name} anew? What was added to it with pip is not kept."
    return Remedy(id=REBUILD, subject=name, label="Rebuild", question=question)


def verify(name: str) -> Remedy:
    """Start an environment's kernel and look again; this puts back a kernelspec that is gone, too."""
    return Remedy(id=VERIFY, subject=name, label="Verify")


def remove_environment(name: str) -> Remedy:
    """Remove an environment and its kernel."""
    question = f"Remove the environment {name} and its kernel? What is installed in it is lost."
    return Remedy(id=REMOVE_ENVIRONMENT, subject=name, label="Remove the environment", question=question)


def remove_kernelspec(directory: Path) -> Remedy:
    """Remove a kernelspec; notebooks and environments stay."""
    question = f"Remove the kernel {directory.name} ({directory})? Notebooks and environments stay."
    return Remedy(id=REMOVE_KERNELSPEC, subject=str(directory), label="Remove the kernel", question=question)


def adopt_kernelspec(directory: Path) -> Remedy:
    """Let the provisioner start a kernel that was not made here; its environment stays as it is."""
    return Remedy(id=ADOPT_KERNELSPEC, subject=str(directory), label="Start it with the provisioner")


def release_kernelspec(directory: Path, *, deletes: bool = False, removes: Sequence[str] = ()) -> Remedy:
    """Give an adopted kernelspec back as it was.

    Args:
        directory: The kernelspec.
        deletes: Whether it is gone then: a copy, or one that was made for the adoption.
        removes: Distributions that the adoption has installed, and that are taken out.
    """
    asked = [f"delete the kernelspec {directory}, which was made for this"] if deletes else []
    asked += [f"take out what was installed for it ({', '.join(removes)})"] if removes else []
    question = f"Let the kernel be started as before, and {' and '.join(asked)}?" if asked else ""
    return Remedy(id=RELEASE_KERNELSPEC, subject=str(directory), label="Start it as before", question=question)


def end_process(subject: str, command: str) -> Remedy:
    """End a process that a kernel left behind.

    Args:
        subject: Its id and when it began: ``"1234@1700000000.00"``.
        command: Its command line.
    """
    question = f"End the process {subject.partition('@')[0]} ({command})? What it is doing is lost."
    return Remedy(id=END_PROCESS, subject=subject, label="End the process", question=question)


def clean_cache(directory: Path) -> Remedy:
    """Delete the downloaded packages that no environment uses."""
    question = f"Delete the packages in {directory} that no environment uses? They would be downloaded again."
    return Remedy(id=CLEAN_CACHE, subject=str(directory), label="Clean the cache", question=question)


def sweep(directory: Path) -> Remedy:
    """Delete what builds have left that were broken off, and old generations that nobody uses."""
    return Remedy(id=SWEEP, subject=str(directory), label="Tidy up")
