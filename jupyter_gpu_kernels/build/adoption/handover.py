"""Letting the provisioner start a kernel that was not made here, and giving it back as it was.

Nothing but ``kernel.json`` changes, and in it nothing but the metadata: the environment is not touched, and programs
that ignore provisioners start the kernel as before. The original stays beside it under another name, so that even
somebody without this package can put it back. A kernelspec in a directory that the user may not write is copied into
one of the user's own that Jupyter searches earlier; releasing it takes the copy away.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...errors import KernelsRunningError, RefusedError
from ...prefix.files import replace_file, sync_directory
from ...prefix.layout import Layout
from ..contents.census import found_version
from ..disk.filesystem import explained, remove_tree, rename_new
from ..disk.occupancy import occupied
from ..kernelspec import kernelspecs
from ..kernelspec.kernel_json import PROVISIONER, plain_json
from ..kernelspec.kernelspecs import STAGING
from ..kernelspec.registry import entries, read
from ..kernelspec.removal import find, kernel_directories, remove
from ..kernelspec.scan import Kernelspec
from .additions import Addition, from_metadata, take_out, to_metadata

#: Name of the original beside ``kernel.json``.
ORIGINAL = "kernel.json.original"

#: Key in the metadata of an adopted kernelspec; not that of ours, which are removed with their environments.
ADOPTED = "jupyter_gpu_kernels_adopted"

STANZA = "kernel_provisioner"

#: Why a kernel cannot be adopted as long as nothing is installed.
NO_IPYKERNEL = "its environment has no ipykernel"


@dataclass(frozen=True, kw_only=True)
class Released:
    """What a release has done.

    Attributes:
        found: The kernelspec that Jupyter finds now; ``None`` if there was none before the adoption.
        deleted: The kernelspec that is gone: a copy, or one that was made for the adoption.
        removed: Distributions that the adoption had installed, and that are gone, too.
        left: Those that are left, since somebody has changed them.
    """

    found: Path | None = None
    deleted: Path | None = None
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def adopt(
    place: Path,
    directories: Sequence[Path] | None = None,
    *,
    display_name: str | None = None,
    additions: Iterable[Addition] = (),
) -> Path:
    """Let the provisioner start a kernel.

    Args:
        place: The kernelspec's directory.
        directories: Where Jupyter looks for kernelspecs, first things first; ``None`` for its default.
        display_name: What the Launcher shall show, ``None`` for what it shows already.
        additions: What was installed for the adoption.

    Returns:
        The directory of the adopted kernelspec: the same one, or that of a copy.

    Raises:
        NotFoundError: There is no kernelspec.
        RefusedError: It is ours, or somebody else's program starts it, or there is nowhere to write.
        InstallError: It cannot be written.
    """
    directories = kernel_directories() if directories is None else directories
    find(place, directories)
    spec = Kernelspec(place=place, content=read(place))
    if spec.adopted:
        return place
    layout = spec.layout(os.environ)
    hindrance = obstacle(spec)
    if hindrance or layout is None:
        msg = f"The kernel {spec.title!r} cannot be adopted: {hindrance or 'it has no environment'}."
        raise RefusedError(msg, cure="Leave it as it is.")
    folder = target(place, directories)
    if folder is None:
        msg = f"The kernel {spec.title!r} cannot be adopted: you may not write {place}."
        raise RefusedError(msg, cure="Ask who looks after this machine, or make a kernel of your own.")
    # What it finds there today it shall find tomorrow.
    config = {"launch_policy": {"user_site": True}} if _has_user_packages(layout) else {}
    mark: dict[str, Any] = {"display_name": display_name} if display_name else {}
    mark |= {"added": kept} if (kept := to_metadata(additions)) else {}
    with explained(f"The kernel {spec.title!r} cannot be adopted"):
        if folder == place.parent:
            _keep(place)
            _write(place, _changed(spec, config, mark, display_name))
            return place
        return _copy(spec, folder / spec.name, _changed(spec, config, {**mark, "copy_of": str(place)}, display_name))


def obstacle(spec: Kernelspec) -> str:
    """Why a kernel cannot be adopted, half a sentence; empty if it can."""
    if spec.ours:
        return "it was made here"
    if not spec.argv:
        return "its kernel.json cannot be read"
    if spec.provisioner not in ("", "local-provisioner"):
        return f"{spec.provisioner} starts it"
    module = next((after for option, after in pairwise(spec.argv) if option == "-m"), "")
    if module not in ("ipykernel_launcher", "ipykernel"):
        return "another program starts it"
    layout = spec.layout(os.environ)
    if layout is None or not os.access(spec.program(os.environ) or "", os.X_OK):
        return "its Python is in no environment"
    if found_version(layout, "ipykernel", os.environ) is None:
        return NO_IPYKERNEL
    return ""


def _has_user_packages(layout: Layout) -> bool:
    """Whether an environment's Python takes anything from the user's own package directory."""
    user_site = layout.user_site(os.environ)
    return user_site is not None and bool(entries(user_site))


def target(place: Path, directories: Sequence[Path]) -> Path | None:
    """Where the adopted kernelspec would be: its own directory of kernels, an earlier one, or nowhere."""
    if os.access(place, os.W_OK | os.X_OK):
        return place.parent
    earlier = directories[: directories.index(place.parent)]
    for folder in earlier:
        existing = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
        if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
            return folder
    return None


def make(layout: Layout, name: str, display_name: str, additions: Iterable[Addition] = ()) -> Path:
    """Make a kernelspec for an environment that has none, for the user alone; nothing in the environment changes.

    Args:
        layout: The environment.
        name: Name of the kernel, which nobody has.
        display_name: What the Launcher shall show.
        additions: What was installed for the adoption.

    Raises:
        NameTakenError: Somebody has the name by now.
        InstallError: It cannot be written.
    """
    content = plain_json(layout, display_name)
    mark: dict[str, Any] = {"made_for": str(layout.prefix)}
    mark |= {"added": kept} if (kept := to_metadata(additions)) else {}
    content["metadata"][ADOPTED] = mark
    return kernelspecs.add(name, content)


def mark_of(spec: Kernelspec) -> Mapping[str, Any]:
    """What an adoption has noted in a kernelspec, empty if there is nothing that can be read."""
    mark = spec.metadata.get(ADOPTED)
    return mark if isinstance(mark, dict) else {}


def additions_of(spec: Kernelspec) -> tuple[Addition, ...]:
    """What was installed for the adoption of a kernelspec's environment."""
    return from_metadata(mark_of(spec).get("added"))


