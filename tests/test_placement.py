"""Placements as people and files write them, and where they are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.changing import changed
from jupyter_gpu_kernels.build.disk.inventory import Inventory
from jupyter_gpu_kernels.build.planning.validation import check, check_change
from jupyter_gpu_kernels.errors import InvalidInputError
from jupyter_gpu_kernels.models import (
    EnvironmentChange,
    EnvironmentKind,
    EnvironmentSpec,
    GpuPolicy,
    Installer,
    LaunchPolicy,
    Manifest,
    Placement,
    Plan,
    Variant,
)
from jupyter_gpu_kernels.prefix.manifest import MANIFEST, override_policy, read_launch, write_manifest
from jupyter_gpu_kernels.prefix.placement import check_placement, parse_gpus

GPU = "GPU-6bc5e3ab-8b1c-4b3e-9d3a-0123456789ab"
OTHER = GPU.replace("6bc5", "7bc5")
MIG = GPU.replace("GPU", "MIG")
OLD_MIG = f"MIG-{GPU}/3/0"

ALONE = Placement(policy=GpuPolicy.EXCLUSIVE, count=2, wait=30.0)


def fixed(*names: str) -> Placement:
    return Placement(policy=GpuPolicy.FIXED, devices=names)


SENSE = [Placement(), ALONE, Placement(policy=GpuPolicy.ALL), fixed(GPU), fixed(GPU, OTHER), fixed(MIG), fixed(OLD_MIG)]

NONSENSE = [
    (fixed(), "The placement is fixed, and no GPU is named."),
    (fixed("0"), "'0' is not the identifier of a GPU."),
    (fixed("GPU-6bc5"), "'GPU-6bc5' is not the identifier of a GPU."),
    (fixed(f"{GPU}\n"), "is not the identifier of a GPU."),
    (fixed(GPU, GPU), "The same GPU is named twice."),
    (fixed(GPU, MIG), "A process can compute on one instance of a split GPU only"),
    (Placement(devices=(GPU,)), "GPUs are named, and the policy auto chooses them itself."),
    (replace(ALONE, count=0), "0 cannot be the number of GPUs of a kernel with the policy exclusive."),
    (replace(ALONE, count=65), "65 cannot be the number of GPUs"),
    (Placement(count=2), "2 cannot be the number of GPUs of a kernel with the policy auto."),
    (replace(ALONE, wait=-1.0), "A kernel cannot wait -1 seconds for a GPU."),
    (replace(ALONE, wait=3601.0), "A kernel cannot wait 3601 seconds for a GPU."),
    (replace(ALONE, wait=float("nan")), "A kernel cannot wait nan seconds for a GPU."),
]


@pytest.mark.parametrize("placement", SENSE, ids=str)
def test_sense_passes(placement: Placement) -> None:
    check_placement(placement)
    check(EnvironmentSpec(name="warp", placement=placement))
    check_change(EnvironmentChange(placement=placement))


@pytest.mark.parametrize(("placement", "words"), NONSENSE, ids=str)
def test_nonsense_is_said_to_be_that(placement: Placement, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check(EnvironmentSpec(name="warp", placement=placement))
    assert words in caught.value.message
    assert caught.value.cure
    with pytest.raises(InvalidInputError):
        check_change(EnvironmentChange(placement=placement))


@pytest.mark.parametrize(
    ("text", "placement"),
    [
        ("auto", Placement()),
        ("all", Placement(policy=GpuPolicy.ALL)),
        ("Least-Used", Placement(policy=GpuPolicy.LEAST_USED)),
        ("least-used:2", Placement(policy=GpuPolicy.LEAST_USED, count=2)),
        ("exclusive:1", Placement(policy=GpuPolicy.EXCLUSIVE)),
        (GPU, fixed(GPU)),
        (f"{GPU}, {OTHER}", fixed(GPU, OTHER)),
        (OLD_MIG, fixed(OLD_MIG)),
    ],
)
def test_a_placement_is_written_in_a_word(text: str, placement: Placement) -> None:
    assert parse_gpus(text) == placement


@pytest.mark.parametrize(
    "text",
    ["", "0", "none", "fixed", "exclusive:", "exclusive:x", "exclusive:0", "all:2", "auto:-1", "GPU-0", f"{MIG},{GPU}"],
)
def test_what_is_no_placement_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_gpus(text)


@pytest.mark.parametrize(
    ("wish", "expected", "ignored"),
    [
        ({}, ALONE, 0),
        ({"wait": 5}, replace(ALONE, wait=5.0), 0),
        ({"count": 1}, replace(ALONE, count=1), 0),
        ("least-used", Placement(policy=GpuPolicy.LEAST_USED, wait=30.0), 0),
        ({"policy": "all"}, Placement(policy=GpuPolicy.ALL, wait=30.0), 0),
        ({"policy": "fixed", "devices": [GPU]}, replace(fixed(GPU), wait=30.0), 0),
        # What makes no sense is left out, and the rest is taken.
        ({"count": "2", "wait": 5}, replace(ALONE, wait=5.0), 1),
        ({"count": True, "unknown": {}, "wait": 5}, replace(ALONE, wait=5.0), 2),
        ({"wait": float("inf")}, ALONE, 1),
        ({"wait": 10**400}, ALONE, 1),
        ({"wait": "soon", "policy": ["all"]}, ALONE, 2),
        ({"count": 10**400}, ALONE, 1),
        ({"devices": GPU}, ALONE, 1),
        ({"devices": [3]}, ALONE, 1),
        # What makes no sense together is not taken at all.
        ({"policy": "fixed"}, ALONE, 1),
        ({"policy": "all", "count": 3}, ALONE, 1),
        ({"count": 0}, ALONE, 1),
        ("mine", ALONE, 1),
        (None, ALONE, 1),
        (7, ALONE, 1),
        ([], ALONE, 1),
        ([["policy", "all"]], ALONE, 1),
        ({3: 4}, ALONE, 1),
    ],
    ids=str,
)
def test_a_file_of_any_shape_stops_nothing(wish: object, expected: Placement, ignored: int) -> None:
    told: list[str] = []
    policy = override_policy(LaunchPolicy(placement=ALONE), {"placement": wish}, told)
    assert policy.placement == expected
    # The sentence for a placement that changes nothing of its own may come on top.
    assert len(told) >= ignored
    assert bool(told) is bool(ignored)
    assert all(sentence.endswith(".") and len(sentence) < 250 for sentence in told)


def make(prefix: Path, variant: Variant) -> Manifest:
    spec = EnvironmentSpec(name=prefix.name, placement=ALONE)
    plan = Plan(
        spec=spec, installer=Installer.PYPI, installer_reason="", variant=variant, variant_reason="", python="3"
    )
    manifest = Manifest(
        name=prefix.name,
        kernel_name=prefix.name,
        display_name="Warp",
        kind=EnvironmentKind.VIRTUALENV,
        prefix=str(prefix),
        generation="warp-00000000",
        spec=spec,
        plan=plan,
        launch=LaunchPolicy(placement=ALONE),
    )
    write_manifest(prefix, manifest)
    return manifest


def test_a_manifest_keeps_it_for_launches_and_lists(tmp_path: Path) -> None:
    manifest = make(tmp_path / "warp", Variant.GPU)
    assert read_launch(tmp_path / "warp") == (manifest.launch, True)
    (listed,) = Inventory([tmp_path], dict).environments()
    assert listed.placement == ALONE


def test_a_manifest_from_before_there_were_placements_has_the_default(tmp_path: Path) -> None:
    make(tmp_path / "warp", Variant.GPU)
    path = tmp_path / "warp" / MANIFEST
    data = json.loads(path.read_text())
    del data["launch"]["placement"]
    path.write_text(json.dumps(data))
    assert read_launch(tmp_path / "warp")[0].placement == Placement()
    (listed,) = Inventory([tmp_path], dict).environments()
    assert listed.placement == Placement()


def test_builds_for_the_cpu_are_known(tmp_path: Path) -> None:
    make(tmp_path / "warp", Variant.CPU)
    assert read_launch(tmp_path / "warp")[1] is False
    assert read_launch(tmp_path / "none") == (LaunchPolicy(), True)


def test_a_change_outlasts_a_rebuild(tmp_path: Path) -> None:
    manifest = changed(make(tmp_path / "warp", Variant.GPU), EnvironmentChange(placement=fixed(GPU)))
    assert manifest.launch.placement == manifest.spec.placement == manifest.plan.spec.placement == fixed(GPU)
    assert changed(manifest, EnvironmentChange(display_name="W")).launch == manifest.launch
