from __future__ import annotations

import ast
import asyncio
import shutil
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE
from staging import Listener, contents, stage_command, stage_kernel, written

from jupyter_gpu_kernels.build.verification import probe, verdict
from jupyter_gpu_kernels.build.verification.verdict import Evidence, judge
from jupyter_gpu_kernels.build.verification.verification import verify
from jupyter_gpu_kernels.models import (
    Framework,
    LibraryOrigin,
    MappedLibrary,
    Verification,
    VerificationOutcome,
)

PREFIX = Path(sys.prefix)

WARPDRIVE = """
    __version__ = "1.2"
    cuda = None
    devices = []
    def product():
        return 42.0
"""

VERIFICATION = """
import warpdrive
report["framework_version"] = warpdrive.__version__
report["built_with_cuda"] = warpdrive.cuda
report["devices"] = warpdrive.devices
report["computation"] = "product %g" % warpdrive.product()
"""


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made."""
    path = tmp_path / "private"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def framework(verification: str = VERIFICATION) -> Framework:
    return Framework(
        id="warpdrive", title="Warpdrive", summary="", import_name="warpdrive", verification=verification, recipes=()
    )


async def verified(kernels: Path, *, listener: Listener | None = None, **changes: Any) -> Verification:
    asked: dict[str, Any] = {"framework": framework(), "expect_gpu": False, "prefix": PREFIX, "timeout": 60}
    return await verify(
        kernel_dir=kernels, kernel_name="trial", reporter=listener or Listener(), **{**asked, **changes}
    )


def processes_of(pid_file: Path) -> list[psutil.Process]:
    """The living processes whose ids a kernel wrote down."""
    found = []
    for pid in pid_file.read_text().split():
        if psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE:
            found.append(psutil.Process(int(pid)))
    return found


HANG = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open({path!r}, "w") as stream:
        stream.write("%d %d\\n" % (os.getpid(), child.pid))
    time.sleep(600)
"""


async def test_a_framework_that_computes_is_verified(tmp_path: Path, private: Path) -> None:
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": WARPDRIVE}))
    assert found.outcome is VerificationOutcome.VERIFIED
    assert found.sentence == "Warpdrive 1.2 works, on the CPU."
    assert (found.framework_version, found.built_with_cuda, found.devices) == ("1.2", None, ())
    assert found.computation == "product 42"
    assert 0 < found.seconds < 60
    assert found.checked
    assert contents(private) == []


async def test_a_gpu_that_is_seen_is_named(tmp_path: Path) -> None:
    source = WARPDRIVE.replace("None", "'13.0'").replace("[]", "['Warp Core 9']")
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}), expect_gpu=True)
    assert found.outcome is VerificationOutcome.VERIFIED
    assert found.sentence == "Warpdrive 1.2 computes on Warp Core 9 with CUDA 13.0."


async def test_an_expected_gpu_that_is_not_seen_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    source = WARPDRIVE.replace("None", "'13.0'")
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}), expect_gpu=True)
    assert found.outcome is VerificationOutcome.GPU_NOT_SEEN
    assert found.sentence == (
        "Warpdrive 1.2 is installed, but it sees no GPU: CUDA_VISIBLE_DEVICES is '', which hides every GPU."
    )
    assert found.computation == "product 42"


async def test_what_does_not_import_fails_with_its_last_line(tmp_path: Path) -> None:
    listener = Listener()
    source = """
        import sys
        print("looking for dilithium", file=sys.stderr)
        raise ImportError("libdilithium.so.2: cannot open shared object file")
    """
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}), listener=listener)
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == (
        "Warpdrive does not import: ImportError: libdilithium.so.2: cannot open shared object file."
    )
    assert "looking for dilithium" in listener.lines
    assert any("Traceback" in line for line in listener.lines)


async def test_a_framework_that_imports_but_does_not_compute_fails(tmp_path: Path) -> None:
    source = WARPDRIVE.replace("return 42.0", "raise RuntimeError('no plasma')")
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}))
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == "Warpdrive 1.2 is imported, but does not compute: RuntimeError: no plasma."


@pytest.mark.parametrize("last_words", ["import os; os._exit(3)", "import sys; sys.exit(3)"])
async def test_a_framework_that_ends_the_process_fails(tmp_path: Path, last_words: str) -> None:
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": last_words}))
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence in (
        "The kernel ended with exit status 3 while it imported warpdrive.",
        "Warpdrive does not import: SystemExit: 3.",
    )


async def test_a_crash_does_not_take_back_what_was_reported(tmp_path: Path) -> None:
    source = WARPDRIVE.replace("return 42.0", "import ctypes; ctypes.string_at(0)")
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}))
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == "The kernel crashed (SIGSEGV) while Warpdrive computed."
    assert found.framework_version == "1.2"


