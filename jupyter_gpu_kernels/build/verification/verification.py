"""Asking a real kernel of an environment whether it is what was promised."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel

from ...errors import NoGpuFreeError, RefusedError
from ...models import Extra, ExtraCheck, Framework, MappedLibrary, Verification, VerificationOutcome, now
from ...prefix.cuda import classify_library, is_cuda_library
from ...prefix.placement import TRIAL
from ..reporting import Reporter
from .extras import check_extras
from .trial import KernelDiedError, KernelReplacedError, KernelSilentError, TrialKernel, trial_kernel
from .verdict import Evidence, judge, needs_driver, one_line

#: Sent into the kernel as text: it must not be imported here, since it is written for any Python.
PROBE = Path(__file__).parent / "probe.py"
PROBE_MIME = "application/vnd.jupyter-gpu-kernels.probe+json"

#: Lines of the framework's own output that are kept in the log.
LOGGED_LINES = 30


#: What the provisioner says where it has no GPU to give.
NO_GPU = (NoGpuFreeError.code, RefusedError.code)


class StrangeAnswerError(Exception):
    """The kernel's answer is none of the probe's."""


class Examination:
    """What is learnt of a kernel, step by step, so that a crash takes nothing back.

    Args:
        framework: What should be in the environment.
        extras: Extras of it that should be there, too.
        expect_gpu: Whether it was built for a GPU.
        prefix: The environment.
        reporter: Told of each step.
    """

    def __init__(
        self, framework: Framework, extras: Sequence[Extra], *, expect_gpu: bool, prefix: Path, reporter: Reporter
    ) -> None:
        self.framework = framework
        self.extras = extras
        self.checks: tuple[ExtraCheck, ...] = ()
        self.expect_gpu = expect_gpu
        self.prefix = prefix
        self.reporter = reporter
        self.doing = "it started"
        self.report: dict[str, Any] = {}
        self.python = ""
        self.error = ""
        self.import_failed = False
        self.surroundings: dict[str, Any] = {}
        self.libraries: tuple[MappedLibrary, ...] = ()
        self.output = ""

    async def run(self, kernel: TrialKernel, deadline: float) -> None:
        """Ask everything.

        Raises:
            KernelDiedError: The kernel's process ended.
            KernelSilentError: It did not answer in time.
            StrangeAnswerError: What answers is not this environment's Python.
        """
        source = PROBE.read_text(encoding="utf-8")
        code = f"__gpu_kernels = {{}}\nexec(compile({source!r}, 'probe', 'exec'), __gpu_kernels)"
        await kernel.ask(code, {}, deadline)
        about = await self._answer(kernel, "about()", deadline)
        if not self.prefix.samefile(str(about["prefix"])):
            msg = f"the kernel runs the Python of {about['prefix']}, not the environment's"
            raise StrangeAnswerError(msg)
        self.python = str(about["version"])
        await kernel.ask("__gpu_kernels['show_output']()", {}, deadline)
        record = kernel.private / "report.json"
        try:
            await self._framework(kernel, record, deadline)
        finally:
            if not self.report:
                with contextlib.suppress(OSError, ValueError):
                    self.report = json.loads(record.read_text(encoding="utf-8"))
        self.doing = "it was asked for its libraries"
        mapped = await self._answer(kernel, "libraries()", deadline)
        self.libraries = tuple(self._cuda_libraries(mapped["paths"]))
        if self.expect_gpu:
            self.surroundings = await self._answer(kernel, "surroundings()", deadline)
        # Last: they take nothing back of what is known of the framework.
        self.checks = await check_extras(
            kernel, self.extras, lambda call, until: self._answer(kernel, call, until), deadline, self.reporter
        )

    async def _framework(self, kernel: TrialKernel, record: Path, deadline: float) -> None:
        """Import the framework and run its verification."""
        name = self.framework.import_name
        if name:
            self.doing = f"it imported {name}"
            self.reporter.log(f"Importing {name} in a kernel of the environment.")
            answer = await self._answer(kernel, f"import_module({name!r})", deadline)
            if self._note_error(answer):
                self.import_failed = True
                return
        self.doing = f"{self.framework.title} computed"
        source = self.framework.verification
        answer = await self._answer(kernel, f"verify({source!r}, {str(record)!r})", deadline)
        self.report = answer["report"]
        self._note_error(answer)

    def _note_error(self, answer: dict[str, Any]) -> bool:
        """Keep the exception of an answer, if it has one; whether it has."""
        self.error = str(answer.get("error", ""))
        if self.error:
            self.log(str(answer.get("traceback", "")))
        return bool(self.error)

    async def _answer(self, kernel: TrialKernel, call: str, deadline: float) -> dict[str, Any]:
        """Call a function of the probe."""
        name, arguments = call.split("(", 1)
        reply = await kernel.ask("", {"answer": f"__gpu_kernels[{name!r}]({arguments}"}, deadline)
        answer = reply.get("user_expressions", {}).get("answer", {})
        try:
            return dict(answer["data"][PROBE_MIME])
        except (KeyError, TypeError, ValueError):
            told = reply.get("evalue") or answer.get("evalue") or "it gives no answer"
            raise StrangeAnswerError(one_line(str(told))) from None

    def _cuda_libraries(self, paths: list[str]) -> Iterator[MappedLibrary]:
        """The CUDA libraries among mapped files, and whose they are."""
        for path in paths:
            name = Path(path.removesuffix(" (deleted)")).name
            origin = classify_library(path, self.prefix)
            if is_cuda_library(name):
                yield MappedLibrary(soname=name, path=path, origin=origin)

    def log(self, text: str) -> None:
        """Put the end of a text into the log."""
        # ipykernel's own warnings (of unencrypted TCP on loopback) tell nothing of the framework.
        lines = [line for line in text.strip().splitlines() if not line.startswith("[IPKernelApp] WARNING")]
        for line in lines[-LOGGED_LINES:]:
            self.reporter.log(line.rstrip()[:1000])

    def evidence(self, hardware_reason: str | None) -> Evidence:
        """What the verdict is made of."""
        driver = self.surroundings.get("driver", {})
        version = self.version() or ""
        # A title that ends with a version gives way to the real one.
        title = self.framework.named(version).removesuffix(version).rstrip()
        devices = self.report.get("devices")
        return Evidence(
            title=title if self.framework.import_name else "Python",
            version=version,
            expect_gpu=self.expect_gpu,
            built_known="built_with_cuda" in self.report,
            built_with_cuda=str(self.report.get("built_with_cuda") or ""),
            devices=tuple(str(device) for device in devices) if isinstance(devices, list) else (),
            computation=str(self.report.get("computation") or ""),
            problem=str(self.report.get("problem") or ""),
            error=self.error,
            output=self.output,
            libraries=self.libraries,
            visible_devices=self.surroundings.get("visible_devices"),
            driver_found=driver.get("found"),
            driver_status=driver.get("status"),
            driver_version=driver.get("version"),
            hardware_reason=hardware_reason,
        )

    def version(self) -> str | None:
        """The framework's version, or Python's where there is no framework."""
        told = self.report.get("framework_version")
        return str(told) if told else None if self.framework.import_name else self.python or None

    def verdict(self, hardware_reason: str | None) -> tuple[VerificationOutcome, str]:
        """What is to be said of a kernel that answered to the end."""
        evidence = self.evidence(hardware_reason)
        if not self.import_failed:
            return judge(evidence)
        title = self.framework.title
        if needs_driver(evidence):
            sentence = f"{title} cannot be tried here: it needs the NVIDIA driver, which this machine does not have."
            return VerificationOutcome.GPU_NOT_SEEN, sentence
        return VerificationOutcome.FAILED, f"{title} does not import: {one_line(self.error)}."


async def verify(
    *,
    kernel_dir: Path,
    kernel_name: str,
    framework: Framework,
    expect_gpu: bool,
    prefix: Path,
    timeout: float,
    reporter: Reporter,
    hardware_reason: str | None = None,
    extras: Sequence[Extra] = (),
) -> Verification:
    """Start a kernel of an environment through its real provisioner, and ask it everything.

    Called by the pipeline before an environment is registered. The kernel and whatever it started are gone when this
    returns or raises, also when it is cancelled.

    Args:
        kernel_dir: Directory of kernelspecs that holds ``<kernel_name>/kernel.json``.
        kernel_name: The kernelspec's name.
        framework: What should be in the environment.
        expect_gpu: Whether it was built for a GPU; if so, one that is not seen is reported, with the reason.
        prefix: The environment, where it lies now.
        timeout: Seconds for everything.
        reporter: Its log gets the end of what the framework printed.
        hardware_reason: Why this machine has no usable GPU; empty if it has one, ``None`` if unknown.
        extras: Extras of the framework that should be in the environment, too; the verdict does not depend on them.

    Returns:
        The verdict; a failure too is a verdict, and nothing is raised for it.
    """
    started = time.monotonic()
    examination = Examination(framework, extras, expect_gpu=expect_gpu, prefix=prefix, reporter=reporter)
    kernel: TrialKernel | None = None
    outcome, sentence = VerificationOutcome.FAILED, ""
    try:
        async with trial_kernel(
            kernel_name, kernel_dirs=[kernel_dir], deadline=started + timeout, variables={TRIAL: "1"}
        ) as kernel:
            await examination.run(kernel, started + timeout)
    except NoSuchKernel:
        sentence = f"The kernel cannot be started: {kernel_name!r} or its provisioner is not installed."
    except OSError as error:
        sentence = f"The kernel cannot be started: {one_line(str(error))}."
    except KernelSilentError:
        sentence = f"The kernel did not answer within {timeout:g} seconds; it hung while {examination.doing}."
    except (StrangeAnswerError, KernelReplacedError) as error:
        if isinstance(error, KernelReplacedError) and error.code in NO_GPU:
            # Nothing is known of the environment, and nothing is wrong with it.
            outcome = VerificationOutcome.GPU_NOT_SEEN
        sentence = f"The environment's kernel did not start: {one_line(str(error))}."
    except KernelDiedError as error:
        sentence = f"The kernel {error.manner} while {examination.doing}."
        last = error.output.strip().splitlines()[-1:]
        if kernel is None and last:
            sentence = f"The kernel {error.manner} when it was started: {one_line(last[0])}."
        examination.log(error.output)
    else:
        examination.output = kernel.output.text()
        examination.log(examination.output)
        outcome, sentence = examination.verdict(hardware_reason)
    reporter.log(sentence)
    evidence = examination.evidence(hardware_reason)
    return Verification(
        outcome=outcome,
        sentence=sentence,
        framework_version=evidence.version or None,
        built_with_cuda=evidence.built_with_cuda or None,
        devices=evidence.devices,
        computation=evidence.computation or None,
        libraries=evidence.libraries,
        extras=examination.checks,
        seconds=round(time.monotonic() - started, 3),
        checked=now(),
    )
