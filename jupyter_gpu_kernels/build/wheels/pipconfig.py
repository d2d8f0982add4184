"""pip's configuration, told to uv, which does not read it: mirrors, proxies and certificates keep working.

Locations, order and meaning of the files: https://pip.pypa.io/en/stable/topics/configuration/
uv's variables: https://docs.astral.sh/uv/reference/environment/
"""

from __future__ import annotations

import configparser
import locale
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import chosen

#: pip's option -> the variables of uv that mean the same; one of them set by the user wins over pip's option.
MEANINGS: dict[str, tuple[str, ...]] = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "timeout": ("UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT"),
    "retries": ("UV_HTTP_RETRIES",),
    "keyring-provider": ("UV_KEYRING_PROVIDER",),
    "cert": ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS"),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"),
}

#: Options that hold several values.
LISTS = ("extra-index-url", "find-links", "trusted-host")

#: Words that pip's (and distutils') parser takes for true.
TRUE = ("y", "yes", "t", "true", "on", "1")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where pip looks: injected, so that every platform can be tested on any.

    Attributes:
        platform: As ``sys.platform`` says it.
        home: The user's home directory.
        prefix: ``sys.prefix`` of the Python whose "site" file counts.
        root: ``/``.
        chosen: File with the index that was chosen here (:mod:`.chosen`), ``None`` for none.
    """

    platform: str
    home: Path
    prefix: Path
    root: Path = Path("/")
    chosen: Path | None = None

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        return cls(platform=sys.platform, home=Path.home(), prefix=Path(sys.prefix), chosen=chosen.default_file())


def config_files(environ: Mapping[str, str], machine: Machine) -> list[Path]:
    """The files that pip would read, those that win last; they need not exist."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    home, root = machine.home, machine.root
    if machine.platform == "win32":
        shared = [Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pip" / "pip.ini"]
        roaming = Path(environ.get("APPDATA", str(home / "AppData" / "Roaming")))
        own = [home / "pip" / "pip.ini", roaming / "pip" / "pip.ini"]
        site = machine.prefix / "pip.ini"
    else:
        configured = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        if machine.platform == "darwin":
            shared = [root / "Library" / "Application Support" / "pip" / "pip.conf"]
            support = home / "Library" / "Application Support" / "pip"
            configured = support if support.is_dir() else configured / "pip"
        else:
            listed = environ.get("XDG_CONFIG_DIRS") or str(root / "etc" / "xdg")
            shared = [Path(item) / "pip" / "pip.conf" for item in listed.split(os.pathsep) if item]
            shared.append(root / "etc" / "pip.conf")
            configured = configured / "pip"
        own = [home / ".pip" / "pip.conf", configured / "pip.conf"]
        site = machine.prefix / "pip.conf"
    if named and Path(named).exists():
        return [*shared, site, Path(named)]
    return [*shared, *own, site]


def pip_words(
    environ: Mapping[str, str], machine: Machine, warnings: list[str] | None = None
) -> dict[str, list[tuple[str, str]]]:
    """What is said of each option of ``pip install``, by its long name without dashes in front.

    Args:
        environ: Environment variables.
        machine: Where the files are.
        warnings: Is told of files that cannot be read or parsed. They are passed over: pip would complain of them, a
            kernel need not wait for that.

    Returns:
        Pairs of a file or a variable and what it says, the last of which counts.
    """
    words: dict[str, dict[str, list[tuple[str, str]]]] = {"global": {}, "install": {}}
    for path in dict.fromkeys(config_files(environ, machine)):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(path.read_text(encoding=locale.getpreferredencoding(do_setlocale=False)))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            if warnings is not None:
                warnings.append(f"The file {path} cannot be read and is left out: {str(error).splitlines()[0]}")
            continue
        for section, said in words.items():
            for key, value in parser.items(section) if parser.has_section(section) else ():
                said.setdefault(_name(key), []).append((str(path), value))
    # As in pip, [install] of any file beats [global] of every file, and what is empty does not count.
    merged: dict[str, list[tuple[str, str]]] = {}
    for said in words.values():
        for key, pairs in said.items():
            merged.setdefault(key, []).extend(pairs)
    for name, value in environ.items():
        if name.startswith("PIP_"):
            merged.setdefault(_name(name[len("PIP_") :]), []).append((name, value))
    heard = {key: [pair for pair in pairs if pair[1]] for key, pairs in merged.items()}
    return {key: pairs for key, pairs in heard.items() if pairs}


def pip_options(environ: Mapping[str, str], machine: Machine) -> dict[str, str]:
    """The options that ``pip install`` would run with."""
    return {key: pairs[-1][1] for key, pairs in pip_words(environ, machine).items()}


def uv_variables(environ: Mapping[str, str], options: Mapping[str, str], settled: Iterable[str] = ()) -> dict[str, str]:
    """Translate pip's options into variables of uv.

    Args:
        environ: The environment that uv will run in; what it says already wins.
        options: From :func:`pip_options`.
        settled: Options that a configuration file of uv says already.

    Returns:
        What to add to the environment.
    """
    added: dict[str, str] = {}
    for option, variables in MEANINGS.items():
        value = options.get(option, "").strip()
        if not value or option in settled or any(environ.get(variable) for variable in variables):
            continue
        if option in LISTS:
            # uv splits this one variable at commas, the others at spaces.
            value = ("," if option == "find-links" else " ").join(_expanded(item) for item in value.split())
        elif option in ("cert", "client-cert"):
            value = _expanded(value)
        elif option == "timeout":
            # uv takes whole seconds.
            try:
                value = str(max(1, round(float(value))))
            except ValueError:
                continue
        elif option == "keyring-provider" and value not in ("disabled", "subprocess"):
            continue
        elif option == "proxy":
            value = value if "://" in value else f"http://{value}"
        added[variables[0]] = value
    if "UV_INDEX" in added and not environ.get("UV_INDEX_STRATEGY"):
        # pip takes the best version that any index has; uv by default only what the first index with the name has.
        # Whoever wrote extra-index-url into pip's configuration counts on pip's answer.
        added["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return added


def no_index(environ: Mapping[str, str], options: Mapping[str, str], settled: Iterable[str] = ()) -> bool:
    """Whether pip is told to use no index; uv has no variable for it that it heeds, only an option."""
    explicit = any(environ.get(variable) for variable in (*MEANINGS["index-url"], *MEANINGS["extra-index-url"]))
    return not explicit and "index-url" not in settled and options.get("no-index", "").strip().lower() in TRUE


def _name(key: str) -> str:
    """Normalise an option; two of pip's names mean the same."""
    name = key.lower().replace("_", "-").removeprefix("--")
    return "timeout" if name == "default-timeout" else name


def _expanded(value: str) -> str:
    return str(Path(value).expanduser()) if value.startswith("~") else value
