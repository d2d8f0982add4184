"""Everything that is computed before a kernel starts; blocking, so it runs in a thread."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import filelock

from ..errors import BrokenEnvironmentError
from ..models import GpuPolicy, LaunchPolicy, Placement
from ..prefix.cache import LINKS_NAME
from ..prefix.cuda import cuda_directories, package_directories, wheel_directories
from ..prefix.environ import kernel_environment
from ..prefix.hooks import LINKS
from ..prefix.layout import Layout
from ..prefix.manifest import override_policy, read_launch
from ..prefix.placement import TRIAL
from ..prefix.toolkit import find_toolkit
from .activation import activate

#: Seconds to wait for another launch in the same environment before going on without the lock.
PATIENCE = 30.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a kernel starts with.

    Attributes:
        environ: Its variables.
        placement: Which GPUs it wants, ``None`` for one that needs none.
        warnings: What the server's log should say.
    """

    environ: dict[str, str]
    placement: Placement | None = None
    warnings: tuple[str, ...] = ()


def prepare(
    command: Sequence[str],
    inherited: Mapping[str, str],
    *,
    wishes: Mapping[str, str],
    policy_wishes: object,
    cache: Path,
) -> Prepared:
    """Compute the variables of a kernel.

    Args:
        command: What will be run; its first word is an interpreter in an environment.
        inherited: Variables of the server, with those of kernel.json.
        wishes: Those of ``inherited`` that somebody set for this very launch.
        policy_wishes: What kernel.json changes of the launch policy of the manifest.
        cache: Our directory in the user's cache.

    Raises:
        BrokenEnvironmentError: The environment cannot start this kernel.
    """
    layout = startable_layout(command, inherited)
    warnings: list[str] = []
    policy, may_compute = _policy(layout.prefix, policy_wishes, warnings)
    if not policy.user_site:
        _check_kernel_package(layout, command)
    activated: dict[str, str] | None = None
    with _alone(layout.prefix, cache / "launch-locks", warnings):
        if policy.activate:
            activation = activate(inherited, layout)
            activated = activation.environ
            warnings.extend(activation.warnings)
        directories = _cuda_directories(layout, policy, inherited, cache, warnings)
    environ = kernel_environment(
        inherited,
        layout,
        directories,
        activated,
        policy=policy,
        toolkit=find_toolkit(layout),
        wishes=wishes,
    )
    placement = policy.placement
    if TRIAL in environ:
        alone = placement.policy is GpuPolicy.EXCLUSIVE
        placement = replace(placement, policy=GpuPolicy.LEAST_USED if alone else placement.policy, wait=0.0)
    wanted = may_compute or placement.policy is not GpuPolicy.AUTO
    return Prepared(environ=environ, placement=placement if wanted else None, warnings=tuple(warnings))


def startable_layout(command: Sequence[str], inherited: Mapping[str, str]) -> Layout:
    """Recognise the environment of a kernel's interpreter, and check that there is an interpreter.

    Raises:
        BrokenEnvironmentError: There is not.
    """
    name = command[0] if command else ""
    found = name if os.path.isabs(name) else shutil.which(name, path=inherited.get("PATH")) or name  # noqa: PTH117
    # Made absolute as text: a virtual environment's interpreter is a link, to be taken where it lies.
    python = Path(os.path.abspath(found))  # noqa: PTH100
    layout = Layout.of_interpreter(python)
    if not os.access(python, os.X_OK):
        gone = "leads to a Python that is no longer there" if python.is_symlink() else "is missing or cannot be run"
        msg = f"The interpreter {python} {gone}."
        raise BrokenEnvironmentError(msg, cure=_rebuild(layout.prefix))
    return layout


def has_kernel_package(layout: Layout) -> bool:
    """Whether an environment may have ipykernel; nothing is imported."""
    names = {name for folder in package_directories(layout) for name in os.listdir(folder)}
    return any(name == "ipykernel" or _editable(name) for name in names)


def _check_kernel_package(layout: Layout, command: Sequence[str]) -> None:
    """Raise if the command needs ipykernel and the environment has none."""
    if not any(word in ("ipykernel_launcher", "ipykernel") for word in command):
        return
    if not has_kernel_package(layout):
        msg = f"The environment {layout.prefix} has no ipykernel, which every Python kernel needs."
        raise BrokenEnvironmentError(msg, cure=_rebuild(layout.prefix))


def _editable(name: str) -> bool:
    """Whether a file may be what an editable installation of ipykernel leaves; of others only metadata are left."""
    return name.startswith("__editable__") or (name.endswith((".pth", ".egg-link")) and "ipykernel" in name)


def _rebuild(prefix: Path) -> str:
    """The cure of an environment that has lost a part."""
    return f"Run `jupyter gpu-kernels rebuild {prefix.name}` in a terminal, then restart this kernel."


def _policy(prefix: Path, wishes: object, warnings: list[str]) -> tuple[LaunchPolicy, bool]:
    """The launch policy of the manifest as changed by kernel.json, and whether the environment can use a GPU.

    A damaged manifest stops nothing.
    """
    try:
        policy, may_compute = read_launch(prefix)
    except BrokenEnvironmentError as error:
        warnings.append(f"{error} The kernel starts with the default launch policy.")
        policy, may_compute = LaunchPolicy(), True
    return override_policy(policy, wishes, warnings), may_compute


def _cuda_directories(
    layout: Layout, policy: LaunchPolicy, inherited: Mapping[str, str], cache: Path, warnings: list[str]
) -> tuple[Path, ...]:
    """The environment's own CUDA directories; where no links can be made, those that its hooks use."""
    user_site = layout.user_site(inherited) if policy.user_site else None
    more = [user_site] if user_site else []
    try:
        return cuda_directories(layout, cache / LINKS_NAME, more)
    except OSError as error:
        warnings.append(f"No directory of links to CUDA libraries could be made in {cache}: {error}.")
    links = layout.prefix / LINKS
    return (*([links] if links.is_dir() else []), *wheel_directories(layout, more))


@contextlib.contextmanager
def _alone(prefix: Path, locks: Path, warnings: list[str]) -> Iterator[None]:
    """Let one launch at a time into an environment, across threads and processes; never for ever."""
    path = locks / f"{hashlib.sha256(os.fsencode(prefix)).hexdigest()[:16]}.lock"
    lock = filelock.FileLock(path, timeout=PATIENCE, thread_local=False)
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        # TimeoutError is an OSError, and filelock's Timeout is one.
        warnings.append(f"The kernel starts without waiting for others of its environment: {error}.")
    try:
        yield
    finally:
        lock.release()
