"""Environments from a Python package index, by uv: solve first, install exactly that afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...models import EnvironmentKind, PlannedPackage, Stage
from ...prefix.layout import Layout
from ..reporting import Reporter
from . import exactly, locating, ontop, solving
from .answering import solution_of
from .failures import NoWheelError
from .fetching import Listener, fetch
from .interpreters import Candidate, Interpreter, candidates, choose, own_python, wanted_versions
from .lock import Locked
from .places import apart, throwaway
from .requirements import checked, names
from .scripts import rewrite_scripts
from .settings import Hold, WheelsRequest, WheelsSolution
from .uv import Uv, prepare

#: Seconds for which the Pythons found on this machine are believed.
MEMORY = 60.0


class WheelsEngine:
    """Plans and fills environments with wheels.

    Args:
        cache_dir: uv's cache, ``None`` for its own, which all users of uv share safely.
        environ: The environment to take configuration from, ``None`` for this process's at each call.
        silence: Seconds without any progress after which a download is started again.
        rounds: How often it is started in all.
        python_downloads: Whether uv may download a Python where none fits.
    """

    def __init__(
        self,
        *,
        cache_dir: Path | None = None,
        environ: Mapping[str, str] | None = None,
        silence: float = 90,
        rounds: int = 3,
        python_downloads: bool = False,
    ) -> None:
        self._cache_dir = cache_dir
        self._environ = environ
        self._silence = silence
        self._rounds = rounds
        self._python_downloads = python_downloads
        self._sizes: dict[str, int] = {}
        self._found: tuple[float, list[Candidate]] = (float("-inf"), [])

    async def solve(self, request: WheelsRequest) -> WheelsSolution:
        """Find exact versions of everything; nothing is installed, and no wheel is downloaded.

        Raises:
            InvalidInputError: A requirement or a version is malformed.
            SolveError: Nothing satisfies the request, or there is no such Python here.
            ChannelError: The index does not answer as it should.
        """
        requirements = checked((*request.requirements, *request.hold.kept))
        if request.pip and "pip" not in names(requirements):
            requirements = (*requirements, "pip")
        wanted = wanted_versions(request.python, request.python_range)
        uv = await self._uv(request.indexes)
        options = solving.options(request)
        refused: NoWheelError | None = None
        with throwaway() as cwd:
            found = await self._candidates(uv, cwd)
            for python in await choose(found, wanted, uv.environment, python=request.python):
                try:
                    answer = await solving.lock(
                        uv,
                        requirements,
                        cwd=cwd,
                        interpreter=python.path,
                        python=python.version,
                        options=options,
                        hold=request.hold,
                    )
                except NoWheelError as error:
                    # The newest Python is often too new for a framework; an older one may do.
                    refused = refused or error
                    continue
                warnings = (*answer.warnings, *([python.warning] if python.warning else []))
                return await self._solution(answer.output, request, uv, cwd, python, requirements, warnings)
        assert refused is not None  # choose() returns at least one
        raise refused

    async def install(
        self, solution: WheelsSolution, *, generation: Path, final: Path, reporter: Reporter, lock: Path | None = None
    ) -> tuple[str, ...]:
        """Make a virtual environment in a generation's directory; its scripts refer to the final path.

        Args:
            solution: From :meth:`solve`.
            generation: Where to build; whatever is left there after a failure is the caller's to remove.
            final: Where it will be.
            reporter: Whom to tell; stages ``download`` and ``wheels``.
            lock: File that stays locked while uv runs.

        Returns:
            The pins of what was installed: lines of a requirements file.

        Raises:
            DownloadError: Packages could not be fetched whole.
            InstallError: They could not be put into the environment.
        """
        uv = (await self._uv(solution.more_indexes)).only(solution.directory)
        layout = Layout(generation, EnvironmentKind.VIRTUALENV)
        with throwaway() as cwd:
            words = ["venv", "--quiet", "--no-project", "--allow-existing", "--python", solution.interpreter]
            # Launchers on Windows are programs: there is no text in them to rewrite.
            words += ["--relocatable"] if layout.windows else []
            words += ["--prompt", final.name, str(generation)]
            await solving.ask(uv, *words, cwd=cwd, python=solution.python, solving=False)
            pins = solving.requirements_file(cwd, "pins.txt", solution.pins)
            words = ["pip", "sync", *uv.index_options, *solving.options(solution), "--python", str(layout.python), pins]
            await self._fetch(uv, words, solution, cwd, Stage.DOWNLOAD, reporter, lock)
        await asyncio.to_thread(rewrite_scripts, layout, final)
        return solution.pins

    async def solve_on_top(
        self,
        requirements: Sequence[str],
        packages: Sequence[PlannedPackage],
        python: str,
        *,
        indexes: tuple[str, ...] = (),
        allow_builds: bool = False,
        hold: Hold | None = None,
    ) -> WheelsSolution:
        """Plan wheels on top of conda packages that are not there yet; none of those may be replaced.

        Args:
            requirements: PEP 508 requirements.
            packages: The planned conda packages.
            python: Exact version of the Python among them.
            indexes: Further indexes.
            allow_builds: Whether packages may be built from source code.
            hold: What was on top before; all its pins are held firmly first.

        Raises:
            InvalidInputError: A requirement is malformed.
            SolveError: They contradict the conda packages, or nothing satisfies them.
            ChannelError: The index does not answer as it should.
        """
        hold = hold or Hold()
        wanted = checked((*requirements, *hold.kept))
        uv = await self._uv(indexes)
        own = Interpreter(version=python, path=own_python())
        request = WheelsRequest(requirements=wanted, indexes=indexes, allow_builds=allow_builds, hold=hold)
        with throwaway() as cwd:
            options = solving.options(request)
            lock, _ = await ontop.plan(
                uv,
                wanted,
                packages,
                python=python,
                interpreter=own.path,
                cwd=cwd,
                options=options,
                held=(hold.pins, hold.firm),
            )
            return await self._solution(lock, request, uv, cwd, own, wanted)

    async def solve_exactly(self, pins: Sequence[str], *, python: str = "", on_top: bool = False) -> WheelsSolution:
        """Find the files of packages that somebody names to the byte; nothing is chosen.

        Args:
            pins: Lines of a requirements file: exact versions, perhaps with hashes.
            python: Version of Python that they are for, empty for any.
            on_top: Whether they go on top of conda packages, which bring that Python.

        Raises:
            RefusedError: The index has other files of a package than the one that is named.
            SolveError: The index does not have a package in its version, or there is no such Python here.
            ChannelError: The index does not answer as it should.
        """
        wanted = checked(exactly.versions(pins))
        backend = exactly.torch_backend(wanted)
        request = WheelsRequest(requirements=wanted, torch_backend=backend, pip=False)
        uv = await self._uv(())
        with throwaway() as cwd:
            tool = Interpreter(version=python, path=own_python()) if on_top else await self._python(python, uv, cwd)
            options = ("--no-deps", *solving.options(request))
            found = await solving.lock(uv, wanted, cwd=cwd, interpreter=tool.path, python=tool.version, options=options)
            solution = await self._solution(found.output, request, uv, cwd, tool, wanted, found.warnings)
        return exactly.kept_to(solution, pins)

    async def install_on_top(
        self, solution: WheelsSolution, *, generation: Path, final: Path, reporter: Reporter, lock: Path | None = None
    ) -> tuple[str, ...]:
        """Install wheels into a conda environment that is being built; arguments and answer as in :meth:`install`.

        Raises:
            SolveError: The wheels contradict what conda has installed.
            DownloadError: Packages could not be fetched whole.
            InstallError: They could not be put into the environment without replacing a conda package.
        """
        uv = (await self._uv(solution.more_indexes)).only(solution.directory)
        layout = Layout(generation, EnvironmentKind.CONDA)
        options = solving.options(solution)
        reporter.stage(Stage.WHEELS)
        with throwaway() as cwd:
            find = exactly.missing if solution.exact else ontop.missing
            pins = await find(uv, solution, layout=layout, cwd=cwd, options=options, reporter=reporter)
            if not pins:
                reporter.log("The conda packages have all that was asked of the package index.")
                return ()
            words = ["pip", "install", *uv.index_options, *options, "--no-deps", "--break-system-packages"]
            words += ["--python", str(layout.python), "-r", solving.requirements_file(cwd, "pins.txt", pins)]
            await self._fetch(uv, words, solution, cwd, Stage.WHEELS, reporter, lock)
        await asyncio.to_thread(rewrite_scripts, layout, final)
        return pins

    async def locate(self, pins: Sequence[str], *, interpreter: str, python: str) -> tuple[Locked, ...]:
        """Where exact versions are to be had, as files; arguments, answer and errors are those of :mod:`.locating`."""
        uv = await self._uv(())
        with throwaway() as cwd:
            return await locating.locate(uv, pins, cwd=cwd, interpreter=interpreter, python=python)

    async def interpreter(self, python: str) -> Interpreter:
        """A Python of this machine that takes the wheels of another one.

        Raises:
            SolveError: There is none of that minor version.
        """
        uv = await self._uv(())
        with throwaway() as cwd:
            return await self._python(python, uv, cwd)

    async def proxies(self) -> Mapping[str, str]:
        """The proxies through which indexes are reached, by scheme."""
        named = (await self._uv(())).environment
        return {name[:-6].lower(): url for name, url in named.items() if name in ("HTTP_PROXY", "HTTPS_PROXY")}

    async def must_copy(self, envs_dir: Path) -> bool:
        """Whether uv's cache lies on another filesystem than environments: then nothing is shared by hard links."""
        uv = await self._uv(())
        with throwaway() as cwd:
            answer = await solving.ask(uv, "cache", "dir", cwd=cwd, solving=False)
        return await asyncio.to_thread(apart, Path(answer.output.strip()), envs_dir)

    async def _uv(self, indexes: tuple[str, ...]) -> Uv:
        environ = self._environ
        uv = await asyncio.to_thread(
            lambda: prepare(environ=environ, cache_dir=self._cache_dir, python_downloads=self._python_downloads)
        )
        return uv.with_indexes(indexes)

    async def _python(self, python: str, uv: Uv, cwd: Path) -> Interpreter:
        minor = ".".join(python.split(".")[:2]) or None
        found = await self._candidates(uv, cwd)
        return (await choose(found, wanted_versions(minor, ""), uv.environment, python=minor))[0]

    async def _candidates(self, uv: Uv, cwd: Path) -> list[Candidate]:
        """Pythons of this machine; looked for again after a while, since that takes uv up to a second."""
        then, found = self._found
        if time.monotonic() - then > MEMORY:
            found = await candidates(uv, cwd, self._environ)
            self._found = (time.monotonic(), found)
        return found

    async def _solution(
        self,
        lock: str,
        request: WheelsRequest,
        uv: Uv,
        cwd: Path,
        python: Interpreter,
        requirements: tuple[str, ...],
        warnings: tuple[str, ...] = (),
    ) -> WheelsSolution:
        return await solution_of(
            lock,
            request,
            uv=uv,
            cwd=cwd,
            python=python,
            requirements=requirements,
            sizes=self._sizes,
            warnings=warnings,
        )

    async def _fetch(
        self,
        uv: Uv,
        words: Sequence[str],
        solution: WheelsSolution,
        cwd: Path,
        downloading: Stage,
        reporter: Reporter,
        lock: Path | None,
    ) -> None:
        sizes = {package.name: package.size for package in solution.packages}
        expected = {name: sizes.get(name, 0) for name in solution.missing}
        listener = Listener(reporter, expected, len(solution.packages), downloading)
        # A build of a source distribution may compile for long without a word.
        silence = 10 * self._silence if solution.allow_builds else self._silence
        await fetch(
            uv,
            words,
            listener,
            cwd=cwd,
            python=solution.python,
            silence=silence,
            rounds=self._rounds,
            lock=lock,
        )
