"""Bytecode from a shared store: real environments, a real interpreter."""

from __future__ import annotations

import ast
import asyncio
import base64
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from jupyter_gpu_kernels.build import bytecode, compilation
from jupyter_gpu_kernels.build.bytecode import Bytecode, compile_environment, sweep_store
from jupyter_gpu_kernels.errors import InstallError
from jupyter_gpu_kernels.models import Progress, Stage
from jupyter_gpu_kernels.prefix.layout import Layout

TOY = {
    "toy/__init__.py": "from .inner import where\n",
    "toy/inner.py": "def where():\n    return where.__code__.co_filename\n",
    "toy/data.txt": "no module",
}


class Listener:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.progresses: list[Progress] = []

    def stage(self, stage: Stage) -> None:
        raise AssertionError(stage)

    def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)

    def log(self, line: str) -> None:
        self.lines.append(line)


def written(path: Path) -> tuple[int, int, int]:
    """Tell which file it is and when it was last written; reading it changes neither."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def environment(path: Path, packages: Mapping[str, Mapping[str, str]] | None = None) -> Layout:
    """Make a virtual environment with some wheels in it."""
    venv.create(path, symlinks=True)
    layout = Layout.of_prefix(path)
    for name, files in ({"toy": TOY} if packages is None else packages).items():
        install(layout, name, files)
    return layout


def install(layout: Layout, name: str, files: Mapping[str, str], script: str = "") -> None:
    """Put a wheel into a virtual environment, as an installer does that keeps modification times."""
    site = layout.site_packages()[0]
    rows = []
    for relative, text in files.items():
        path = site / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(f"{relative},sha256={digest},{len(text)}")
    rows += [f"../../../bin/{name},sha256={script},1", f"{name}-1.dist-info/RECORD,,"]
    (site / f"{name}-1.dist-info").mkdir(exist_ok=True)
    (site / f"{name}-1.dist-info" / "RECORD").write_text("\n".join(rows) + "\n")


def conda(path: Path, files: Mapping[str, str], **entry: object) -> Layout:
    """Make a conda prefix with one package in it, as rattler leaves it."""
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    paths = []
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for relative, text in files.items():
        name = f"lib/python{version}/site-packages/{relative}"
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
        os.utime(path / name, (1_600_000_000, 1_600_000_000))
        digest = hashlib.sha256(text.encode()).hexdigest()
        paths.append(
            {"_path": name, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(text)}
            | (entry if relative.endswith("inner.py") else {})
        )
    record = {
        "build": "py_0",
        "build_number": 0,
        "depends": [],
        "name": "toy",
        "noarch": "python",
        "sha256": "00bc7dc64215e51b12f9452c3f82c40f4ea3d3092212362e05e6794e96f3ed79",
        "subdir": "noarch",
        "version": "1.0",
        "fn": "toy-1.0-py_0.tar.bz2",
        "url": "https://example.com/noarch/toy-1.0-py_0.tar.bz2",
        "channel": "https://example.com/",
        "requested_specs": [],
        "files": [path["_path"] for path in paths],
        "paths_data": {"paths_version": 1, "paths": paths},
    }
    (path / "conda-meta").mkdir()
    (path / "conda-meta" / "python-3.11.7-0.json").write_text('{"name": "python", "files": []}')
    (path / "conda-meta" / "toy-1.0-py_0.json").write_text(json.dumps(record))
    (path / "conda-meta" / "toy-1.0-py_0.json").chmod(0o600)
    if not Layout.of_prefix(path).site_packages():
        raise AssertionError
    return Layout.of_prefix(path)


def pyc(layout: Layout, name: str = "toy/inner.py") -> Path:
    return Path(importlib.util.cache_from_source(str(layout.site_packages()[0] / name)))


def load(layout: Layout, code: str = "import toy; print(toy.where())") -> tuple[str, str]:
    """Run code in an environment: its output, and which of its modules came from bytecode."""
    site = str(layout.site_packages()[0])
    command = [str(layout.python), "-v", "-c", f"import sys; sys.path.append({site!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    return done.stdout.strip(), done.stderr


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


async def test_every_module_gets_valid_bytecode(tmp_path: Path, store: Path) -> None:
    layout, listener = environment(tmp_path / "one"), Listener()
    assert await compile_environment(layout, store, listener) == Bytecode(compiled=2)
    before = pyc(layout).stat()
    where, evidence = load(layout)
    assert where == str(layout.site_packages()[0] / "toy" / "inner.py")
    assert f"{pyc(layout)} matches" in evidence
    assert pyc(layout).stat().st_ino == before.st_ino
    last = listener.progresses[-1]
    assert (last.packages_done, last.packages_total, last.unit, last.bytes_total) == (2, 2, "modules", 0)
    assert listener.lines == ["Bytecode: 0 shared, 2 compiled, 0 shipped, 0 odd."]


async def test_a_second_environment_is_given_the_same_files(tmp_path: Path, store: Path) -> None:
    one, two = environment(tmp_path / "one"), environment(tmp_path / "two")
    install(two, "toy", TOY, script="another-prefix-in-it")
    await compile_environment(one, store)
    assert await compile_environment(two, store) == Bytecode(linked=2)
    assert pyc(one).samefile(pyc(two))
    where, evidence = load(two)
    assert where == str(two.site_packages()[0] / "toy" / "inner.py")
    assert f"{pyc(two)} matches" in evidence


async def test_compiling_again_changes_nothing(tmp_path: Path, store: Path) -> None:
    layout = environment(tmp_path / "one")
    await compile_environment(layout, store)
    before = written(pyc(layout))
    assert await compile_environment(layout, store) == Bytecode(present=2)
    assert written(pyc(layout)) == before


async def test_the_settings_of_our_own_python_do_not_matter(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "elsewhere"),
        "PYTHONOPTIMIZE": "2",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONPATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "json.py").write_text("raise SystemExit('not the standard library')")
    layout = environment(tmp_path / "one")
    assert await compile_environment(layout, store) == Bytecode(compiled=2)
    assert f"{pyc(layout)} matches" in load(layout)[1]
    assert not (tmp_path / "elsewhere").exists()


async def test_without_a_store_nothing_is_shared(tmp_path: Path) -> None:
    for name in ("one", "two"):
        layout = environment(tmp_path / name)
        assert await compile_environment(layout, None) == Bytecode(compiled=2)
        assert pyc(layout).stat().st_nlink == 1


async def test_a_module_that_is_not_as_packaged_is_compiled_and_not_shared(tmp_path: Path, store: Path) -> None:
    one, two, three = (environment(tmp_path / name) for name in ("one", "two", "three"))
    await compile_environment(one, store)
    changed = two.site_packages()[0] / "toy" / "inner.py"
    changed.write_text("def where():\n    return 'patched'\n")
    os.utime(changed, (1_600_000_000, 1_600_000_000))
    assert await compile_environment(two, store) == Bytecode(linked=1, compiled=1)
    assert (load(two)[0], pyc(two).stat().st_nlink) == ("patched", 1)
    assert await compile_environment(three, store) == Bytecode(linked=2)
    assert pyc(three).samefile(pyc(one))


async def test_another_modification_time_means_another_file(tmp_path: Path, store: Path) -> None:
    one, two, three = (environment(tmp_path / name) for name in ("one", "two", "three"))
    await compile_environment(one, store)
    for layout in (two, three):
        os.utime(layout.site_packages()[0] / "toy" / "inner.py", (1_700_000_000, 1_700_000_000))
    assert await compile_environment(two, store) == Bytecode(linked=1, compiled=1)
    assert await compile_environment(three, store) == Bytecode(linked=2)
    assert f"{pyc(three)} matches" in load(three)[1]


async def test_bytecode_that_a_package_ships_is_left_alone_if_valid(tmp_path: Path, store: Path) -> None:
    import py_compile

    layout = environment(tmp_path / "one")
    py_compile.compile(str(layout.site_packages()[0] / "toy" / "inner.py"), doraise=True)
    before = written(pyc(layout))
    stale = pyc(layout, "toy/__init__.py")
    stale.write_bytes(pyc(layout).read_bytes()[:8] + bytes(30))
    assert await compile_environment(layout, store) == Bytecode(present=1, compiled=1)
    assert written(pyc(layout)) == before
    assert f"{stale} matches" in load(layout)[1]


@pytest.mark.parametrize("damage", [b"", bytes(200), b"\xa7\x0d\x0d\x0a" + bytes(12)])
async def test_damaged_bytecode_is_not_handed_on(tmp_path: Path, store: Path, damage: bytes) -> None:
    one, two, three = (environment(tmp_path / name) for name in ("one", "two", "three"))
    await compile_environment(one, store)
    for path in store.rglob("*.pyc"):
        path.unlink()
        path.write_bytes(damage)
    assert await compile_environment(two, store) == Bytecode(compiled=2)
    assert await compile_environment(three, store) == Bytecode(linked=2)
    assert f"{pyc(three)} matches" in load(three)[1]


async def test_what_cannot_be_compiled_is_left_without(tmp_path: Path, store: Path) -> None:
    odd = {
        "odd/python2.py": "print 'hello'\n",
        "odd/latin.py": "# -*- coding: nothing -*-\n",
        "odd/null.py": "\0",
        "odd/deep.py": "(" * 300,
        "odd/warns.py": r"x = '\d'; assert (x, 'always')",
        "odd/{{ template }}.py": "{{ x }} = 1 +",
    }
    layout, listener = environment(tmp_path / "one", {"odd": odd, "toy": TOY}), Listener()
    assert await compile_environment(layout, store, listener) == Bytecode(compiled=3, failed=5)
    assert listener.lines == ["Bytecode: 0 shared, 3 compiled, 0 shipped, 5 odd."]


async def test_a_store_that_cannot_be_written_is_said_and_harmless(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    layout, listener = environment(tmp_path / "one"), Listener()
    assert await compile_environment(layout, tmp_path / "file" / "store", listener) == Bytecode(compiled=2)
    assert listener.lines[0].startswith("Compiled modules cannot be shared with other environments: ")
    assert f"{pyc(layout)} matches" in load(layout)[1]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second filesystem")
async def test_bytecode_is_copied_between_filesystems(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        if Path(folder).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs a second filesystem")
        one, two = environment(tmp_path / "one"), environment(tmp_path / "two")
        assert await compile_environment(one, Path(folder)) == Bytecode(compiled=2)
        assert await compile_environment(two, Path(folder)) == Bytecode(linked=2)
        assert pyc(one).read_bytes() == pyc(two).read_bytes()
        assert f"{pyc(two)} matches" in load(two)[1]
        assert sorted(path.suffix for path in Path(folder).rglob("*") if path.is_file()) == [".pyc", ".pyc"]


async def test_two_builders_at_once_do_not_harm_each_other(tmp_path: Path, store: Path) -> None:
    many = {f"many/m{number}.py": f"x = {number}\n" for number in range(120)}
    layouts = [environment(tmp_path / name, {"many": many}) for name in ("one", "two", "three")]
    results = await asyncio.gather(*(compile_environment(layout, store) for layout in layouts))
    assert [result.linked + result.compiled for result in results] == [120, 120, 120]
    last = environment(tmp_path / "four", {"many": many})
    assert await compile_environment(last, store) == Bytecode(linked=120)
    assert f"{pyc(last, 'many/m7.py')} matches" in load(last, "import many.m7")[1]


async def test_a_cancelled_compilation_leaves_no_process(tmp_path: Path, store: Path) -> None:
    big = "".join(f"def f{number}(a, b=({number}, [1, 2])):\n    return a + b[0]\n" for number in range(2000))
    many = {f"many/m{number}.py": big for number in range(200)}
    layout, listener = environment(tmp_path / "one", {"many": many}), Listener()
    task = asyncio.create_task(compile_environment(layout, store, listener, workers=2))
    while not listener.progresses:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = [process.pid for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info)]
    assert left == []
    assert 0 < listener.progresses[-1].packages_done < 200


async def test_a_missing_interpreter_is_an_error_and_a_broken_one_is_logged(tmp_path: Path, store: Path) -> None:
    layout, listener = environment(tmp_path / "one"), Listener()
    layout.python.unlink()
    with pytest.raises(InstallError):
        await compile_environment(layout, store)
    layout.python.write_text("#!/bin/sh\necho no libpython >&2\nexit 127\n")
    layout.python.chmod(0o755)
    assert await compile_environment(layout, store, listener) == Bytecode()
    assert listener.lines == ["Modules could not be compiled, the first imports will be slow: no libpython"]


async def test_conda_packages_share_by_their_checksum_and_enter_bytecode_into_their_records(
    tmp_path: Path, store: Path
) -> None:
    files = TOY | {"toy-1.dist-info/RECORD": "toy/__init__.py,sha256=x,25\n"}
    one, two = conda(tmp_path / "one", files), conda(tmp_path / "two", files)
    assert await compile_environment(one, store) == Bytecode(compiled=2)
    assert await compile_environment(two, store) == Bytecode(linked=2)
    assert pyc(one).samefile(pyc(two))
    path = two.prefix / "conda-meta" / "toy-1.0-py_0.json"
    record = json.loads(path.read_text())
    names = [pyc(two, name).relative_to(two.prefix).as_posix() for name in ("toy/__init__.py", "toy/inner.py")]
    assert record["files"][-2:] == names
    assert record["paths_data"]["paths"][-2:] == [{"_path": name, "path_type": "pyc_file"} for name in names]
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert await compile_environment(two, store) == Bytecode(present=2)
    assert path.read_bytes() == before
    # Rattler may crash when the interpreter ends: it is asked in a process of its own.
    code = (
        "import os, sys, rattler\n"
        "record = rattler.PrefixRecord.from_path(sys.argv[1]); print(*record.files, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == names


async def test_a_conda_module_with_the_prefix_in_it_is_not_shared(tmp_path: Path, store: Path) -> None:
    one = conda(tmp_path / "one", TOY, prefix_placeholder="/opt/placeholder", file_mode="text")
    two = conda(tmp_path / "two", TOY, prefix_placeholder="/opt/placeholder", file_mode="text")
    assert await compile_environment(one, store) == Bytecode(compiled=2)
    assert await compile_environment(two, store) == Bytecode(linked=1, compiled=1)


async def test_a_damaged_conda_record_does_not_stop_the_others(tmp_path: Path, store: Path) -> None:
    layout = conda(tmp_path / "one", TOY)
    (layout.prefix / "conda-meta" / "bad-1-0.json").write_text("{")
    (layout.prefix / "conda-meta" / "odd-1-0.json").write_text("[]")
    assert await compile_environment(layout, store) == Bytecode(compiled=2)


async def test_wheels_in_a_conda_environment_are_compiled_too(tmp_path: Path, store: Path) -> None:
    layout = conda(tmp_path / "one", TOY)
    install(layout, "extra", {"extra.py": "x = 1\n"})
    assert await compile_environment(layout, store) == Bytecode(compiled=3)


async def test_the_store_forgets_what_no_environment_has(tmp_path: Path, store: Path) -> None:
    kept, lost = environment(tmp_path / "kept"), environment(tmp_path / "lost", {"gone": {"gone.py": "x = 1\n"}})
    await compile_environment(kept, store)
    await compile_environment(lost, store)
    pyc(lost, "gone.py").unlink()
    assert sweep_store(store) == 0
    # Days that are not over yet: a file's clock may run behind, and be coarser.
    assert sweep_store(store, days=-1) == 1
    assert len(list(store.rglob("*.pyc"))) == 2
    assert all(any(path.iterdir()) for path in store.rglob("*") if path.is_dir())
    assert sweep_store(tmp_path / "nothing") == 0


def test_what_runs_in_the_environment_is_python_of_2018() -> None:
    folder = Path(str(compilation.__file__)).parent
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 7))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= sys.stdlib_module_names
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or node.module in ("__future__", "collections.abc", "typing")


def test_processors_are_those_that_this_process_may_use() -> None:
    assert 1 <= bytecode._processors() <= (os.cpu_count() or 1)
