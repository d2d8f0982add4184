"""CUDA's reading of its mask, case by case."""

from __future__ import annotations

import pytest

from jupyter_gpu_kernels.hardware.visible import Device, visible_devices
from jupyter_gpu_kernels.models import Gpu, MigInstance

GIB = 1024**3

A = Gpu(index=0, uuid="GPU-aaaa0000-1", name="H100", memory_total=80 * GIB, compute_capability="9.0")
B = Gpu(index=1, uuid="GPU-aabb0000-2", name="H100", memory_total=80 * GIB, compute_capability="9.0")
C = Gpu(index=2, uuid="GPU-cccc0000-3", name="H100", memory_total=80 * GIB, compute_capability="9.0")
ALIKE = (A, B, C)

SPLIT = Gpu(
    index=3,
    uuid="GPU-dddd0000-4",
    name="A100",
    memory_total=40 * GIB,
    compute_capability="9.0",
    mig=True,
    instances=(
        MigInstance(uuid="MIG-1111-a", profile="3g.20gb", memory_total=20 * GIB),
        MigInstance(uuid="MIG-1122-b", profile="1g.5gb", memory_total=5 * GIB),
    ),
)


def seen(mask: str | None, *gpus: Gpu, order: str | None = None) -> list[str]:
    environ = {"CUDA_VISIBLE_DEVICES": mask, "CUDA_DEVICE_ORDER": order}
    found = visible_devices(gpus or ALIKE, {name: value for name, value in environ.items() if value is not None})
    assert bool(found.devices) != bool(found.reason)
    assert found.mask == mask
    return [device.uuid for device in found.devices]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, [A, B, C]),
        ("0", [A]),
        ("2,1", [C, B]),
        ("0,2,-1,1", [A, C]),
        ("-1", []),
        ("-1,0", []),
        ("3", []),
        ("1,3,0", [B]),
        ("", []),
        (" ", []),
        ("none", []),
        ("NoDevFiles", []),
        ("0,0", []),
        ("0,1,0", []),
        ("0,,1", [A]),
        (",1", []),
        ("1,", [B]),
        ("+1", [B]),
        ("01", [B]),
        ("1gpu2,2x", [B, C]),
        ("0;1", [A]),
        ("0 1", [A]),
        ("GPU-aabb0000-2", [B]),
        ("GPU-aab", [B]),
        ("GPU-AAB", [B]),
        ("gpu-aabb0000-2", []),
        ("GPU-aa", []),
        ("GPU-", []),
        ("GPU-cccc,GPU-aaaa", [C, A]),
        ("GPU-cccc,GPU-dead,GPU-aaaa", [C]),
        ("GPU-cccc,GPU-cc", []),
        ("GPU-cccc,0", [C]),
        ("0,GPU-cccc", [A]),
        (" GPU-cccc", []),
        ("GPU-cccc ", [C]),
        ("MIG-1111-a", []),
        ("aabb0000-2", []),
    ],
)
def test_a_mask_is_read_as_cuda_reads_it(mask: str | None, expected: list[Gpu]) -> None:
    assert seen(mask) == [gpu.uuid for gpu in expected]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, [A.uuid, "MIG-1111-a", "MIG-1122-b"]),
        ("1", ["MIG-1111-a", "MIG-1122-b"]),
        ("GPU-dddd", ["MIG-1111-a", "MIG-1122-b"]),
        ("MIG-1111-a", ["MIG-1111-a"]),
        ("MIG-1122", ["MIG-1122-b"]),
        ("MIG-11", []),
        ("MIG-1122-b,MIG-1111-a", ["MIG-1122-b", "MIG-1111-a"]),
        ("MIG-1122-b,0", ["MIG-1122-b"]),
        ("MIG-GPU-dddd0000-4/1/0", ["MIG-GPU-dddd0000-4/1/0"]),
        ("MIG-GPU-eeee0000-5/1/0", []),
    ],
)
def test_instances_of_a_split_gpu_are_what_can_be_given(mask: str | None, expected: list[str]) -> None:
    assert seen(mask, A, SPLIT) == expected


def test_an_instance_is_described_as_one() -> None:
    found = visible_devices((SPLIT,), {"CUDA_VISIBLE_DEVICES": "MIG-1122"})
    assert found.devices == (
        Device(uuid="MIG-1122-b", gpu_index=3, name="A100 MIG 1g.5gb", memory_total=5 * GIB, mig=True),
    )


def test_numbers_are_cudas_own_where_gpus_differ() -> None:
    old = Gpu(index=0, uuid="GPU-old", name="T4", memory_total=16 * GIB, compute_capability="7.5")
    new = Gpu(index=1, uuid="GPU-new", name="B200", memory_total=180 * GIB, compute_capability="10.0")
    assert seen("0", old, new) == ["GPU-new"]
    assert seen("0", old, new, order="PCI_BUS_ID") == ["GPU-old"]
    found = visible_devices((old, new), {"CUDA_VISIBLE_DEVICES": "0"})
    assert "PCI_BUS_ID" in found.notes[0]
    assert visible_devices((old, new), {"CUDA_VISIBLE_DEVICES": "GPU-old"}).notes == ()
    assert visible_devices(ALIKE, {"CUDA_VISIBLE_DEVICES": "0"}).notes == ()


@pytest.mark.parametrize(
    ("mask", "word"), [("", "is empty"), ("7", "no such GPU"), ("0,0", "names a GPU twice"), ("-1", "no such GPU")]
)
def test_a_mask_that_leaves_nothing_says_why(mask: str, word: str) -> None:
    assert word in visible_devices(ALIKE, {"CUDA_VISIBLE_DEVICES": mask}).reason


def test_a_mask_that_ends_early_says_where() -> None:
    found = visible_devices(ALIKE, {"CUDA_VISIBLE_DEVICES": "0,9,1"})
    assert found.devices[0].uuid == A.uuid
    assert "'9'" in found.notes[0]


def test_no_gpu_at_all_and_a_split_one_without_instances_have_their_reasons() -> None:
    assert visible_devices((), {}).reason == "There is no GPU."
    empty = Gpu(index=0, uuid="GPU-1", name="A100", memory_total=1, compute_capability="8.0", mig=True)
    assert "no instances" in visible_devices((empty,), {}).reason