async def test_a_kernel_that_hangs_is_given_up_and_leaves_nothing(tmp_path: Path, private: Path) -> None:
    pids = tmp_path / "pids"
    kernels = stage_kernel(tmp_path, modules={"warpdrive": HANG.format(path=str(pids))})
    found = await verified(kernels, timeout=8)
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == "The kernel did not answer within 8 seconds; it hung while it imported warpdrive."
    assert processes_of(pids) == []
    assert contents(private) == []


async def test_a_cancelled_verification_leaves_nothing(tmp_path: Path, private: Path) -> None:
    pids = tmp_path / "pids"
    kernels = stage_kernel(tmp_path, modules={"warpdrive": HANG.format(path=str(pids))})
    task = asyncio.ensure_future(verified(kernels))
    await asyncio.wait_for(written(pids), PATIENCE)
    assert len(processes_of(pids)) == 2
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_of(pids) == []
    assert contents(private) == []


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1, 0.25])
async def test_a_verification_may_be_cancelled_at_any_moment(tmp_path: Path, private: Path, moment: float) -> None:
    # That no process is left is checked after every test. The verification does not end before, however fast.
    source = "import time; time.sleep(600)"
    task = asyncio.ensure_future(verified(stage_kernel(tmp_path, modules={"warpdrive": source})))
    await asyncio.sleep(moment)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert contents(private) == []


async def test_a_kernel_that_dies_at_its_start_is_quoted(tmp_path: Path) -> None:
    kernels = stage_command(tmp_path, [sys.executable, "-c", "raise SystemExit('no dilithium aboard')"])
    found = await verified(kernels)
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == "The kernel ended with exit status 1 when it was started: no dilithium aboard."


async def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path, private: Path) -> None:
    found = await verified(stage_command(tmp_path, [str(tmp_path / "python"), "{connection_file}"]))
    assert found.outcome is VerificationOutcome.FAILED
    assert "cannot be started" in found.sentence
    assert str(tmp_path / "python") in found.sentence
    assert contents(private) == []


