"""Models of JSON: in many threads at once, and from those who misspell."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_gpu_kernels.errors import InvalidInputError
from jupyter_gpu_kernels.models import EnvironmentChange, Hardware, Placement, from_json

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


def test_a_strict_reader_refuses_unknown_fields_wherever_they_stand() -> None:
    for data, named in (
        ({"polcy": "all", "x": 1}, "fields: polcy, x."),
        ({"placement": {"polcy": "all"}}, "field: placement.polcy."),
        ({"placement": {"policy": "all"}, "memroy": "grow"}, "field: memroy."),
        # What is wrong besides is told next.
        ({"placement": 5, "memroy": "grow"}, "field: memroy."),
    ):
        with pytest.raises(InvalidInputError) as caught:
            from_json(EnvironmentChange, data, strict=True)
        assert caught.value.message == f"Unknown {named}"
    assert from_json(EnvironmentChange, {"placement": {"polcy": "all"}}).placement == Placement()
    assert from_json(EnvironmentChange, {"placement": {"policy": "all"}}, strict=True).placement is not None
    listed = {"gpus": [{"index": 0, "uuid": "", "name": "", "memory_total": 0, "compute_capability": "9.0", "mgi": 1}]}
    with pytest.raises(InvalidInputError, match=r"Unknown field: gpus\.mgi\."):
        from_json(Hardware, {"driver": None, "cuda": None, **listed}, strict=True)
    with pytest.raises(InvalidInputError, match="does not describe an EnvironmentChange"):
        from_json(EnvironmentChange, [], strict=True)
