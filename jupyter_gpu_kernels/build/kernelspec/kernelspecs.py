"""Kernelspecs: how Jupyter learns of an environment's kernel.

A kernelspec is made in a staging directory beside Jupyter's ``kernels`` and moved there in one step, after the
environment is verified and in place. Its interpreter is absolute and in its argv, so that it also works where
provisioners are ignored; it sets no environment variables, which is the provisioner's work.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager

from ...errors import InstallError, NameTakenError
from ...models import Manifest
from ...prefix.files import sync_directory
from ..disk.filesystem import exchange, explained, remove_tree, rename_new, writable
from .kernel_json import kernel_json, logo
from .registry import entries, kernels_directory, ours_in, owner_of, read

#: Our directory beside ``kernels``: on the same filesystem, and nowhere that Jupyter looks for kernels.
STAGING = "gpu-kernels/staging"

#: Names of Jupyter's own Python kernel, now, formerly and perhaps one day.
RESERVED = re.compile(r"python\d*")

#: Seconds after which something in the staging directory is nobody's any more.
FORGOTTEN = 86400.0


def check_name_free(
    kernel_name: str,
    *,
    prefix: Path | None = None,
    gone: Collection[Path] = (),
    directories: Sequence[str | Path] | None = None,
) -> None:
    """Refuse a kernel's name that belongs to somebody else, whichever its letters' case.

    Args:
        kernel_name: The name.
        prefix: The environment that wants it; its own kernel is no hindrance.
        gone: Environments that are no more; what is left of their kernels is no hindrance either.
        directories: Where Jupyter looks for kernels, ``None`` for its default.

    Raises:
        NameTakenError: The message names the owner.
    """
    name = kernel_name.lower()
    if RESERVED.fullmatch(name):
        msg = f"The kernel name {name!r} is reserved for Jupyter's own Python kernel."
        raise NameTakenError(msg, cure="Choose another name.")
    targets = (kernels_directory(), kernels_directory(sys_prefix=True))
    places = [Path(folder) for folder in (KernelSpecManager().kernel_dirs if directories is None else directories)]
    for folder in dict.fromkeys((*targets, *places)):
        for entry in entries(folder):
            # Jupyter passes over what has no kernel.json; where we would put ours it is in the way all the same.
            taken = folder in targets or (Path(entry) / "kernel.json").is_file()
            if Path(entry).name.lower() == name and taken and not _left_behind(Path(entry), gone):
                _check_owner(Path(entry), prefix)


def check_place(*, sys_prefix: bool) -> None:
    """Refuse a place where no kernel can be registered, before anything is built for it.

    Raises:
        InstallError: It cannot be written.
    """
    kernels = kernels_directory(sys_prefix=sys_prefix)
    if not writable(kernels):
        msg = f"No kernel can be registered in {kernels}: you may not write there."
        other = "register it for yourself alone (without sys_prefix)" if sys_prefix else "set JUPYTER_DATA_DIR"
        raise InstallError(msg, cure=f"Have that directory made writable, or {other}.")


def register(
    manifest: Manifest,
    *,
    python: Path | None = None,
    framework_logo: Path | bytes | str | None = None,
    sys_prefix: bool | None = None,
    succeeds: Path | None = None,
) -> Path:
    """Register an environment's kernel, or replace its kernelspec, in one step.

    Args:
        manifest: What was built; it must be in place.
        python: The interpreter in its final place, ``None`` for the manifest's.
        framework_logo: An SVG file, its content, or the stem of one of ours; ``None`` for the framework's id as stem.
        sys_prefix: Whether to register in the server's environment, ``None`` for the spec's wish.
        succeeds: An environment whose kernelspec may be replaced, too.

    Returns:
        The kernelspec's directory.

    Raises:
        NameTakenError: The name belongs to another kernel.
        InstallError: The directory cannot be written.
    """
    wish = manifest.spec.sys_prefix if sys_prefix is None else sys_prefix
    kernels = kernels_directory(sys_prefix=wish)
    final = kernels / manifest.kernel_name.lower()
    prefix = Path(manifest.prefix)
    content = kernel_json(manifest, prefix)
    if python is not None:
        content["argv"][0] = str(python)
    with explained(f"The kernel {final.name!r} cannot be registered in {kernels}"):
        if os.path.lexists(final):
            _check_owner(final, prefix, succeeds)
        kernels.mkdir(parents=True, exist_ok=True)
        _forget(kernels.parent / STAGING)
        made = _write(kernels.parent / STAGING, final.name, content, framework_logo or manifest.spec.framework)
        try:
            _put(made / final.name, final, prefix, succeeds)
        finally:
            remove_tree(made)
        sync_directory(kernels)
    # The wish may have been another one the last time.
    _remove(kernels_directory(sys_prefix=not wish) / final.name, prefix)
    return final


def add(kernel_name: str, content: dict[str, Any], drawing: Path | bytes | str = "python") -> Path:
    """Register a kernel that is none of our environments', for the user alone, in one step.

    Args:
        kernel_name: Its name, which nobody has.
        content: Its ``kernel.json``.
        drawing: As for :func:`register`.

    Returns:
        The kernelspec's directory.

    Raises:
        NameTakenError: Somebody has the name by now.
        InstallError: The directory cannot be written.
    """
    kernels = kernels_directory()
    final = kernels / kernel_name.lower()
    with explained(f"The kernel {final.name!r} cannot be registered in {kernels}"):
        kernels.mkdir(parents=True, exist_ok=True)
        made = _write(kernels.parent / STAGING, final.name, content, drawing)
        try:
            rename_new(made / final.name, final)
        except FileExistsError:
            _check_owner(final)
        finally:
            remove_tree(made)
        sync_directory(kernels)
    return final


def unregister(kernel_name: str, *, prefix: Path | None = None) -> tuple[Path, ...]:
    """Take a kernel of ours away, wherever it is registered; anybody else's stays.

    Args:
        kernel_name: Its name.
        prefix: Only if it is the kernel of this environment; ``None`` for any of ours.

    Returns:
        The kernelspecs' directories, now gone.

    Raises:
        InstallError: The directory cannot be written.
    """
    name = kernel_name.lower()
    places = [kernels_directory(sys_prefix=wish) / name for wish in (False, True)]
    return tuple(place for place in dict.fromkeys(places) if _remove(place, prefix))


@contextlib.contextmanager
def staged(
    manifest: Manifest, prefix: Path, staging: Path, *, framework_logo: Path | bytes | str | None = None
) -> Iterator[Path]:
    """Make a kernelspec that nobody sees, for a verification.

    Args:
        manifest: What was built.
        prefix: Where it is now; its interpreter there is started.
        staging: Directory for such things; made if need be.
        framework_logo: As for :func:`register`.

    Yields:
        A directory of kernels with this one in it, gone afterwards.

    Raises:
        InstallError: The directory cannot be written.
    """
    with explained(f"{staging} cannot be written"):
        _forget(staging)
        content = kernel_json(manifest, prefix)
        made = _write(staging, manifest.kernel_name.lower(), content, framework_logo or manifest.spec.framework)
    try:
        yield made
    finally:
        with contextlib.suppress(OSError):
            remove_tree(made)


def discard_staged(kernel_name: str, staging: Path) -> None:
    """Delete what a killed process has staged of a kernel; the caller holds the environment's lock.

    Args:
        kernel_name: The kernel.
        staging: As for :func:`staged`; the staging directories of :func:`register` are looked into as well.
    """
    ours = re.compile(re.escape(kernel_name.lower()) + "-[0-9a-f]{16}")
    parents = [kernels_directory(sys_prefix=wish).parent / STAGING for wish in (False, True)]
    for folder in {staging, *parents}:
        for entry in map(Path, entries(folder)):
            if ours.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    remove_tree(entry)


def _write(staging: Path, name: str, content: dict[str, Any], drawing: Path | bytes | str) -> Path:
    """Write a kernelspec into a new directory of kernels."""
    made = staging / f"{name}-{secrets.token_hex(8)}"
    folder = made / name
    folder.mkdir(parents=True)
    if isinstance(drawing, str):
        drawing = logo(drawing)
    # JupyterLab and Notebook take this one before any PNG.
    (folder / "logo-svg.svg").write_bytes(drawing if isinstance(drawing, bytes) else drawing.read_bytes())
    with (folder / "kernel.json").open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return made


def _put(source: Path, final: Path, prefix: Path, succeeds: Path | None) -> None:
    """Move a kernelspec to its final place; whatever happens, there is a whole one."""
    try:
        return rename_new(source, final)
    except FileExistsError:
        _check_owner(final, prefix, succeeds)
    if not exchange(source, final):
        # One file after the other; the old and the new ones go together.
        for file in sorted(source.iterdir(), reverse=True):
            file.replace(final / file.name)
    return None


def _remove(place: Path, prefix: Path | None) -> bool:
    """Remove a kernelspec in one step, if it is ours."""
    ours = ours_in(read(place))
    if ours is None or (prefix is not None and owner_of(ours) != str(prefix)):
        return False
    with explained(f"{place} cannot be removed"):
        staging = place.parent.parent / STAGING
        staging.mkdir(parents=True, exist_ok=True)
        remove_tree(place.rename(staging / f"{place.name}-{secrets.token_hex(8)}"))
    return True


def _check_owner(place: Path, *owners: Path | None) -> None:
    """Refuse a kernelspec that is of none of some environments."""
    spec = read(place)
    ours = ours_in(spec)
    if ours is not None and owner_of(ours) in [str(owner) for owner in owners if owner is not None]:
        return
    name = place.name.lower()
    if ours is not None:
        owner = Path(owner_of(ours))
        # Only what is there can be removed by its name, whose case counts.
        gone = "" if owner_of(ours) and owner.is_dir() else ", which is gone"
        msg = f"The kernel name {name!r} belongs to the GPU kernel of the environment {owner}{gone}, in {place}."
        command = f"kernelspec remove {name}" if gone else f"gpu-kernels remove {owner.name}"
        cure = f"Choose another name, or remove that one with `jupyter {command}`."
    elif spec:
        title = spec.get("display_name") or name
        msg = f'The kernel name {name!r} belongs to the kernel "{title}" in {place}.'
        cure = f"Choose another name, or remove that kernel with `jupyter kernelspec remove {name}`."
    else:
        msg = f"The kernel name {name!r} is taken: {place} exists, but holds no kernel that can be read."
        cure = "Choose another name, or move that directory away."
    raise NameTakenError(msg, cure=cure)


def _left_behind(place: Path, gone: Collection[Path]) -> bool:
    """Whether a kernelspec is that of an environment which is no more."""
    return bool(gone) and owner_of(ours_in(read(place))) in map(str, gone)


def _forget(staging: Path) -> None:
    """Delete what a killed process has left in a staging directory."""
    for entry in entries(staging):
        with contextlib.suppress(OSError):
            if time.time() - Path(entry).lstat().st_mtime > FORGOTTEN:
                remove_tree(Path(entry))
