"""From what a kernel said to a verdict in plain words; nothing is run here."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from ...models import LibraryOrigin, MappedLibrary, VerificationOutcome

#: Answers of ``cuInit``, by number; the names are those of ``CUresult`` in NVIDIA's ``cuda.h``.
DRIVER_ANSWERS = {
    2: "the GPU has no memory left",  # CUDA_ERROR_OUT_OF_MEMORY
    34: "a stub library stands in for the NVIDIA driver (a CUDA toolkit's stubs directory is on LD_LIBRARY_PATH)",
    35: "the NVIDIA driver is too old for this build",  # CUDA_ERROR_INSUFFICIENT_DRIVER
    46: "the GPU is busy or reserved for somebody else",  # CUDA_ERROR_DEVICE_UNAVAILABLE
    100: "the NVIDIA driver finds no GPU in this machine",  # CUDA_ERROR_NO_DEVICE
    101: "CUDA_VISIBLE_DEVICES names a GPU that this machine does not have",  # CUDA_ERROR_INVALID_DEVICE
    803: "the NVIDIA driver was updated and its kernel module is still the old one; restart the machine",
    804: "the CUDA compatibility package is not supported on this GPU",  # CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
}

#: What frameworks and libraries print, and what it means; the first that is found counts.
PHRASES = (
    (r"driver version is insufficient|INSUFFICIENT_DRIVER|driver on your system is too old", DRIVER_ANSWERS[35]),
    (r"no kernel image is available|is not compatible with the current PyTorch|not compiled for (?:this|your) GPU",
     "this build has no machine code for a GPU of this generation"),
    (r"\b(?:CUDA_ERROR_OUT_OF_MEMORY|out of memory|cudaErrorMemoryAllocation)\b", DRIVER_ANSWERS[2]),
    (r"busy or unavailable|DEVICE_UNAVAILABLE|DevicesUnavailable", DRIVER_ANSWERS[46]),
    (r"cuDNN version incompatib|undefined symbol|version .{1,40} not found",
     "CUDA libraries of different versions are mixed"),
    (r"Cannot dlopen|Could not load dynamic library|cannot open shared object file|Could not load library",
     "its CUDA libraries could not be loaded"),
)  # fmt: skip

LIBRARY_NAME = re.compile(r"lib(?:cu|nv|nccl)[\w.-]*\.so[.\d]*")

#: A GPU build that cannot even be imported on a machine without driver (a login node) says so with one of these.
DRIVER_LIBRARY = re.compile(r"libcuda\.so|libnvidia-ml\.so|nvcuda\.dll")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a kernel's GPU.

    Attributes:
        title: What people call the framework.
        version: The framework's version, empty if unknown.
        expect_gpu: Whether the environment was built for a GPU.
        built_known: Whether the framework told what it was built with.
        built_with_cuda: The CUDA version it was built with, empty for a CPU build.
        devices: The accelerators that it sees.
        computation: What it computed, empty if it did not.
        problem: Why it sees no GPU, in its own words.
        error: Last line of the exception that ended the verification, empty if none did.
        output: The end of what was printed.
        libraries: The CUDA libraries in use.
        visible_devices: ``CUDA_VISIBLE_DEVICES`` in the kernel.
        driver_found: Whether the driver's library can be loaded in the kernel.
        driver_status: What its ``cuInit`` answers there.
        driver_version: The CUDA version that it supports, as 1000 * major + 10 * minor.
        hardware_reason: Why this machine has no usable GPU, empty if it has one, ``None`` if nobody looked.
    """

    title: str
    version: str = ""
    expect_gpu: bool
    built_known: bool = False
    built_with_cuda: str = ""
    devices: tuple[str, ...] = ()
    computation: str = ""
    problem: str = ""
    error: str = ""
    output: str = ""
    libraries: tuple[MappedLibrary, ...] = ()
    visible_devices: str | None = None
    driver_found: bool | None = None
    driver_status: int | None = None
    driver_version: int | None = None
    hardware_reason: str | None = None

    @property
    def name(self) -> str:
        """Framework and version."""
        return f"{self.title} {self.version}".strip()


