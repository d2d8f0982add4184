"""What is asked of the filesystem: steps that happen whole or not at all, and plain words when it refuses."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...errors import InstallError

#: Flags of renameat2, from <linux/fs.h>.
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
#: Flags of renamex_np, from <sys/stdio.h> of macOS.
RENAME_SWAP = 2
RENAME_EXCL = 4
#: "Relative to the working directory", from <fcntl.h> of Linux.
AT_FDCWD = -100

#: How a kernel, or the filesystem below it, says that it does not know a flag. NFS and some FUSE systems do.
UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def exchange(one: Path, other: Path) -> bool:
    """Let two paths on one filesystem change places in one step.

    Returns:
        Whether it was done; ``False`` where the system or the filesystem has no such step.

    Raises:
        OSError: It failed for another reason, e.g. one of the paths does not exist.
    """
    return _rename(one, other, linux=RENAME_EXCHANGE, darwin=RENAME_SWAP)


def rename_new(source: Path, target: Path) -> None:
    """Rename, unless the target exists; ``os.rename`` would replace an empty directory.

    Raises:
        FileExistsError: The target exists, even as a dangling link.
        OSError: The rename failed.
    """
    if _rename(source, target, linux=RENAME_NOREPLACE, darwin=RENAME_EXCL):
        return
    # Best effort where the flag is missing: only somebody who creates the target just now is not seen.
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def writable(directory: Path) -> bool:
    """Whether a directory can be written, or made."""
    existing = next((place for place in (directory, *directory.parents) if os.path.lexists(place)), directory)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def remove_tree(path: Path) -> None:
    """Delete a tree, read-only directories included; what another process deletes meanwhile is as good as deleted."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return

    def insist(function: Callable[..., Any], name: str, error: BaseException) -> None:
        if isinstance(error, FileNotFoundError):
            return
        if not isinstance(error, PermissionError):
            raise error
        changed = False
        for place in (Path(name).parent, Path(name)):
            mode = place.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
                place.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)
                changed = True
        if not changed:
            raise error
        if function in (os.unlink, os.rmdir):
            function(name)
        else:  # The directory could not be opened or listed: begin with it again.
            remove_tree(Path(name))

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=insist)
    else:
        shutil.rmtree(path, onerror=lambda function, name, info: insist(function, name, info[1]))


def explain(what: str, error: OSError) -> InstallError:
    """Make an error that says what failed, why, and what to do.

    Args:
        what: What failed, without a full stop.
        error: What the system said.
    """
    reasons = {
        errno.ENOSPC: ("the disk is full", "Free some space, then try again."),
        errno.EDQUOT: ("your disk quota is used up", "Free some space or ask for a larger quota, then try again."),
        errno.EROFS: ("the filesystem is read-only", "Configure a directory for environments that you may write."),
        errno.EACCES: ("you may not write there", "Configure a directory for environments that you may write."),
        errno.EPERM: ("you may not write there", "Configure a directory for environments that you may write."),
        errno.EXDEV: ("it lies on another filesystem", "Configure a directory for environments on one filesystem."),
        errno.EBUSY: ("something is mounted there or uses it", "Stop the kernels of the environment, then try again."),
    }
    other = ((error.strerror or str(error)).lower(), "Look at the path named in the details, then try again.")
    reason, cure = reasons.get(error.errno or 0, other)
    return InstallError(f"{what}: {reason}.", cure=cure, detail=str(error))


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what the system says of files into a sentence and a cure.

    Args:
        what: What fails, without a full stop.

    Raises:
        InstallError: In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise explain(what, error) from error


def _rename(source: Path, target: Path, *, linux: int, darwin: int) -> bool:
    """Rename with a flag; ``False`` where it is not supported."""
    if sys.platform not in ("linux", "darwin"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target)
    try:
        if sys.platform == "linux":
            failed = libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], linux)
        else:
            failed = libc.renamex_np(names[0], names[1], darwin)
    except AttributeError:  # A C library older than the call.
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))