async def test_the_explaining_kernel_is_not_taken_for_the_environments(tmp_path: Path) -> None:
    # The real provisioner, by its entry point: it finds no environment around that interpreter.
    kernels = stage_command(
        tmp_path,
        [str(tmp_path / "gone" / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        metadata={"kernel_provisioner": {"provisioner_name": "gpu-kernels-provisioner", "config": {}}},
    )
    found = await verified(kernels, prefix=tmp_path / "gone")
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence.startswith("The environment's kernel did not start: ")
    assert str(tmp_path / "gone") in found.sentence


async def test_another_pythons_kernel_is_not_taken_for_the_environments(tmp_path: Path) -> None:
    kernels = stage_kernel(tmp_path, modules={"warpdrive": WARPDRIVE})
    found = await verified(kernels, prefix=tmp_path)
    assert found.outcome is VerificationOutcome.FAILED
    assert found.sentence == (
        f"The environment's kernel did not start: the kernel runs the Python of {sys.prefix}, not the environment's."
    )


async def test_a_kernel_that_prints_without_end_costs_no_memory(tmp_path: Path) -> None:
    source = WARPDRIVE + (
        """
    import os, sys
    for _ in range(3000):
        os.write(1, b"x" * 99_999 + b"\\n")
    print("y" * 50_000_000)
    sys.stderr.write("the last line\\n")
    """
    )
    before = psutil.Process().memory_info().rss
    listener = Listener()
    found = await verified(stage_kernel(tmp_path, modules={"warpdrive": source}), listener=listener)
    assert found.outcome is VerificationOutcome.VERIFIED
    assert psutil.Process().memory_info().rss - before < 30_000_000
    assert "the last line" in listener.lines
    assert sum(map(len, listener.lines)) < 40_000


def some_library() -> Path:
    """A shared library that any process can load."""
    return min(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a memory map to read")
async def test_mapped_cuda_libraries_are_the_environments_or_not(tmp_path: Path) -> None:
    prefix = tmp_path / "environment"
    venv.create(prefix, symlinks=True)
    own, foreign = prefix / "lib" / "libcudart.so.12", tmp_path / "foreign" / "libcublas.so.12"
    foreign.parent.mkdir()
    for path in (own, foreign):
        shutil.copy(some_library(), path)
    source = WARPDRIVE.replace("None", "'12.9'").replace("[]", "['Warp Core 9']") + (
        f"""
    import ctypes
    handles = [ctypes.CDLL(path) for path in ({str(own)!r}, {str(foreign)!r})]
    """
    )
    kernels = stage_kernel(tmp_path, python=prefix / "bin" / "python", modules={"warpdrive": source})
    found = await verified(kernels, prefix=prefix, expect_gpu=True)
    assert found.outcome is VerificationOutcome.VERIFIED
    assert set(found.libraries) == {
        MappedLibrary(soname="libcudart.so.12", path=str(own), origin=LibraryOrigin.ENVIRONMENT),
        MappedLibrary(soname="libcublas.so.12", path=str(foreign), origin=LibraryOrigin.FOREIGN),
    }
    assert found.sentence.endswith(f"Careful: {foreign} is not the environment's own.")


FOREIGN_LIBRARY = MappedLibrary(soname="libcudnn.so.9", path="/decoy/libcudnn.so.9", origin=LibraryOrigin.FOREIGN)
HEALTHY = {"built_known": True, "built_with_cuda": "13.0", "driver_found": True, "driver_status": 0}


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"built_known": True}, "it is a CPU build"),
        ({"built_known": True, "driver_found": False}, "it is a CPU build (and this machine has no NVIDIA driver)"),
        ({**HEALTHY, "visible_devices": "-1"}, "CUDA_VISIBLE_DEVICES is '-1', which hides every GPU"),
        ({**HEALTHY, "driver_found": False}, "this machine has no NVIDIA driver"),
        ({**HEALTHY, "driver_found": False, "hardware_reason": "No driver is loaded."}, "no driver is loaded"),
        (
            {**HEALTHY, "driver_found": False, "hardware_reason": ""},
            "the driver's library libcuda.so.1 is not found in the kernel, although this machine has a driver",
        ),
        ({**HEALTHY, "driver_status": 100}, "the NVIDIA driver finds no GPU in this machine"),
        ({**HEALTHY, "driver_status": 34}, verdict.DRIVER_ANSWERS[34]),
        ({**HEALTHY, "driver_status": 4711}, "the NVIDIA driver does not start (cuInit answers 4711)"),
        (
            {**HEALTHY, "driver_version": 12040},
            "the driver supports CUDA up to 12.4, and it was built with CUDA 13.0",
        ),
        (
            {**HEALTHY, "problem": "CUDA driver version is insufficient for CUDA runtime version"},
            "the NVIDIA driver is too old for this build",
        ),
        (
            {**HEALTHY, "output": "W0000 Could not load dynamic library 'libcudnn.so.8'; dlerror: …\nmore"},
            "its CUDA libraries could not be loaded (libcudnn.so.8)",
        ),
        (
            {**HEALTHY, "output": "Cannot dlopen some GPU libraries.", "libraries": (FOREIGN_LIBRARY,)},
            "its CUDA libraries could not be loaded (see /decoy/libcudnn.so.9)",
        ),
        (
            {**HEALTHY, "libraries": (FOREIGN_LIBRARY,)},
            "it uses /decoy/libcudnn.so.9, which is not the environment's own libcudnn.so.9",
        ),
        ({**HEALTHY, "hardware_reason": "A GPU is lost."}, "a GPU is lost"),
        ({**HEALTHY, "hardware_reason": "GPUs are hidden."}, "GPUs are hidden"),
        ({**HEALTHY, "problem": "Unable to\n initialize."}, "Unable to initialize"),
        (HEALTHY, "neither the framework nor the driver says why"),
    ],
)
def test_the_best_reason_for_a_missing_gpu_is_given(known: dict[str, Any], reason: str) -> None:
    evidence = Evidence(title="Warpdrive", version="1.2", expect_gpu=True, **known)
    assert judge(evidence) == (
        VerificationOutcome.GPU_NOT_SEEN,
        f"Warpdrive 1.2 is installed, but it sees no GPU: {reason}.",
    )


def test_a_gpu_that_cannot_compute_is_not_taken_for_a_working_one() -> None:
    error = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
    evidence = Evidence(title="Warpdrive", expect_gpu=True, devices=("Warp Core 9",), error=error)
    assert judge(evidence) == (
        VerificationOutcome.GPU_NOT_SEEN,
        "Warpdrive sees Warp Core 9, but could not compute on it: "
        "this build has no machine code for a GPU of this generation.",
    )


async def test_a_gpu_build_that_needs_a_driver_to_be_imported_is_kept(tmp_path: Path) -> None:
    source = "raise ImportError('libcuda.so.1: cannot open shared object file: No such file or directory')"
    kernels = stage_kernel(tmp_path, modules={"warpdrive": source})
    found = await verified(kernels, expect_gpu=True)
    if found.outcome is VerificationOutcome.FAILED:
        pytest.skip("this machine has a driver")
    assert found.sentence == (
        "Warpdrive cannot be tried here: it needs the NVIDIA driver, which this machine does not have."
    )


def test_the_probe_is_written_for_old_pythons() -> None:
    ast.parse(Path(probe.__file__).read_text(), feature_version=(3, 6))
