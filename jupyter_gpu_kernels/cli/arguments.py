"""The words of the command line. Only the standard library is imported, so that help comes at once."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._version import __version__
from ..errors import InvalidInputError
from ..models import EnvironmentChange, EnvironmentSpec, Installer, MemoryPreset, Placement, Variant
from ..prefix.placement import MAX_WAIT, parse_gpus
from .words.channels import add_channels
from .words.copies import add_adoption, add_clone, add_release, add_renaming
from .words.packages import add_install, add_listing, add_uninstall, add_update
from .words.packing import add_pack
from .words.recipes import add_recipe
from .words.sharing import add_export, add_import

EPILOG = """\
exit codes:
  0    done
  1    failed; of diagnose: something does not work
  2    the command line or the input is malformed
  3    refused: it cannot work on this machine
  4    there is no such environment
  5    the name is taken, or somebody is working on it
  130  cancelled

Traits of the manager, from jupyter_gpu_kernels_config.py or jupyter_server_config.py, may be given as
--GpuKernelsManager.verify_timeout=600 and so on; --help-all lists them.
"""

_MEMORY: dict[str, Any] = {
    "choices": [preset.value for preset in MemoryPreset],
    "help": "how frameworks take the GPU's memory: as they do by default, or, to share the GPU, as they need it (grow) "
    "or up to a part of it (fraction), which JAX, CuPy and PyTorch from 2.10 on keep to, while the others grow",
}
_FRACTION: dict[str, Any] = {
    "dest": "memory_fraction",
    "metavar": "F",
    "type": float,
    "help": "the part that one kernel may take, above 0 and not above 1; at first 0.5",
}

_GPUS = (
    "which GPUs a kernel is given: all, least-used or exclusive (least-used:2 for two), or GPU-… and MIG-… identifiers "
    "with commas between; auto is least-used where there are several, and all where there is one"
)
_WAIT = f"seconds to wait where no GPU is free, at most {MAX_WAIT:g}, before the kernel says who has them"

_TRAIT = re.compile(r"--[A-Z]\w*\.\w+=.*", re.DOTALL)


def parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Read the command line.

    Args:
        argv: The words after the program's name; ``None`` for this process's own.

    Returns:
        What was asked for, and settings of traits, to be read by whoever knows the traits.

    Raises:
        SystemExit: Help was asked for (0), or the words make no sense (2).
    """
    parser = make_parser()
    arguments, rest = parser.parse_known_args(argv)
    if "several" in arguments:
        # After an option argparse no longer takes words for a list that may be empty.
        getattr(arguments, arguments.several).extend(word for word in rest if not word.startswith("-"))
        rest = [word for word in rest if word.startswith("-")]
    strange = [word for word in rest if not _TRAIT.fullmatch(word)]
    if strange:
        parser.error(f"unrecognized arguments: {' '.join(strange)}")
    if arguments.command is None and not arguments.help_all:
        parser.error("a command is needed, such as create, list or frameworks; see --help")
    return arguments, rest


def spec_of(arguments: argparse.Namespace) -> EnvironmentSpec:
    """What ``create`` and ``plan`` ask for.

    Raises:
        InvalidInputError: Words contradict each other, or one is malformed.
    """
    memory = memory_of(arguments)
    return EnvironmentSpec(
        name=arguments.name,
        framework=arguments.framework,
        variant=Variant(arguments.variant),
        version=arguments.version,
        python=arguments.python,
        cuda=arguments.cuda,
        target_cuda=arguments.target_cuda,
        target_gpu=arguments.target_gpu,
        installer=Installer(arguments.installer),
        channels=tuple(arguments.channel),
        packages=tuple(arguments.package),
        pip=tuple(arguments.pip),
        extras=tuple(arguments.extra),
        companions=arguments.companions,
        verify=arguments.verify,
        memory=memory.memory or MemoryPreset.DEFAULT,
        memory_fraction=EnvironmentSpec.memory_fraction if memory.memory_fraction is None else memory.memory_fraction,
        placement=placement_of(arguments),
        display_name=arguments.display_name,
        sys_prefix=arguments.sys_prefix,
    )


def memory_of(arguments: argparse.Namespace) -> EnvironmentChange:
    """How kernels shall take the GPU's memory. A fraction alone says that there is to be one.

    Raises:
        InvalidInputError: There is a fraction, and a preset that has none.
    """
    fraction = arguments.memory_fraction
    preset = MemoryPreset(arguments.memory) if arguments.memory else None
    if fraction is not None and preset not in (None, MemoryPreset.FRACTION):
        msg = f"A fraction of the memory is given, and the preset {arguments.memory} has none."
        raise InvalidInputError(msg, cure="Leave out the fraction, or choose the preset fraction.")
    return EnvironmentChange(memory=preset if fraction is None else MemoryPreset.FRACTION, memory_fraction=fraction)


