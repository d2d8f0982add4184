"""What the doctor says of disks: real filesystems, mounted where nobody else sees them, wherever that can be done."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doctoring import look, make_context
from test_kernelspecs import environment, manifest_of

from jupyter_gpu_kernels.build.conda.cache import in_use
from jupyter_gpu_kernels.build.disk import usage
from jupyter_gpu_kernels.build.disk.filesystem import exchange
from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.kernelspec.registry import Registry
from jupyter_gpu_kernels.diagnosis.context import Context
from jupyter_gpu_kernels.diagnosis.disk import abilities, cache, places, room
from jupyter_gpu_kernels.errors import ConflictError
from jupyter_gpu_kernels.models import Finding, Severity
from jupyter_gpu_kernels.prefix.manifest import MANIFEST, write_manifest

CHECKS = (
    "disk-room",
    "disk-inodes",
    "disk-writing",
    "disk-links",
    "disk-steps",
    "disk-programs",
    "disk-distance",
    "disk-shared",
    "disk-cache",
)

#: Looks in a world of its own, in which a filesystem was mounted, and says what it finds.
INSIDE = """
import json, os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from doctoring import look, make_context
from dataclasses import replace
from jupyter_gpu_kernels.models import to_json
check, root, mounted = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
context = replace(make_context(root, environ=dict(os.environ)), root=Path("/"))
changes = {name: mounted / name for name in sys.argv[5].split(",") if name}
context = replace(context, practice=replace(context.practice, **changes))
print(json.dumps([to_json(finding) for finding in look(check, context)]))
"""

#: What is on the mounted filesystem, unless a test says otherwise.
ENVIRONMENTS = "conda_envs_dir,virtualenvs_dir"


@pytest.fixture(autouse=True)
def enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of whoever runs the tests may be nearly full, or compress: that is none of a healthy machine's."""
    monkeypatch.setattr(places.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 0, 10**12))
    monkeypatch.setattr(room, "_files", lambda folder: (10**9, 10**9))
    monkeypatch.setattr(usage, "allocated", lambda status: status.st_size)


