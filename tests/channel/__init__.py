"""A small, real conda channel that needs no conda channel to be made, and servers that hand it out well or badly.

The interpreter that runs the tests is packed as ``python``; ipykernel and what it needs, numpy, pip and NVIDIA's CUDA
runtime are wheels packed again as conda packages; the rest (``warpdrive``, packages with odd manners) is written here.

In a test, take the fixtures of ``tests/conftest.py``: ``channel`` (URL of a good server), ``channel_dir``,
``faulty_channel`` and ``serve_channel``. For packages of your own::

    from channel import ChannelBuilder, Link

    with ChannelBuilder(tmp_path / "lab") as lab:
        lab.add_package("rosetta", "1.0", depends=["python"], files={"bin/rosetta": "#!/bin/sh\\necho hi\\n"})
    server = serve_channel(tmp_path / "lab")      # then [server.url, channel] are two channels

Leaving the ``with`` block writes the repodata. What the standard channel holds is listed in :mod:`channel.synthetic`.
"""

from .archive import PLACEHOLDER, File, Link
from .builder import ChannelBuilder
from .faults import (
    Delay,
    Drop,
    Fault,
    Flip,
    Gate,
    Hang,
    Portal,
    Redirect,
    RedirectLoop,
    Replace,
    Stall,
    Status,
    Trickle,
    Truncate,
)
from .server import Request, Server, serve
from .standard import standard_channel, standard_wheels

__all__ = [
    "PLACEHOLDER",
    "ChannelBuilder",
    "Delay",
    "Drop",
    "Fault",
    "File",
    "Flip",
    "Gate",
    "Hang",
    "Link",
    "Portal",
    "Redirect",
    "RedirectLoop",
    "Replace",
    "Request",
    "Server",
    "Stall",
    "Status",
    "Trickle",
    "Truncate",
    "serve",
    "standard_channel",
    "standard_wheels",
]