def placement_of(arguments: argparse.Namespace) -> Placement:
    """Which GPUs kernels shall be given.

    Raises:
        InvalidInputError: What was written is no placement.
    """
    return replace(parse_gpus(arguments.gpus), wait=arguments.wait)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="jupyter gpu-kernels",
        description="Build, verify and manage kernels that provably run on the GPU.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--help-all", action="store_true", help="list the traits that can be configured, and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.add_argument("--json", action="store_true", help="print the answer as JSON on stdout, and nothing else")
        return added

    _add_spec(command("create", "build, verify and register a kernel"))
    _add_spec(command("plan", "say what create would do: packages, bytes, CUDA, or a refusal with what would fit"))
    add_recipe(command("recipe", "say what the kernel that a notebook carries would be here, or build it"))
    command("list", "list the kernels")
    _add_name(command("show", "show what is known of a kernel"))
    _add_name(command("verify", "start a kernel and look again what it sees"))
    _add_name(command("rebuild", "build a kernel's environment anew, then exchange the two"))
    _add_name(command("benchmark", "run the CPU-vs-GPU notebook in a kernel and keep the result"))
    add_listing(command("packages", "list what is in an environment, and why"))
    add_install(command("install", "add packages to an environment, or have other versions of them"))
    add_uninstall(command("uninstall", "remove packages from an environment"))
    add_update(command("update", "bring packages of an environment to their newest versions that fit"))
    add_pack(command("pack", "write an environment with all its packages into a file, for machines without a network"))
    add_export(command("export", "write an environment as a file, for others or for later"))
    add_import(command("import", "build the environment that a file says: an environment.yml, a lock, a list, a pack"))
    add_clone(command("clone", "copy an environment; its files are shared until somebody replaces one"))
    add_adoption(command("adopt", "let an environment that was made elsewhere be started here, or list them"))
    add_release(command("release", "give an adopted kernel back as it was"))
    add_renaming(command("rename", "give an environment another name, or change what the Launcher shows for it"))
    _add_memory(command("memory", "change how a kernel takes the GPU's memory, from its next start on"))
    _add_placement(command("placement", "change which GPUs a kernel is given, from its next start on"))
    _add_removal(command("remove", "unregister a kernel and remove its environment"))
    command("frameworks", "list the frameworks that can be asked for")
    add_channels(command("channels", "say where packages come from here, measure it, or switch to a mirror"))
    _add_search(command("search", "look for packages by name"))
    _add_watch(command("gpus", "describe this machine's GPUs and driver, and what they are doing for whom"))
    _add_diagnosis(command("diagnose", "look what is wrong with this machine and its kernels, and cure it"))
    command("jobs", "list the jobs of all processes, the newest first")
    return parser


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the environment")


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help="a part of the name; for a package index, the whole name")
    parser.add_argument("--environment", metavar="NAME", help="look where this environment's packages come from")
    parser.add_argument("--versions", action="store_true", help="list the versions of the package of that very name")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="how many to list, at most 100; 20")


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--watch",
        metavar="SECONDS",
        nargs="?",
        type=_seconds,
        const=2.0,
        help="show it again every so many seconds (2), until Ctrl-C; with --json one line each time",
    )


def _seconds(text: str) -> float:
    """A time to wait."""
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 0.1 <= seconds <= 86400:
            return seconds
    msg = f"{text!r} is not between 0.1 and 86400 seconds"
    raise argparse.ArgumentTypeError(msg)


def _add_memory(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("memory", metavar="PRESET", **_MEMORY)
    parser.add_argument("--fraction", **_FRACTION)


def _add_placement(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("gpus", metavar="GPUS", help=_GPUS)
    parser.add_argument("--wait", metavar="S", type=float, default=0.0, help=_WAIT)


def _add_removal(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("name", metavar="NAME", nargs="?", help="name of the environment")
    which.add_argument("--all", action="store_true", help="remove all of them, as before an uninstallation")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.add_argument("--force", action="store_true", help="also where a process still runs from the environment")


def _add_diagnosis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="look at this environment and the machine")
    parser.add_argument(
        "--fix",
        metavar="CHECK",
        nargs="*",
        help="cure what can be cured here, of these checks; of none that are named, all but what is a mere note",
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask, even where something is lost")


def _add_spec(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--framework", metavar="F", default="python", help="see `frameworks`; python for none")
    parser.add_argument("--variant", choices=[kind.value for kind in Variant], default=Variant.AUTO.value)
    parser.add_argument("--version", metavar="V", help="version of the framework")
    parser.add_argument("--python", metavar="V", help="version of Python")
    parser.add_argument("--cuda", metavar="V", help="version of CUDA in the result")
    parser.add_argument("--target-cuda", metavar="V", help="build for a machine whose driver runs up to this CUDA")
    parser.add_argument(
        "--target-gpu",
        metavar="GPU",
        help="build for this GPU: a compute capability (9.0), an architecture (hopper) or a product (H100)",
    )
    parser.add_argument("--installer", choices=[kind.value for kind in Installer], default=Installer.AUTO.value)
    parser.add_argument(
        "--channel", metavar="URL", action="append", default=[], help="use this conda channel and no configured one"
    )
    parser.add_argument("--package", metavar="SPEC", action="append", default=[], help="one more package")
    parser.add_argument("--pip", metavar="SPEC", action="append", default=[], help="one more package, by pip's rules")
    parser.add_argument(
        "--extra", metavar="ID", action="append", default=[], help="one of the framework's extras; see `frameworks`"
    )
    parser.add_argument(
        "--no-companions", dest="companions", action="store_false", help="leave out numpy, pandas and matplotlib"
    )
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="register without verification")
    parser.add_argument("--memory", **_MEMORY)
    parser.add_argument("--memory-fraction", **_FRACTION)
    parser.add_argument("--gpus", metavar="GPUS", default="auto", help=_GPUS)
    parser.add_argument("--gpu-wait", dest="wait", metavar="S", type=float, default=0.0, help=_WAIT)
    parser.add_argument("--display-name", metavar="TEXT", help="what the Launcher shows")
    parser.add_argument("--sys-prefix", action="store_true", help="register for all users of this Python")