def lost(spec: Kernelspec) -> bool:
    """Whether a release deletes a kernelspec: it is a copy, or there was none before."""
    return "copy_of" in mark_of(spec) or "made_for" in mark_of(spec)


def release(place: Path, directories: Sequence[Path] | None = None) -> Released:
    """Give an adopted kernelspec back, byte for byte unless somebody has changed it since; then less our part.

    What the adoption has installed into the environment is taken out again.

    Args:
        place: The kernelspec's directory.
        directories: As for :func:`adopt`.

    Returns:
        What was done, since a copy, or a kernelspec that was made for the adoption, is gone then.

    Raises:
        NotFoundError: There is no kernelspec.
        RefusedError: It is not adopted.
        KernelsRunningError: Something was installed for it, and something runs from there.
        InstallError: It cannot be written.
    """
    directories = kernel_directories() if directories is None else directories
    find(place, directories)
    spec = Kernelspec(place=place, content=read(place))
    if not spec.adopted:
        msg = f"The kernel {spec.title!r} is not adopted."
        raise RefusedError(msg, cure="Leave it as it is.")
    removed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    layout, additions = spec.layout(os.environ), additions_of(spec)
    if layout is not None and additions:
        if occupied({layout.prefix}):
            msg = f"Something runs from {layout.prefix}, and what was installed there for it would be taken out."
            raise KernelsRunningError(msg, cure="Shut down its kernels first, then release it again.")
        with explained(f"What was installed into {layout.prefix} cannot be taken out"):
            removed, left = take_out(layout, additions)
    if lost(spec):
        original = Path(str(mark_of(spec).get("copy_of", place)))
        remove(place, directories)
        return Released(found=original if original.is_dir() else None, deleted=place, removed=removed, left=left)
    with explained(f"The kernel {spec.title!r} cannot be given back"):
        original = place / ORIGINAL
        before = _parsed(original)
        rest = _without(spec, before)
        if before == rest:
            original.replace(place / "kernel.json")
            sync_directory(place)
        else:
            _write(place, rest)
            original.unlink(missing_ok=True)
    return Released(found=place, removed=removed, left=left)


def _changed(
    spec: Kernelspec, config: dict[str, Any], mark: dict[str, Any], display_name: str | None
) -> dict[str, Any]:
    """An adopted kernel.json."""
    stanza = {"provisioner_name": PROVISIONER, "config": config}
    shown = {"display_name": display_name} if display_name else {}
    return {**spec.content, **shown, "metadata": {**spec.metadata, STANZA: stanza, ADOPTED: mark}}


def _without(spec: Kernelspec, before: dict[str, Any]) -> dict[str, Any]:
    """An adopted kernel.json without what adoption has put there."""
    metadata = {key: value for key, value in spec.metadata.items() if key not in (STANZA, ADOPTED)}
    then = before.get("metadata")
    if isinstance(then, dict) and STANZA in then:
        metadata[STANZA] = then[STANZA]
    rest = {key: value for key, value in spec.content.items() if key != "metadata"}
    ours = mark_of(spec).get("display_name")
    if ours is not None and rest.get("display_name") == ours:
        rest = {**rest, "display_name": before["display_name"]} if "display_name" in before else rest
    return {**rest, "metadata": metadata} if metadata or "metadata" in before or not before else rest


def _keep(place: Path) -> None:
    """Keep the original under another name; in a crash there are two of it."""
    original = place / ORIGINAL
    original.unlink(missing_ok=True)
    try:
        # The very same file, with all that belongs to it.
        original.hardlink_to(place / "kernel.json")
    except OSError:
        shutil.copy2(place / "kernel.json", original)
    sync_directory(place)


def _write(place: Path, content: dict[str, Any]) -> None:
    """Replace kernel.json in one step."""
    final = place / "kernel.json"
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    replace_file(final, text.encode(), mode=final.stat().st_mode, durable=True)


def _copy(spec: Kernelspec, final: Path, content: dict[str, Any]) -> Path:
    """Make an adopted copy in another directory of kernels, in one step."""
    staging = final.parent.parent / STAGING / f"{final.name}-{secrets.token_hex(8)}"
    made = staging / final.name
    staging.mkdir(parents=True)
    try:
        shutil.copytree(spec.place, made)
        # Of a directory that nobody may write, the copy would be just that.
        made.chmod(0o755)
        _write(made, content)
        final.parent.mkdir(parents=True, exist_ok=True)
        rename_new(made, final)
    finally:
        with contextlib.suppress(OSError):
            remove_tree(staging)
    sync_directory(final.parent)
    return final


def _parsed(file: Path) -> dict[str, Any]:
    """The JSON object in a file, empty if there is none."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
