"""Bytecode shared by environments; :mod:`jupyter_gpu_kernels.build.bytecode` says what the store looks like."""

# Thousands of files are looked at one by one, for which a Path would cost more than the system's call.
# ruff: noqa: PTH103,PTH108,PTH118,PTH120,PTH123

from __future__ import annotations

import contextlib
import hashlib
import os

from .packages import HEADER, Module, read_header, write


class Store:
    """Bytecode of packages, shared by environments. What it cannot do it does not do: it is a cache."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.trouble = ""

    def place(self, key: str, module: Module) -> str:
        """Where bytecode of a module is, or would be."""
        identity = "\0".join((module.name, str(module.mtime), str(module.size)))
        return os.path.join(self._root, key[:2], key, hashlib.sha256(identity.encode()).hexdigest()[:32] + ".pyc")

    def take(self, key: str, module: Module) -> bool:
        """Give a module the store's bytecode, if it has any."""
        place = self.place(key, module)
        try:
            os.link(place, module.pyc)
        except FileNotFoundError:
            return False
        except FileExistsError:  # Invalid, or we would not be here.
            os.unlink(module.pyc)
            return self.take(key, module)
        except OSError:
            return self._copy(place, module)
        if module.compiled():
            return True
        # Damaged, as a power cut may leave it.
        os.unlink(module.pyc)
        self._remove(place)
        return False

    def put(self, key: str, module: Module) -> None:
        """Keep a module's new bytecode, unless another builder was first."""
        if self.trouble or not module.compiled():
            return
        place = self.place(key, module)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            try:
                os.link(module.pyc, place)
            except FileExistsError:
                if read_header(place) != module.header():
                    self._remove(place)
                    os.link(module.pyc, place)
            except OSError:
                with open(module.pyc, "rb") as file:
                    write(place, file.read(), 0o644)
        except OSError as error:
            self.trouble = str(error)

    def _copy(self, place: str, module: Module) -> bool:
        """Copy bytecode from another filesystem, or from an owner whose files may not be linked."""
        try:
            with open(place, "rb") as file:
                data = file.read()
            if data[:HEADER] != module.header():
                self._remove(place)
                return False
            write(module.pyc, data, 0o644)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            os.utime(place)  # So that it counts as used, see bytecode.sweep_store().
        return True

    def _remove(self, place: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(place)
