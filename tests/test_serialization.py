"""Models of JSON, in many threads at once."""

from __future__ import annotations

import subprocess
import sys

#: Classes that no thread has met, met by four at a time; a crash must not take the other tests along.
MEETING = """
import dataclasses, sys, threading
from jupyter_gpu_kernels.models import from_json

sys.setswitchinterval(1e-6)
for _ in range(100):
    inner = dataclasses.make_dataclass("Inner", [(f"field_{number}", int, 0) for number in range(20)])
    outer = dataclasses.make_dataclass("Outer", [(f"field_{number}", inner | None, None) for number in range(20)])
    start = threading.Barrier(4)

    def meet():
        start.wait()
        from_json(outer, {"field_19": {"field_19": 1}})

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_meet_a_model_at_the_same_time() -> None:
    done = subprocess.run([sys.executable, "-c", MEETING], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
