"""Configuration files of conda and pip that are odd, or cannot be read."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator

from ...build.conda.condarc import Condarc, read_condarc
from ...build.wheels.pipconfig import Machine, config_files
from ...models import Finding
from ..check import note, warning
from ..context import Context


def look_at_conda(context: Context) -> Iterator[Finding]:
    """Find what in ``.condarc`` files does not count, or makes environments worse."""
    condarc = read_condarc(context.environ)
    for said in condarc.warnings:
        yield warning(said, cure="Mend the file: what it says of channels, mirrors and proxies does not count now.")
    files = [str(path) for path in condarc.files]
    if condarc.settings.priority == "disabled" and len(_channels(context, condarc)) > 1:
        yield warning(
            "Packages are taken from whichever channel has the newest, as channel_priority is disabled: builds of "
            "several channels get mixed, and those without CUDA may win.",
            evidence=(*files, f"channels: {', '.join(_channels(context, condarc))}"),
            cure="Set channel_priority to strict in .condarc.",
        )
    if condarc.settings.ssl_verify is False:
        yield note(
            "Certificates of channels are not checked, as ssl_verify is off.",
            evidence=files,
            cure="Set ssl_verify to the file with your organisation's certificates.",
        )


def look_at_pip(context: Context) -> Iterator[Finding]:
    """Find configuration files of pip that do not count."""
    named = context.environ.get("PIP_CONFIG_FILE", "")
    if named and named != os.devnull and not os.path.exists(named):  # noqa: PTH110
        yield warning(
            f"PIP_CONFIG_FILE names {named}, which does not exist.",
            evidence=(f"PIP_CONFIG_FILE={named}",),
            cure="Unset the variable, or create the file.",
        )
    for path in dict.fromkeys(config_files(context.environ, Machine.here())):
        if not os.path.exists(path):  # noqa: PTH110  # a Path raises where one may not look
            continue
        try:
            configparser.RawConfigParser(strict=False).read_string(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            yield warning(
                f"The file {path} cannot be read, so the indexes and proxies in it do not count.",
                evidence=(str(error).splitlines()[0],),
                cure="Mend the file: pip itself does not work with it either.",
            )


def _channels(context: Context, condarc: Condarc) -> tuple[str, ...]:
    """The configured channels."""
    return context.practice.channels or condarc.channels
