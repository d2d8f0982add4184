"""The manager as configured: files first, then the command line."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from jupyter_core.application import JupyterApp
from traitlets import TraitError
from traitlets.config import Application
from traitlets.config.loader import ArgumentError, ConfigFileNotFound

from ..errors import InvalidInputError
from ..serve.manager import GpuKernelsManager


class GpuKernelsApp(JupyterApp):
    """Reads ``jupyter_config``, ``jupyter_server_config`` and ``jupyter_gpu_kernels_config``, the last one winning."""

    name = "jupyter-gpu-kernels"
    description = "Build, verify and manage kernels that provably run on the GPU."
    classes = [GpuKernelsManager]  # noqa: RUF012  # declared by traitlets

    def load_config_file(self, suppress_errors: bool = True) -> None:  # type: ignore[override]  # as in jupyter_core
        """Load the files; the server's too, so that one setting serves both."""
        try:
            Application.load_config_file(self, "jupyter_server_config", path=self.config_file_paths)
        except ConfigFileNotFound:
            pass
        except Exception as error:
            # A server would also go on without it.
            self.log.warning("jupyter_server_config could not be read: %s", error)
        super().load_config_file(suppress_errors)


def make_manager(
    traits: Sequence[str], manager_class: type[GpuKernelsManager] = GpuKernelsManager
) -> GpuKernelsManager:
    """Make the manager.

    Args:
        traits: Words like ``--GpuKernelsManager.verify_timeout=600``.
        manager_class: Its class.

    Raises:
        InvalidInputError: A trait cannot be what it is set to.
    """
    app = GpuKernelsApp(log_level=logging.WARNING)
    try:
        app.load_config_file()
        # The command line wins over files, whichever was read first.
        with contextlib.redirect_stdout(None):
            app.parse_command_line(list(traits))
        return manager_class(parent=app)
    except (TraitError, ArgumentError) as error:
        msg = f"The configuration is malformed: {error}"
        raise InvalidInputError(msg, cure="`jupyter gpu-kernels --help-all` lists what can be set.") from error


def trait_help() -> str:
    """What can be configured."""
    return GpuKernelsManager.class_get_help()
