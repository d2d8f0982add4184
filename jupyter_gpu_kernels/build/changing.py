"""Changing what needs no building: what people call an environment's kernel, and how it is started."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..errors import GpuKernelsError
from ..models import EnvironmentChange, Manifest
from ..prefix.hooks import write_scripts
from ..prefix.layout import Layout
from ..prefix.manifest import write_manifest
from .disk.filesystem import explained


def changed(manifest: Manifest, change: EnvironmentChange) -> Manifest:
    """A manifest after a change; the spec has it too, so that it outlasts a rebuild."""
    spec = manifest.spec
    if change.display_name is not None:
        spec = replace(spec, display_name=change.display_name)
        manifest = replace(manifest, display_name=change.display_name)
    if change.memory is not None:
        spec = replace(spec, memory=change.memory)
        manifest = replace(manifest, launch=replace(manifest.launch, memory=change.memory))
    if change.memory_fraction is not None:
        spec = replace(spec, memory_fraction=change.memory_fraction)
        manifest = replace(manifest, launch=replace(manifest.launch, memory_fraction=change.memory_fraction))
    if change.placement is not None:
        spec = replace(spec, placement=change.placement)
        manifest = replace(manifest, launch=replace(manifest.launch, placement=change.placement))
    return replace(manifest, spec=spec, plan=replace(manifest.plan, spec=spec))


def exchange(old: Manifest, new: Manifest, register: Callable[[Manifest], None] | None) -> None:
    """Put a manifest in the place of another, with what else depends on it; or nothing of all that.

    Blocks on the disk; the caller holds the environment's lock.

    Args:
        old: What is there.
        new: What shall be there.
        register: Replaces the kernelspec, ``None`` if there is none.

    Raises:
        InstallError: Something cannot be written.
    """
    rewrite = new.launch != old.launch
    try:
        _put(new, rewrite, register)
    except BaseException:
        # What cannot be written back either is put right by the next rebuild.
        with contextlib.suppress(OSError, GpuKernelsError):
            _put(old, rewrite, register)
        raise


def _put(manifest: Manifest, rewrite: bool, register: Callable[[Manifest], None] | None) -> None:
    """Write activation scripts, kernelspec and manifest."""
    prefix = Path(manifest.prefix)
    with explained(f"The environment {manifest.name!r} cannot be changed"):
        if rewrite:
            write_scripts(Layout.of_prefix(prefix), prefix, manifest.launch)
        if register is not None:
            register(manifest)
        write_manifest(prefix, manifest)
