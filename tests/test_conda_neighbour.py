"""What conda expects of an environment, and what it leaves there."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from jupyter_gpu_kernels.build.conda import history, neighbour
from jupyter_gpu_kernels.build.conda.settings import ChannelSettings, CondaRequest

URL = "http://me:hunter2@lab.example/t/tk-1/own"


def record(prefix: Path, name: str, **more: Any) -> Path:
    directory = prefix / "conda-meta"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-1.0-0.json"
    data = {"name": name, "url": f"{URL}/noarch/{name}-1.0-0.conda", "channel": f"{URL}/", **more}
    path.write_text(json.dumps(data))
    path.chmod(0o600)
    return path


def request(*specs: str, keep: tuple[str, ...] = ()) -> CondaRequest:
    return CondaRequest(specs=specs, settings=ChannelSettings(channels=(URL,)), keep=keep)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_records_are_as_readable_as_the_umask_says(umask: int, mode: int, tmp_path: Path) -> None:
    path = record(tmp_path, "six")
    before = os.umask(umask)
    try:
        neighbour.settle(tmp_path, request("six"))
    finally:
        os.umask(before)
    assert {stat.S_IMODE(each.stat().st_mode) for each in (path, path.with_name("history"))} == {mode}


def test_nothing_in_an_environment_holds_credentials(tmp_path: Path) -> None:
    path = record(tmp_path, "six")
    neighbour.settle(tmp_path, request(f"{URL}::six"))
    data = json.loads(path.read_text())
    assert data["url"] == "http://lab.example/own/noarch/six-1.0-0.conda"
    assert data["channel"] == "http://lab.example/own/"
    assert not [each for each in path.parent.iterdir() if "hunter2" in each.read_text() or "tk-1" in each.read_text()]


def test_the_history_says_what_was_done_and_asked_for(tmp_path: Path) -> None:
    record(tmp_path, "six")
    record(tmp_path, "pip", url="http://other.example/c/noarch/pip-1.0-0.tar.bz2", channel="http://other.example/c/")
    neighbour.settle(tmp_path, request("python=3.12", "six"))
    lines = (tmp_path / "conda-meta" / "history").read_text().splitlines()
    assert lines[0].startswith("==> 20")
    assert lines[0].endswith(" <==")
    assert lines[1:] == [
        "# cmd: jupyter gpu-kernels create",
        "# conda version: 4.4.0",
        "+http://other.example/c/noarch::pip-1.0-0",
        "+http://***@lab.example/t/***/own/noarch::six-1.0-0",
        '# update specs: ["python=3.12", "six"]',
    ]


#: What conda 26 appends, and how older ones and other tools wrote.
LATER = """\
==> 2026-11-21 10:00:00 <==
# cmd: /opt/conda/bin/conda install -n env six 'numpy>=1,<2' black
# conda version: 26.9.0
+conda-forge/noarch::six-1.17.0-pyh0_0
# update specs: ['six', 'numpy[version=">=1,<2"]', 'conda-forge::black']
==> 2026-11-21 10:05:00 <==
# cmd: conda remove six
-conda-forge/noarch::six-1.17.0-pyh0_0
# remove specs: ['six']
==> 2026-11-21 10:07:00 <==
# cmd: conda install python=3.12 pandas
# install specs: python=3.12,pandas>=2,<3
"""


def test_what_was_added_from_outside_is_found(tmp_path: Path) -> None:
    record(tmp_path, "python", requested_specs=["python=3.12"])
    record(tmp_path, "quiet", requested_spec="quiet >=1")
    record(tmp_path, "dependency", requested_specs=[])
    (tmp_path / "conda-meta" / "damaged.json").write_text("{")
    neighbour_history = history.block(_when(), "jupyter gpu-kernels create", (), ("python=3.12", "ipykernel"))
    (tmp_path / "conda-meta" / "history").write_text(neighbour_history + LATER)
    assert neighbour.added_specs(tmp_path) == (
        'numpy[version=">=1,<2"]',
        "conda-forge::black",
        "pandas>=2,<3",
        "quiet >=1",
    )


def test_what_was_kept_once_is_kept_again(tmp_path: Path) -> None:
    record(tmp_path, "python")
    record(tmp_path, "six", requested_specs=["six"])
    neighbour.settle(tmp_path, request("python", keep=("six",)))
    assert neighbour.added_specs(tmp_path) == ("six",)
    neighbour.settle(tmp_path, request("python", "six"))
    assert neighbour.added_specs(tmp_path) == ()


def test_a_changed_wish_counts_as_added(tmp_path: Path) -> None:
    record(tmp_path, "pytorch")
    neighbour.settle(tmp_path, request("pytorch=2.4"))
    with (tmp_path / "conda-meta" / "history").open("a") as file:
        file.write("==> 2026-11-21 10:00:00 <==\n# cmd: conda install pytorch=2.5\n# update specs: ['pytorch=2.5']\n")
    assert neighbour.added_specs(tmp_path) == ("pytorch=2.5",)


def test_an_environment_of_others_or_none_has_nothing_added(tmp_path: Path) -> None:
    assert neighbour.added_specs(tmp_path / "missing") == ()
    record(tmp_path, "six", requested_specs=["six"])
    (tmp_path / "conda-meta" / "history").write_text(LATER)
    assert neighbour.added_specs(tmp_path) == ()


def environments() -> list[str]:
    return (Path.home() / ".conda" / "environments.txt").read_text().splitlines()


def test_environments_are_remembered_once_and_forgotten(tmp_path: Path) -> None:
    neighbour.forget(tmp_path)
    assert not (Path.home() / ".conda").exists()
    neighbour.remember(tmp_path / "a")
    (Path.home() / ".conda" / "environments.txt").write_text(f"/opt/conda\n{tmp_path / 'a'}")
    for name in ("b", "a", "b"):
        neighbour.remember(tmp_path / name)
    assert environments() == ["/opt/conda", str(tmp_path / "a"), str(tmp_path / "b")]
    neighbour.forget(tmp_path / "a")
    neighbour.forget(tmp_path / "a")
    assert environments() == ["/opt/conda", str(tmp_path / "b")]


def test_many_processes_may_remember_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=neighbour.remember, args=(tmp_path / str(number),)) for number in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(environments()) == sorted(str(tmp_path / str(number)) for number in range(12))


def _when() -> Any:
    from datetime import datetime

    return datetime(2026, 11, 20, 12, 0, 0)


def test_a_list_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    # Root may write anywhere, but nobody can write a file where a directory is.
    (Path.home() / ".conda" / "environments.txt").mkdir(parents=True)
    neighbour.remember(tmp_path)
    neighbour.forget(tmp_path)
    assert (Path.home() / ".conda" / "environments.txt").is_dir()
