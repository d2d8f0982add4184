"""NVIDIA's rules: which driver runs which CUDA, and which CUDA knows which GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import Version

#: Major version of CUDA to the oldest driver branch that runs all of its minor versions:
#: https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html, and for CUDA 10 and before
#: https://docs.nvidia.com/cuda/archive/10.2/cuda-toolkit-release-notes/
MINIMUM_DRIVERS = {13: "580", 12: "525", 11: "450", 10: "410", 9: "384", 8: "367"}

#: The CUDA of the oldest driver of the newest branch, which is assumed where nothing is known of a driver.
NEWEST = f"{max(MINIMUM_DRIVERS)}.0"

#: Major compute capability to the first driver branch that knows such GPUs, where that is newer than what their first
#: CUDA needs: the one that came with it, as https://docs.nvidia.com/cuda/archive/12.8.0/cuda-toolkit-release-notes and
#: those of 11.8.0 and 13.0.0 list.
_KNOWING_DRIVERS = {9: "520", 10: "570", 11: "580", 12: "570"}

#: Major compute capability to the first CUDA that compiles for it. Code for x.0 runs on every x.y:
#: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#binary-compatibility
_FIRST = {6: "8.0", 7: "9.0", 8: "11.0", 9: "11.8", 10: "12.8", 11: "13.0", 12: "12.8"}

#: Compute capabilities below this one, and the last major version of CUDA that compiles for them:
#: https://docs.nvidia.com/cuda/archive/13.0.0/cuda-toolkit-release-notes/#deprecated-architectures
_LAST = (("5.0", 11), ("7.5", 12))

#: Every version of CUDA that a recipe's range may mean; minor versions to come are counted in.
KNOWN = tuple(
    Version(f"{major}.{minor}")
    for major, last in ((8, 0), (9, 2), (10, 2), (11, 8), (12, 9), (13, 9), (14, 9))
    for minor in range(last + 1)
)


#: The compute capability of Turing. Libraries have dropped what is older while CUDA 12 still compiles for it.
TURING = Version("7.5")


def before_turing(capabilities: Sequence[str]) -> bool:
    """Whether one of some GPUs is older than Turing."""
    return any(Version(item) < TURING for item in capabilities)


def major(version: str) -> int:
    """Major version: ``13`` of ``"13.0"``."""
    return int(version.partition(".")[0])


def driver_runs(driver_cuda: str, toolkit: str) -> bool:
    """Whether a driver runs programs of a toolkit: any with the same major version or a lower one."""
    return major(toolkit) <= major(driver_cuda)


def minimum_driver(toolkit: str, capabilities: Sequence[str] = ()) -> str:
    """The oldest driver that runs a toolkit on some GPUs, e.g. ``"525"``; the newest known for a toolkit to come."""
    of_toolkit = MINIMUM_DRIVERS.get(major(toolkit), MINIMUM_DRIVERS[max(MINIMUM_DRIVERS)])
    return max([of_toolkit, *(_KNOWING_DRIVERS.get(major(item), "0") for item in capabilities)], key=int)


def first_cuda(capability: str) -> Version:
    """The first CUDA that knows a GPU."""
    return Version(_FIRST.get(major(capability), "0"))


def last_cuda(capability: str) -> int | None:
    """The last major version of CUDA that knows a GPU; ``None`` while there is no end to it."""
    for below, last in _LAST:
        if Version(capability) < Version(below):
            return last
    return None


def builds(capabilities: Sequence[str], driver_cuda: str) -> Iterator[str]:
    """What conda-forge's build strings hold where a build knows some GPUs and a driver runs it, the newest first."""
    first = max(map(first_cuda, capabilities))
    last = min([major(driver_cuda), *(end for item in capabilities if (end := last_cuda(item)))])
    yield from (f"cuda{number}" for number in range(last, first.major, -1))
    for version in reversed(KNOWN):
        if version.major == first.major <= last and version >= first:
            yield f"cuda{version.major}{version.minor}"


def lasts() -> list[str]:
    """The last version of CUDA with each major version that a driver is known for, oldest first."""
    return [str(max(version for version in KNOWN if version.major == number)) for number in sorted(MINIMUM_DRIVERS)]


def within(cuda_range: str) -> list[Version]:
    """The versions of CUDA in a range, oldest first."""
    specifier = SpecifierSet(cuda_range)
    return [version for version in KNOWN if version in specifier]


def fits(version: Version, capabilities: Sequence[str]) -> bool:
    """Whether a CUDA knows all of some GPUs; none at all are known by any."""
    return all(
        first_cuda(item) <= version and version.major <= (last_cuda(item) or version.major) for item in capabilities
    )