def apart(
    tmp_path: Path, check: str, options: str, *, there: str = ENVIRONMENTS, **variables: str
) -> list[dict[str, Any]]:
    """Mount a filesystem in a namespace of its own, and make a check there."""
    unshare = shutil.which("unshare")
    words = [unshare or "", "--user", "--map-root-user", "--mount"]
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    # Where there are such namespaces, mounting may be forbidden in them all the same.
    trial = [*words, "mount", "-t", "tmpfs", "tmpfs", str(mounted)]
    if unshare is None or subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("needs a mount namespace")
    # $0 is what is run; $1 to $5 are its words, of which $4 is where the filesystem goes.
    then = variables.pop("then", "true").replace("MOUNTED", '"$4"')
    script = f'mount -t tmpfs -o {options} tmpfs "$4" && {then} && exec {sys.executable} -c "$0" "$@"'
    command = ["sh", "-c", script, INSIDE, str(Path(__file__).parent), check, str(tmp_path), str(mounted), there]
    environ = {**os.environ, "TMPDIR": str(tmp_path), **variables}
    done = subprocess.run([*words, *command], capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def with_environments(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """An environment in the context's directory."""
    prefix = environment(tmp_path / "envs" / "mine")
    made = replace(manifest_of(prefix, "mine"), **changes)
    (prefix / MANIFEST).parent.mkdir(parents=True)
    write_manifest(prefix, made)
    return {"environments": Inventory([tmp_path / "envs"], Registry()).environments()}


def on_linux(tmp_path: Path, **changes: Any) -> Context:
    """This machine, with its real mounts."""
    return replace(make_context(tmp_path, environ=dict(os.environ), **changes), root=Path("/"))


def can_exchange(tmp_path: Path) -> bool:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return exchange(tmp_path / "one", tmp_path / "other")


def far(tmp_path: Path) -> bool:
    mount = places.mount_of(tmp_path, places.mounts(on_linux(tmp_path)))
    return mount is not None and mount.kind in abilities.NETWORKED


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_disk_is_met_with_silence(check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    if (check == "disk-steps" and not can_exchange(tmp_path)) or (check == "disk-distance" and far(tmp_path)):
        pytest.skip("needs a better disk")
    before = sorted(tmp_path.rglob("*"))
    assert look(check, on_linux(tmp_path)) == ()
    # Nothing is left of what was tried.
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and "gpu-kernels" in path.name] == []
    assert look(check, on_linux(tmp_path, **with_environments(tmp_path, disk_bytes=10**10))) == ()


def test_a_disk_that_is_too_small_for_another_environment(tmp_path: Path) -> None:
    (finding,) = apart(tmp_path, "disk-room", "size=9g")
    assert finding["severity"] == "warning"
    assert finding["sentence"] == (
        "The disk may be too small for another environment: 9.7 GB are left for conda environments and virtual "
        "environments."
    )
    assert "a typical one takes up to 12 GB" in finding["evidence"]


def test_what_was_built_here_says_more_than_what_is_typical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = on_linux(tmp_path, **with_environments(tmp_path, disk_bytes=5 * 10**9))
    left = 9 * 10**9
    monkeypatch.setattr(places.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, left))
    assert look("disk-room", context) == ()
    left = 6 * 10**9
    finding = only(look("disk-room", context))
    assert "the largest environment here takes 5.0 GB" in finding.evidence
    # A cache needs less than that.
    context = replace(
        context, practice=replace(context.practice, conda_envs_dir=Path("/dev"), virtualenvs_dir=Path("/dev"))
    )
    if Path("/dev").stat().st_dev != tmp_path.stat().st_dev:
        assert [item.sentence for item in look("disk-room", context) if "packages" in item.sentence] == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    (finding,) = apart(tmp_path, "disk-room", "size=1m")
    assert finding["severity"] == "problem"
    assert finding["sentence"] == ("The disk is full: 1.0 MB are left for conda environments and virtual environments.")
    mounted = tmp_path / "mounted"
    assert f"{mounted} is on tmpfs, mounted at {mounted}" in finding["evidence"]


def test_a_disk_without_inodes(tmp_path: Path) -> None:
    (finding,) = apart(tmp_path, "disk-inodes", "nr_inodes=100")
    assert finding["severity"] == "problem"
    assert finding["sentence"].startswith("The disk can hold only 99 more files, however small")
    (tmp_path / "mounted").rmdir()
    (finding,) = apart(tmp_path, "disk-inodes", "nr_inodes=20000")
    assert finding["severity"] == "warning"


@pytest.mark.parametrize(
    ("options", "then", "said"),
    [
        ("size=512k", "true", "the disk is full"),
        ("nr_inodes=2", "true", "the disk is full"),
        ("size=9m", "mount -o remount,ro MOUNTED", "the filesystem is read-only"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path: Path, options: str, then: str, said: str) -> None:
    (finding,) = apart(tmp_path, "disk-writing", options, then=then)
    mounted = tmp_path / "mounted"
    assert finding["severity"] == "problem"
    assert finding["sentence"] == (
        f"Nothing can be written to {mounted / 'conda_envs_dir'}, where conda environments are kept: {said}."
    )


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    home = str(tmp_path / "mounted")
    (finding,) = apart(tmp_path, "disk-writing", "size=9m", there="", then="mount -o remount,ro MOUNTED", HOME=home)
    assert finding["sentence"] == (
        f"Nothing can be written to {home}, where your settings and Jupyter's are kept: the filesystem is read-only."
    )
    assert "JUPYTER_DATA_DIR" in finding["cure"]


def test_a_quota_that_is_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A quota needs a filesystem that was made for it, and a server's administrator.
    def refuse(folder: Path) -> OSError | None:
        return OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(folder)) if folder == tmp_path / "envs" else None

    monkeypatch.setattr(room, "_try", refuse)
    (tmp_path / "envs").mkdir()
    finding = only(look("disk-writing", on_linux(tmp_path)))
    assert finding.sentence.endswith("where conda environments are kept: your disk quota is used up.")
    assert "larger quota" in finding.cure


def test_a_cache_on_another_filesystem_shares_nothing(tmp_path: Path) -> None:
    uv_cache = tmp_path / "mounted" / "uv"
    conda, wheels = apart(tmp_path, "disk-links", "size=9m", there="cache_dir", UV_CACHE_DIR=str(uv_cache))
    assert conda["severity"] == "warning"
    assert conda["sentence"] == (
        "The cache of conda packages lies on another filesystem than conda environments: each of them is a full copy, "
        "which costs time and room."
    )
    assert conda["cure"] == f"Set c.GpuKernelsManager.cache_dir to a directory beside {tmp_path / 'envs'}."
    assert f"{tmp_path / 'mounted'} is on tmpfs, mounted at {tmp_path / 'mounted'}" in conda["evidence"]
    assert wheels["sentence"].startswith("The cache of wheels lies on another filesystem than virtual environments")
    assert wheels["cure"] == f"Set UV_CACHE_DIR to a directory beside {tmp_path / 'virtualenvs'}."


def test_a_cache_in_shared_memory_shares_nothing_either(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev or not os.access(other, os.W_OK):
        pytest.skip("needs a second filesystem")
    context = on_linux(tmp_path, **with_environments(tmp_path, disk_bytes=5 * 10**9))
    context = replace(context, environ={**context.environ, "UV_LINK_MODE": "copy"})
    context = replace(context, practice=replace(context.practice, cache_dir=other / "no-such-cache"))
    finding = only(look("disk-links", context))
    assert "(Invalid cross-device link): the largest one here takes 5.0 GB twice" in finding.evidence[-1]


def test_a_filesystem_without_hard_links_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(target), None, str(self))

    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    conda, _ = look("disk-links", on_linux(tmp_path))
    assert "is on a filesystem without hard links, as are conda environments" in conda.sentence


def test_a_filesystem_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    # What NFS says that is mounted with nolock, and no server of it is running here.
    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(abilities, "exchange", lambda one, other: True)
    finding = only(look("disk-steps", on_linux(tmp_path)))
    assert finding.severity is Severity.WARNING
    assert finding.sentence.startswith(f"The filesystem of {tmp_path / 'envs'} has no locks")


def test_a_filesystem_that_cannot_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "exchange", lambda one, other: False)
    finding = only(look("disk-steps", on_linux(tmp_path)))
    assert finding.severity is Severity.NOTE
    assert "cannot exchange two directories in one step" in finding.sentence


def test_a_place_from_which_nothing_may_run(tmp_path: Path) -> None:
    (finding,) = apart(tmp_path, "disk-programs", "size=9m,noexec")
    mounted = tmp_path / "mounted"
    assert finding["severity"] == "problem"
    assert finding["sentence"] == (
        f"No program may be run from {mounted / 'conda_envs_dir'}, where conda environments are kept: no kernel could "
        "start."
    )
    assert finding["evidence"] == [f"{mounted} is on tmpfs, mounted at {mounted}", "mounted with noexec"]


def test_a_temporary_directory_from_which_nothing_may_run(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    (finding,) = apart(tmp_path, "disk-programs", "size=9m,noexec", there="", TMPDIR=str(mounted))
    assert finding["severity"] == "note"
    assert finding["sentence"] == (
        f"No program may be run from {mounted}: packages that are built from source fail there."
    )


def mountinfo(root: Path, point: Path, kind: str) -> None:
    """What the kernel would say of one more filesystem."""
    file = root / "proc" / "self" / "mountinfo"
    file.parent.mkdir(parents=True)
    where = str(point).replace(" ", "\\040")
    file.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        f"23 22 0:44 / {where} rw,relatime shared:1 - {kind} server:/export rw,vers=4.2\n"
        "garbage\n"
    )


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "fuse.sshfs", "ext4"])
def test_environments_on_a_network_filesystem(kind: str, tmp_path: Path) -> None:
    home = tmp_path / "a home"
    context = replace(make_context(home, **with_environments(home)), root=tmp_path / "root")
    mountinfo(tmp_path / "root", home, kind)
    found = look("disk-distance", context)
    if kind == "ext4":
        assert found == ()
        return
    finding = only(found)
    assert finding.severity is Severity.NOTE
    assert finding.sentence == (
        "The conda environments (mine) are on a network filesystem: imports take longer, above all the first ones."
    )
    assert finding.evidence == (f"{home / 'envs'} is on {kind}, mounted at {home} from server:/export",)
    # Where there is nothing yet, there is nothing to say.
    shutil.rmtree(home / "envs")
    assert look("disk-distance", replace(context, environments=())) == ()


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of two packages, of which an environment shares one."""
    monkeypatch.setattr(cache, "LARGE", 1e6)
    folder = tmp_path / "cache" / "pkgs"
    for name in ("used-1.0-0", "unused-1.0-0"):
        (folder / name / "lib").mkdir(parents=True)
        (folder / name / "lib" / "file").write_bytes(b"x" * 2_000_000)
    (tmp_path / "envs" / "mine").mkdir(parents=True)
    (tmp_path / "envs" / "mine" / "file").hardlink_to(folder / "used-1.0-0" / "lib" / "file")
    return folder


def test_a_cache_of_packages_that_nobody_uses_can_be_cleaned(packages: Path, tmp_path: Path) -> None:
    finding = only(look("disk-cache", on_linux(tmp_path)))
    assert finding.severity is Severity.NOTE
    assert finding.sentence == "The cache of conda packages takes 4.0 MB, of which no environment uses 2.0 MB."
    assert finding.remedy is not None
    assert (finding.remedy.id, finding.remedy.subject) == ("clean-cache", str(packages))
    assert finding.remedy.question
    assert cache.clean(packages) >= 2_000_000
    assert [path.name for path in packages.iterdir() if path.is_dir()] == ["used-1.0-0"]
    assert look("disk-cache", on_linux(tmp_path)) == ()


def test_a_cache_that_a_build_works_with_is_not_cleaned(packages: Path) -> None:
    with in_use(packages), pytest.raises(ConflictError, match="in use"):
        cache.clean(packages)
    assert (packages / "unused-1.0-0").is_dir()


def test_a_cache_that_is_not_there_is_clean(tmp_path: Path) -> None:
    assert cache.clean(tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()