def judge(evidence: Evidence) -> tuple[VerificationOutcome, str]:
    """Give the verdict on a framework that was imported.

    Returns:
        The outcome, and one or two sentences that say it.
    """
    name = evidence.name
    if evidence.expect_gpu and not evidence.devices:
        sentence = f"{name} is installed, but it sees no GPU: {missing_gpu(evidence)}."
        return VerificationOutcome.GPU_NOT_SEEN, sentence
    if evidence.error and evidence.expect_gpu:
        why = next(_from_words(evidence), one_line(evidence.error))
        sentence = f"{name} sees {evidence.devices[0]}, but could not compute on it: {why}."
        return VerificationOutcome.GPU_NOT_SEEN, sentence
    if evidence.error:
        return VerificationOutcome.FAILED, f"{name} is imported, but does not compute: {one_line(evidence.error)}."
    if not evidence.devices:
        return VerificationOutcome.VERIFIED, f"{name} works, on the CPU."
    cuda = f" with CUDA {evidence.built_with_cuda}" if evidence.built_with_cuda else ""
    sentence = f"{name} computes on {', '.join(dict.fromkeys(evidence.devices))}{cuda}."
    return VerificationOutcome.VERIFIED, f"{sentence} {_foreign_remark(evidence)}".rstrip()


def needs_driver(evidence: Evidence) -> bool:
    """Whether a GPU build could not be imported only because this machine has no driver."""
    return evidence.expect_gpu and evidence.driver_found is False and bool(DRIVER_LIBRARY.search(evidence.error))


def missing_gpu(evidence: Evidence) -> str:
    """The best reason for a GPU that is not seen, to be put after a colon.

    What makes it impossible comes first, then what the driver answers, then what was printed, then mere signs.
    """
    return next(_reasons(evidence), "neither the framework nor the driver says why")


def _reasons(evidence: Evidence) -> Iterator[str]:
    """All reasons, the most certain one first."""
    if evidence.built_known and not evidence.built_with_cuda:
        driver = " (and this machine has no NVIDIA driver)" if evidence.driver_found is False else ""
        yield f"it is a CPU build{driver}"
    if evidence.visible_devices is not None and evidence.visible_devices.strip() in ("", "-1", "NoDevFiles"):
        yield f"CUDA_VISIBLE_DEVICES is {evidence.visible_devices!r}, which hides every GPU"
    if evidence.driver_found is False:
        if evidence.hardware_reason == "":
            yield "the driver's library libcuda.so.1 is not found in the kernel, although this machine has a driver"
        yield _went_on(one_line(evidence.hardware_reason or "this machine has no NVIDIA driver"))
    if evidence.driver_status:
        unknown = f"the NVIDIA driver does not start (cuInit answers {evidence.driver_status})"
        yield DRIVER_ANSWERS.get(evidence.driver_status, unknown)
    if evidence.driver_version and evidence.built_with_cuda:
        built = evidence.built_with_cuda.split(".")[0]
        if built.isdigit() and evidence.driver_version // 1000 < int(built):
            highest = f"{evidence.driver_version // 1000}.{evidence.driver_version % 1000 // 10}"
            yield f"the driver supports CUDA up to {highest}, and it was built with CUDA {evidence.built_with_cuda}"
    yield from _from_words(evidence)
    if _foreign(evidence):
        library = _foreign(evidence)[0]
        yield f"it uses {library.path}, which is not the environment's own {library.soname}"
    for text in (evidence.problem, evidence.error):
        if text:
            yield one_line(text)
    if evidence.hardware_reason:
        yield _went_on(one_line(evidence.hardware_reason))


def _from_words(evidence: Evidence) -> Iterator[str]:
    """Reasons in what the framework and its libraries have said."""
    text = "\n".join((evidence.problem, evidence.error, evidence.output))
    for pattern, reason in PHRASES:
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            start = text.rfind("\n", 0, found.start()) + 1
            end = text.find("\n", found.end())
            named = LIBRARY_NAME.search(text[start : end if end >= 0 else None])
            foreign = next((library.path for library in _foreign(evidence)), "")
            about = ", ".join(part for part in (named.group() if named else "", foreign and f"see {foreign}") if part)
            yield f"{reason} ({about})" if about and "librar" in reason else reason


def _foreign(evidence: Evidence) -> tuple[MappedLibrary, ...]:
    return tuple(library for library in evidence.libraries if library.origin is LibraryOrigin.FOREIGN)


def _foreign_remark(evidence: Evidence) -> str:
    """A second sentence when not all libraries are the environment's own."""
    foreign = _foreign(evidence)
    if not foreign:
        return ""
    if len(foreign) == 1:
        return f"Careful: {foreign[0].path} is not the environment's own."
    return f"Careful: {foreign[0].path} and {len(foreign) - 1} more are not the environment's own."


def _went_on(sentence: str) -> str:
    """A sentence as it goes on after a colon; names in capitals stay as they are."""
    return f"{sentence[:1].lower()}{sentence[1:]}" if sentence[1:2] in (" ", sentence[1:2].lower()) else sentence


def one_line(text: str, limit: int = 300) -> str:
    """A text on one line, without a full stop, and not too long."""
    line = " ".join(text.split())
    return line[:limit] + "…" if len(line) > limit else line.rstrip(".")
