"""Can the filesystems do what builds and kernels need of them? Everything is tried, in a throwaway directory."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ...build.disk.filesystem import exchange
from ...build.wheels import solving
from ...build.wheels.uv import prepare
from ...errors import GpuKernelsError
from ...models import Finding
from ..amounts import size
from ..check import note, problem, warning
from ..context import Context
from .places import Place, environment_places, mount_of, mounts, scratch, where

#: Filesystems of another machine: every file that is opened is asked for over the network.
NETWORKED = frozenset(
    (
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "lustre",
            "beegfs",
            "gpfs",
            "ceph",
            "glusterfs",
            "afs",
            "9p",
            "panfs",
        ),
        *("orangefs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.blobfuse", "fuse.rclone", "fuse.juicefs"),
        *("fuse.glusterfs", "fuse.ceph"),
    )
)


def look_at_links(context: Context) -> Iterator[Finding]:
    """Find caches whose files environments cannot share."""
    conda, virtual = environment_places(context)
    caches = [
        (Place(what="conda packages", path=context.practice.cache_dir / "pkgs"), conda, "c.GpuKernelsManager.cache_dir")
    ]
    wheels = _cache_of_uv(context)
    if wheels is not None:
        caches.append((Place(what="wheels", path=wheels), virtual, "UV_CACHE_DIR"))
    for cache, environments, setting in caches:
        error = _link(cache.existing, environments.existing)
        if error is None or error.errno in (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            # What cannot be written is another check's.
            continue
        apart = error.errno == errno.EXDEV
        why = "lies on another filesystem than" if apart else "is on a filesystem without hard links, as are"
        largest = max((item.disk_bytes for item in context.environments), default=0)
        cost = f": the largest one here takes {size(largest)} twice" if largest else ""
        facts = [where(path, mounts(context)) for path in (cache.existing, environments.existing)]
        yield warning(
            f"The cache of {cache.what} {why} {environments.what}: each of them is a full copy, which costs time and "
            "room.",
            evidence=(*facts, f"a file of one cannot be linked into the other ({error.strerror}){cost}"),
            cure=f"Set {setting} to a directory beside {environments.path}."
            if apart
            else "Configure directories of environments and caches on another filesystem, if there is one.",
        )


def look_at_steps(context: Context) -> Iterator[Finding]:
    """Find filesystems that cannot exchange directories in one step, or have no locks."""
    met: set[int] = set()
    for place in (*environment_places(context), Place(what="jobs and locks", path=context.practice.state_dir)):
        folder = place.existing
        if folder.stat().st_dev in met or not os.access(folder, os.W_OK):
            continue
        met.add(folder.stat().st_dev)
        with contextlib.suppress(OSError), scratch(folder) as made:
            failure = _lock(made / "lock")
            if failure:
                yield warning(
                    f"The filesystem of {place.path} has no locks: two servers could change one environment at a time, "
                    "and what broken-off builds leave is not tidied up.",
                    evidence=(where(folder, mounts(context)), failure),
                    cure="Mount it with locks (NFS without nolock), or configure directories on another filesystem.",
                )
            for name in ("one", "other"):
                (made / name).mkdir()
            if not exchange(made / "one", made / "other"):
                yield note(
                    f"The filesystem of {place.path} cannot exchange two directories in one step: a rebuild leaves an "
                    "environment without its name for a moment, and a power cut then is repaired at the next start.",
                    evidence=(where(folder, mounts(context)),),
                    cure="Nothing needs to be done; another filesystem would be better.",
                )


def look_at_running(context: Context) -> Iterator[Finding]:
    """Find directories from which no program may be run."""
    if sys.platform == "win32":
        return
    temporary = Place(what="temporary files", path=Path(context.environ.get("TMPDIR") or tempfile.gettempdir()))
    met: set[int] = set()
    for place in (*environment_places(context), temporary):
        folder = place.existing
        if folder.stat().st_dev in met:
            continue
        met.add(folder.stat().st_dev)
        with contextlib.suppress(OSError), scratch(folder) as made:
            if _runs(made / "program"):
                continue
            mount = mount_of(folder, mounts(context))
            facts = (
                where(folder, mounts(context)),
                *(["mounted with noexec"] if mount and "noexec" in mount.options else []),
            )
            if place is temporary:
                yield note(
                    f"No program may be run from {place.path}: packages that are built from source fail there.",
                    evidence=facts,
                    cure="Set TMPDIR to a directory from which programs may be run.",
                )
            else:
                yield problem(
                    f"No program may be run from {place.path}, where {place.what} are kept: no kernel could start.",
                    evidence=facts,
                    cure="Configure a directory on another filesystem, or have this one mounted without noexec.",
                )


def look_at_distance(context: Context) -> Iterator[Finding]:
    """Find environments that are read over the network."""
    for place in environment_places(context):
        mount = mount_of(place.existing, mounts(context))
        here = [item.name for item in context.environments if Path(item.prefix).is_relative_to(place.path)]
        if mount is None or mount.kind not in NETWORKED or not (here or place.path.exists()):
            continue
        names = f" ({', '.join(here[:3])})" if here else ""
        yield note(
            f"The {place.what}{names} are on a network filesystem: imports take longer, above all the first ones.",
            evidence=(f"{place.path} is on {mount.kind}, mounted at {mount.point} from {mount.source}",),
            cure="If this machine has a disk of its own, configure a directory for environments on it.",
        )


def _link(cache: Path, environments: Path) -> OSError | None:
    """Link a file of one directory into another one; what the system says if it cannot be done."""
    try:
        with scratch(cache) as source, scratch(environments) as target:
            (source / "file").write_bytes(b"")
            (target / "file").hardlink_to(source / "file")
    except OSError as error:
        return error
    return None


def _cache_of_uv(context: Context) -> Path | None:
    """Where uv keeps wheels; nothing where it is told not to link anyway, or does not say."""
    if context.environ.get("UV_LINK_MODE", "hardlink") not in ("hardlink", "clone"):
        return None

    async def ask(cwd: Path) -> str:
        answer = await solving.ask(prepare(environ=context.environ), "cache", "dir", cwd=cwd, solving=False)
        return answer.output.strip()

    try:
        with tempfile.TemporaryDirectory(prefix="gpu-kernels-") as cwd:
            return Path(asyncio.run(ask(Path(cwd))))
    except (GpuKernelsError, OSError):
        return None


def _lock(path: Path) -> str:
    """Lock a file; what the system says if it cannot be done."""
    try:
        with FileLock(path, timeout=0):
            return ""
    except Timeout:
        return "a lock that nobody holds cannot be taken"
    except (OSError, NotImplementedError) as error:
        return str(error)


def _runs(program: Path) -> bool:
    """Whether a program in a directory may be run."""
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    for _ in range(20):
        try:
            return subprocess.run([program], check=False, capture_output=True).returncode == 0
        except PermissionError:
            return False
        except OSError as error:
            # Whatever is started at this moment has the file open for writing, until it runs.
            if error.errno != errno.ETXTBSY:
                return True
            time.sleep(0.05)
    return True
