"""The packages of the standard channel that are written for the tests.

==================== =====================================================================================
``warpdrive``        the framework: 1.4.0 (``cuda129_…``, ``cpu_…``), 1.5.0 (``cuda129_…``, ``cuda130_…``, ``cpu_…``);
                     ``__version__``, ``built_with_cuda()``, ``gpus()``, ``runtime_version()``, ``compute() == 32.0``
``warpdrive-core``   its ``noarch: python`` half, with the command ``warpdrive-info``
``warpdrive-gpu``    metapackage that only CUDA builds satisfy (like ``pytorch-gpu``)
``broken-framework`` raises ``ImportError`` when imported
``cuda-version``     metapackages 11.8, 12.4, 12.9, 13.0, with conda-forge's constrains
``cuda-cudart``      12.9.79 and 13.0.48, NVIDIA's own files (added by :mod:`channel.standard`, not here)
``prefixed``         a text file and a binary file with the prefix in them: ``share/prefixed/{text,binary}``,
                     and ``bin/prefixed``, a script whose interpreter is the prefix's
``activating``       ``etc/conda/activate.d/activating.sh`` exports ``ACTIVATING_PREFIX`` (and ``deactivate.d``)
``link-scripted``    a post-link script that would write ``<prefix>/post-link-was-here`` and ``.messages.txt``
``pandas``, ``matplotlib``, ``matplotlib-base``  stand-ins with nothing but ``__version__`` (``noarch: python``)
``sluggish``         2 MB that do not compress, for tests of slow and cut downloads
==================== =====================================================================================
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from .archive import PLACEHOLDER, File
from .builder import ChannelBuilder
from .wheels import record

SOURCES = Path(__file__).parent / "sources"

#: Version and CUDA of each build of warpdrive; ``None`` is the CPU build.
WARPDRIVE = (("1.4.0", "12.9"), ("1.4.0", None), ("1.5.0", "12.9"), ("1.5.0", "13.0"), ("1.5.0", None))


def add_all(channel: ChannelBuilder) -> None:
    """Add them to a channel."""
    _add_warpdrive(channel)
    _add_cuda_versions(channel)
    _add_odd_ones(channel)


def _add_warpdrive(channel: ChannelBuilder) -> None:
    tag = f"py{channel.python_minor.replace('.', '')}"
    for version, cuda in WARPDRIVE:
        # As on conda-forge: CUDA builds have the higher build number, so that they win where __cuda is present.
        build = f"cpu_{tag}h0a1b2c3_0" if cuda is None else f"cuda{cuda.replace('.', '')}_{tag}h4d5e6f7_200"
        depends = ["warpdrive-core ==" + version, channel.python_range]
        if cuda is not None:
            # The same range as conda-forge's run exports: any minor version of the same CUDA major.
            floor, ceiling = cuda, int(cuda.partition(".")[0]) + 1
            depends += ["__cuda", f"cuda-version >={floor},<{ceiling}", f"cuda-cudart >={floor},<{ceiling}.0a0"]
        channel.add_package(
            "warpdrive",
            version,
            build,
            depends=depends,
            files=_distribution(
                "warpdrive",
                version,
                {
                    "warpdrive/__init__.py": (SOURCES / "warpdrive_init.py").read_text(),
                    "warpdrive/_build.py": f"VERSION = {version!r}\nCUDA = {cuda!r}\n",
                },
                home=channel.site_packages,
            ),
        )
    for version in sorted({version for version, _ in WARPDRIVE}):
        channel.add_package(
            "warpdrive-core",
            version,
            "pyhd8ed1ab_0",
            noarch="python",
            depends=["python >=3.9"],
            files=_distribution(
                "warpdrive-core",
                version,
                {"warpdrive_core.py": (SOURCES / "warpdrive_core.py").read_text()},
                scripts=["warpdrive-info"],
            ),
            entry_points=["warpdrive-info = warpdrive_core:main"],
        )
        channel.add_package(
            "warpdrive-gpu", version, "h0_0", noarch="generic", depends=[f"warpdrive {version} cuda*", "__cuda"]
        )


def _add_cuda_versions(channel: ChannelBuilder) -> None:
    for version in ("11.8", "12.4", "12.9", "13.0"):
        major = version.partition(".")[0]
        channel.add_package(
            "cuda-version",
            version,
            "h4f385c5_3",
            noarch="generic",
            constrains=[f"cudatoolkit {version}|{version}.*", f"__cuda >={major}"],
        )


def _add_odd_ones(channel: ChannelBuilder) -> None:
    channel.add_package(
        "broken-framework",
        "1.0",
        "pyhd8ed1ab_0",
        noarch="python",
        depends=["python"],
        files=_distribution(
            "broken-framework",
            "1.0",
            {"broken_framework/__init__.py": 'raise ImportError("libbroken.so.7: cannot open file")\n'},
        ),
    )
    channel.add_package(
        "prefixed",
        "1.0",
        depends=["python"],
        files={
            "share/prefixed/text": f"home = {PLACEHOLDER}/share\n",
            "share/prefixed/binary": f"\0before\0{PLACEHOLDER}/lib\0after\0".encode(),
            "bin/prefixed": f"#!{PLACEHOLDER}/bin/python\nimport sys\nprint(sys.prefix)\n",
        },
    )
    channel.add_package(
        "activating",
        "1.0",
        noarch="generic",
        files={
            "etc/conda/activate.d/activating.sh": 'export ACTIVATING_PREFIX="$CONDA_PREFIX"\n',
            "etc/conda/deactivate.d/activating.sh": "unset ACTIVATING_PREFIX\n",
        },
    )
    mark = 'touch "$PREFIX/post-link-was-here"\necho "a post-link script ran" >> "$PREFIX/.messages.txt"\n'
    channel.add_package(
        "link-scripted",
        "1.0",
        files={"share/link-scripted/file": "content\n"},
        link_scripts={"post-link": f"#!/bin/sh\n{mark}", "pre-unlink": "#!/bin/sh\n"},
    )
    for name, version in (("pandas", "2.3.3"), ("matplotlib-base", "3.10.7")):
        module = name.partition("-")[0]
        channel.add_package(
            name,
            version,
            "pyhd8ed1ab_0",
            noarch="python",
            depends=["python >=3.9", "numpy"],
            files=_distribution(module, version, {f"{module}/__init__.py": f"__version__ = {version!r}\n"}),
        )
    channel.add_package("matplotlib", "3.10.7", "h0_0", noarch="generic", depends=["matplotlib-base 3.10.7"])
    # Seeded: the same bytes, thus the same hash, in every build.
    channel.add_package(
        "sluggish", "1.0", noarch="generic", files={"share/sluggish": random.Random(0).randbytes(2_000_000)}
    )


def _distribution(
    name: str,
    version: str,
    modules: Mapping[str, str],
    *,
    home: str = "site-packages",
    scripts: Iterable[str] = (),
) -> dict[str, File]:
    """Modules and the metadata that pip and uv know them by."""
    info = f"{home}/{name.replace('-', '_')}-{version}.dist-info"
    files = {f"{home}/{path}": File(text.encode()) for path, text in modules.items()}
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files |= {f"{info}/METADATA": File(metadata.encode()), f"{info}/INSTALLER": File(b"conda")}
    files[f"{info}/RECORD"] = record(files, home=home, info=info, scripts=scripts)
    return files
