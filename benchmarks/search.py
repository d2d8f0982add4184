"""Searching a channel of conda-forge's size: the first letter ever, the first in a new process, and all others."""

from __future__ import annotations

import asyncio
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path

import msgspec

from .material import STORE, workplace
from .measure import Sample, milliseconds, show, verdict

#: Names on conda-forge, for linux-64 and for all platforms: 33,000 in the autumn of 2025.
NATIVE, NOARCH = 13_000, 20_000
#: Records of the package whose versions are asked for: those of a package with many releases and variants.
RECORDS = 600
PACKAGE = "popular"
TYPED = ("pytorch", "scikit-learn", "num", "cuda-toolkit", PACKAGE, "zzz")
ROUNDS = 5
GOAL = 0.3

_SYLLABLES = ("py", "tor", "ch", "num", "sci", "kit", "lear", "n", "cu", "da", "flow", "data", "net", "gen", "lib", "r")


def main() -> None:
    """Print how long the answers take."""
    from channel import serve

    with workplace() as place, serve(_channel(), name="forge") as server:
        cold, cold_versions, warm, warm_versions, fresh = [], [], [], [], []
        for number in range(ROUNDS):
            cache = place.root / f"names-{number}"
            first, versions, letters, again = asyncio.run(_session(server.url, cache))
            cold.append(first)
            cold_versions.append(versions)
            warm += letters
            warm_versions.append(again)
            fresh.append(_new_process(server.url, cache))
        samples = [
            Sample("first letter ever (fetched)", tuple(cold)),
            Sample("first letter, new process", tuple(fresh)),
            Sample("any other letter", tuple(warm)),
            Sample("versions, first (fetched)", tuple(cold_versions)),
            Sample("versions, again", tuple(warm_versions)),
        ]
    others, new = verdict(samples[2].longest, GOAL), verdict(samples[1].longest, 1.0)
    note = f"{NATIVE + NOARCH} names. Goals: other letters below {milliseconds(GOAL)} ({others}), new processes, with "
    note += f"all imports, below {milliseconds(1.0)} ({new})."
    show("search", samples, note=note)


async def _session(url: str, cache: Path) -> tuple[float, float, list[float], float]:
    """Type with a cold cache: the first answer, a package's versions, every other letter, the versions again."""
    from manager import make_manager

    manager = make_manager(url, cache)
    search = manager.search
    try:
        first = await _timed(search.names("p"))
        versions = await _timed(search.package(PACKAGE))
        letters = [await _timed(search.names(word[:end])) for word in TYPED for end in range(1, len(word) + 1)]
        return first, versions, letters, await _timed(search.package(PACKAGE))
    finally:
        await manager.close()


async def _timed(question: Awaitable[object]) -> float:
    start = time.perf_counter()
    await question
    return time.perf_counter() - start


def _new_process(url: str, cache: Path) -> float:
    """Seconds until a new process that has imported nothing of ours has its first answer."""
    command = [sys.executable, "-m", "benchmarks.search", url, str(cache)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _channel() -> Path:
    """A channel of that size, of which only the indexes are there, and one package; made once."""
    directory = STORE / f"forge-{NATIVE}-{NOARCH}-{RECORDS}"
    if directory.exists():
        return directory
    STORE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE) as made:
        place = Path(made) / "forge"
        names = iter(_names(NATIVE + NOARCH))
        for subdir, count in (("linux-64", NATIVE), ("noarch", NOARCH)):
            folder = place / subdir / "shards"
            folder.mkdir(parents=True)
            shards = {
                name: hashlib.sha256(name.encode()).digest() for name, _ in zip(names, range(count), strict=False)
            }
            shard = _frame(msgspec.msgpack.encode(_shard(subdir)))
            shards[PACKAGE] = hashlib.sha256(shard).digest()
            (folder / f"{shards[PACKAGE].hex()}.msgpack.zst").write_bytes(shard)
            info = {
                "subdir": subdir,
                "base_url": "",
                "shards_base_url": "./shards/",
                "created_at": "2025-10-01T00:00:00Z",
            }
            index = msgspec.msgpack.encode({"version": 1, "info": info, "shards": shards})
            (place / subdir / "repodata_shards.msgpack.zst").write_bytes(_frame(index))
        place.rename(directory)
    return directory


def _names(count: int) -> Iterator[str]:
    """Names such as people give, all different; the same in every run."""
    dice = random.Random(0)
    seen: set[str] = set()
    while len(seen) < count:
        words = ("".join(dice.choices(_SYLLABLES, k=dice.randint(1, 3))) for _ in range(dice.choice((1, 1, 2, 2, 3))))
        name = "-".join(words) + dice.choice(("", "", "", "2", "-dev"))
        if name not in seen:
            seen.add(name)
            yield name


def _shard(subdir: str) -> dict[str, object]:
    """The records of the one package; half of them for each platform."""
    records = {}
    for number in range(RECORDS // 2):
        version, build = f"{number // 60}.{number // 6 % 10}.0", f"h{number:06x}_{number % 6}"
        records[f"{PACKAGE}-{version}-{build}.conda"] = {
            "name": PACKAGE,
            "version": version,
            "build": build,
            "build_number": number % 6,
            "subdir": subdir,
            "depends": [f"python >=3.{minor}" for minor in range(9, 14)],
            "size": 1000,
            "sha256": hashlib.sha256(build.encode()).digest(),
        }
    return {"packages": {}, "packages.conda": records, "removed": []}


def _frame(data: bytes) -> bytes:
    """A zstandard frame of blocks as they are: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1."""
    size, blocks = 1 << 17, []
    for start in range(0, max(1, len(data)), size):
        block = data[start : start + size]
        blocks.append((len(block) << 3 | (start + size >= len(data))).to_bytes(3, "little") + block)
    # The size of the content in eight bytes, no checksum, no dictionary.
    return b"\x28\xb5\x2f\xfd\xe0" + len(data).to_bytes(8, "little") + b"".join(blocks)


def _answer_once(url: str, cache: str) -> None:
    """Be the new process."""
    start = time.perf_counter()
    from jupyter_gpu_kernels.serve.manager import GpuKernelsManager

    async def ask() -> None:
        manager = GpuKernelsManager(channels=[url], cache_dir=cache)
        assert await manager.search.names("p")
        await manager.close()

    asyncio.run(ask())
    sys.stdout.write(f"{time.perf_counter() - start}\n")


if __name__ == "__main__":
    _answer_once(*sys.argv[1:])
