"""The traits that a person or an administrator may set, and what they are otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir
from traitlets import Bool, Bunch, Enum, Float, Integer, List, Unicode, default, validate
from traitlets.config import LoggingConfigurable

from ..models import Installer
from ..prefix.cache import cache_root


class Settings(LoggingConfigurable):
    """What can be configured, in ``jupyter_server_config`` or ``jupyter_gpu_kernels_config``.

    Nothing is looked up before it is asked for, and no directory is made here.
    """

    conda_envs_dir = Unicode(
        help="Directory of conda environments; otherwise the first writable of envs_dirs in .condarc, or ~/.conda/envs."
    ).tag(config=True)
    virtualenvs_dir = Unicode(
        help="Directory of virtual environments; otherwise gpu-kernels/envs in Jupyter's data directory."
    ).tag(config=True)
    state_dir = Unicode(
        help="Directory of jobs, locks and staged kernelspecs; otherwise gpu-kernels in Jupyter's data directory."
    ).tag(config=True)
    cache_dir = Unicode(
        help="Directory of downloaded packages and shared bytecode; otherwise jupyter-gpu-kernels in the user's caches."
    ).tag(config=True)
    shared_package_caches = List(
        Unicode(),
        help="Directories of unpacked conda packages that somebody else keeps: an administrator's, or the cache_dir of "
        "another user. What they have is linked or copied from there, not downloaded; nothing is written there. "
        "Whoever may write into them may write into your kernels. The pkgs_dirs of .condarc serve likewise.",
    ).tag(config=True)
    default_installer = Enum(
        [installer.value for installer in Installer],
        Installer.AUTO.value,
        help="Installer of environments that do not ask for one: auto takes conda where its channels answer.",
    ).tag(config=True)
    channels = List(
        Unicode(), help="Conda channels of environments that do not ask for some; otherwise those of .condarc."
    ).tag(config=True)
    link_scripts = Bool(
        False, help="Run the link scripts of conda packages. They are programs of whoever made the package."
    ).tag(config=True)
    local_channels = Bool(False, help="Let file: URLs of this machine be asked for as conda channels.").tag(config=True)
    python_downloads = Bool(
        False, help="Let the PyPI installer download a Python that this machine does not have, from where uv gets it."
    ).tag(config=True)
    allow_source_builds = Bool(
        False, help="Let PyPI packages without a wheel be built, which runs their set-up programs."
    ).tag(config=True)
    verify_timeout = Float(300.0, min=1, help="Seconds that a verification may take.").tag(config=True)
    benchmark_timeout = Float(1800.0, min=1, help="Seconds that the benchmark may take.").tag(config=True)
    silence = Float(60.0, min=1, help="Seconds without a new byte after which a download starts anew.").tag(config=True)
    catalogue_dirs = List(
        Unicode(),
        help="Directories of framework descriptions (TOML) that add to the bundled ones or replace them; "
        "otherwise gpu-kernels/frameworks below each directory of Jupyter's configuration.",
    ).tag(config=True)
    mirror_dirs = List(
        Unicode(),
        help="Directories of files (TOML) that describe mirrors of channels and package indexes, to be chosen from; "
        "otherwise gpu-kernels/mirrors below each directory of Jupyter's configuration.",
    ).tag(config=True)
    simultaneous_builds = Integer(2, min=1, help="How many environments are built at a time.").tag(config=True)
    kept_jobs = Integer(100, min=0, help="How many finished jobs are remembered.").tag(config=True)
    kept_days = Float(30.0, min=0, help="For how many days finished jobs are remembered.").tag(config=True)
    cull_gpu_idle = Float(
        0.0,
        min=0,
        help="Seconds after which a kernel of this server that holds GPU memory and does nothing is shut down; 0 for "
        "never. What it has computed is lost. A busy kernel is never shut down, nor one of which the driver does not "
        "tell that it holds memory (WSL, some containers). MappingKernelManager.cull_idle_timeout goes on beside this.",
    ).tag(config=True)
    cull_gpu_interval = Float(60.0, min=1, help="Seconds between two looks for such kernels.").tag(config=True)
    cull_gpu_connected = Bool(
        True,
        help="Shut down such kernels even while they are open in a browser: a notebook left open over the weekend is "
        "just what holds a GPU for nothing. (MappingKernelManager.cull_connected, its model, is off by default.)",
    ).tag(config=True)

    @validate("conda_envs_dir", "virtualenvs_dir", "state_dir", "cache_dir")
    def _directory(self, proposal: Bunch) -> str:
        return _absolute(proposal["value"])

    @validate("catalogue_dirs", "mirror_dirs", "shared_package_caches")
    def _directories(self, proposal: Bunch) -> list[str]:
        return [_absolute(path) for path in proposal["value"]]

    @default("conda_envs_dir")
    def _default_conda_envs_dir(self) -> str:
        # Imported here: .condarc is read when the first environment is asked for, not when a server starts.
        from ..build.conda.condarc import read_condarc
        from ..build.disk.filesystem import writable

        return str(next(filter(writable, read_condarc().envs_dirs), Path.home() / ".conda" / "envs"))

    @default("virtualenvs_dir")
    def _default_virtualenvs_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "gpu-kernels" / "envs")

    @default("state_dir")
    def _default_state_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "gpu-kernels")

    @default("cache_dir")
    def _default_cache_dir(self) -> str:
        return str(cache_root(os.environ))

    @default("catalogue_dirs")
    def _default_catalogue_dirs(self) -> list[str]:
        return [str(Path(path) / "gpu-kernels" / "frameworks") for path in jupyter_config_path()]

    @default("mirror_dirs")
    def _default_mirror_dirs(self) -> list[str]:
        return [str(Path(path) / "gpu-kernels" / "mirrors") for path in jupyter_config_path()]


def _absolute(path: str) -> str:
    """A directory as manifests and kernelspecs must have it; in a configuration file people write ``~``."""
    return str(Path(path).expanduser().absolute())
