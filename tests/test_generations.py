"""Generations, their journal and what is asked of the filesystem for them: real files, real processes, real crashes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.disk.filesystem import exchange, explain, remove_tree, rename_new
from jupyter_gpu_kernels.build.disk.generations import NURSERY, Generation, Generations
from jupyter_gpu_kernels.build.disk.occupancy import occupied
from jupyter_gpu_kernels.errors import InstallError, NameTakenError, NotFoundError
from jupyter_gpu_kernels.prefix.manifest import MANIFEST

#: One process per crash point; each point is one event that the interpreter audits (open, rename, remove, …).
CRASH = """
import os, sys
from pathlib import Path
from jupyter_gpu_kernels.build.disk.filesystem import exchange
from jupyter_gpu_kernels.build.disk.generations import Generation, Generations

envs, identifier, action, swapping, fatal = sys.argv[1:]
envs, left = Path(envs), int(fatal)
generations = Generations(envs, swap=exchange if swapping == "swap" else lambda one, other: False)
nursery = envs / ".gen"
lock = nursery / (identifier + ".lock")
generation = Generation(id=identifier, path=nursery / identifier, final=envs / "tf", lock=lock)

def crash(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "ctypes.dlopen") and armed:
        left -= 1
        if left < 0:
            os._exit(9)

armed = False
sys.addaudithook(crash)
if action == "commit":
    armed = True
    generations.commit(generation)
elif action == "revert":
    generations.commit(generation)
    armed = True
    generations.revert(generation)
elif action == "trash":
    armed = True
    generations.discard(generations.trash("tf"))
os._exit(0)
"""

NEVER: Callable[[Path, Path], bool] = lambda one, other: False  # noqa: E731


def fill(path: Path, content: str) -> None:
    """Make a small environment of ours."""
    (path / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).write_text(json.dumps({"schema_version": 1, "content": content}))
    (path / "bin").mkdir(exist_ok=True)
    (path / "bin" / "python").write_text(content)


def content(path: Path) -> str:
    """What :func:`fill` wrote, which must be whole."""
    inside = (path / "bin" / "python").read_text()
    assert json.loads((path / MANIFEST).read_text())["content"] == inside
    return inside


def left(envs: Path) -> list[str]:
    """What is in the nursery besides the tag."""
    return sorted(set(os.listdir(envs / NURSERY)) - {"CACHEDIR.TAG"})


def built(generations: Generations, name: str, text: str) -> Generation:
    generation = generations.begin(name)
    fill(generation.path, text)
    return generation


@pytest.fixture(params=[exchange, NEVER], ids=["one-step", "two-renames"])
def generations(tmp_path: Path, request: pytest.FixtureRequest) -> Generations:
    return Generations(tmp_path / "envs", swap=request.param)


def test_a_generation_is_built_beside_its_final_path(generations: Generations) -> None:
    generation = generations.begin("tf")
    assert generation.path.parent == generations.envs_dir / ".gen"
    assert generation.path.name == generation.id
    assert generation.id.startswith("tf-")
    assert len(generation.id) == len("tf-") + 8
    assert os.listdir(generation.path) == []
    assert generation.final == generations.envs_dir / "tf"
    assert not generation.final.exists()
    assert (
        (generations.nursery / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_the_first_commit_has_nothing_to_exchange(generations: Generations) -> None:
    generation = built(generations, "tf", "one")
    assert generations.commit(generation) is None
    assert content(generation.final) == "one"
    assert left(generations.envs_dir) == []


def test_a_second_commit_exchanges_and_keeps_the_old_until_it_is_discarded(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    generation = built(generations, "tf", "two")
    old = generations.commit(generation)
    assert old is not None
    assert (content(generation.final), content(old)) == ("two", "one")
    generations.discard(old)
    assert left(generations.envs_dir) == []


def test_a_reverted_exchange_brings_the_old_environment_back(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    generation = built(generations, "tf", "two")
    generations.commit(generation)
    generations.revert(generation)
    assert (content(generation.final), content(generation.path)) == ("one", "two")
    generations.discard(generation)
    assert left(generations.envs_dir) == []


def test_a_reverted_creation_leaves_nothing(generations: Generations) -> None:
    generation = built(generations, "tf", "one")
    generations.commit(generation)
    generations.revert(generation)
    generations.discard(generation)
    assert (generation.final.exists(), left(generations.envs_dir)) == (False, [])


def test_nothing_is_taken_away_when_the_old_environment_is_gone_already(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    generation = built(generations, "tf", "two")
    old = generations.commit(generation)
    assert old is not None
    generations.discard(old)
    with pytest.raises(InstallError):
        generations.revert(generation)
    assert content(generation.final) == "two"


def test_what_is_not_ours_is_never_replaced(generations: Generations) -> None:
    final = generations.envs_dir / "tf"
    (final / "precious").mkdir(parents=True)
    with pytest.raises(NameTakenError, match="was not made by"):
        generations.begin("tf")
    with pytest.raises(NameTakenError):
        generations.trash("tf")
    assert os.listdir(final) == ["precious"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_appears_while_we_build_is_not_replaced_either(
    generations: Generations, make: Callable[[Path], None]
) -> None:
    generation = built(generations, "tf", "one")
    make(generation.final)
    before = generation.final.lstat()
    with pytest.raises(NameTakenError):
        generations.commit(generation)
    assert generation.final.lstat() == before
    assert content(generation.path) == "one"


def test_two_racing_first_commits_leave_one_winner(tmp_path: Path) -> None:
    outcomes: list[str] = []
    generations = Generations(tmp_path / "envs")
    racers = [built(generations, "tf", text) for text in ("one", "two")]
    barrier = threading.Barrier(2)

    def race(generation: Generation) -> None:
        barrier.wait()
        try:
            rename_new(generation.path, generation.final)
            outcomes.append("won")
        except FileExistsError:
            outcomes.append("lost")

    threads = [threading.Thread(target=race, args=(generation,)) for generation in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "won"]


@pytest.mark.parametrize(
    ("action", "swapping"), [("commit", "swap"), ("commit", "rename"), ("revert", "rename"), ("trash", "swap")]
)
def test_a_crash_at_any_point_leaves_one_whole_environment(tmp_path: Path, action: str, swapping: str) -> None:
    seen = set()
    for point in range(100):
        envs = tmp_path / str(point)
        generations = Generations(envs)
        generations.commit(built(generations, "tf", "old"))
        generation = built(generations, "tf", "new")
        del generations  # Its locks end with it, as with a dead process.
        command = [sys.executable, "-c", CRASH, str(envs), generation.id, action, swapping, str(point)]
        status = subprocess.run(command, check=False, cwd=tmp_path).returncode
        assert status in (0, 9)

        after = Generations(envs)
        after.sweep()
        assert left(envs) == []
        if action == "trash":
            seen.add(content(envs / "tf") if (envs / "tf").exists() else "gone")
        else:
            seen.add(content(envs / "tf"))
        shutil.rmtree(envs)
        if status == 0:
            break
    assert status == 0
    assert point > 1
    assert seen == ({"old", "gone"} if action == "trash" else {"old", "new"})


def test_a_damaged_journal_is_dropped_and_moves_nothing(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.commit(built(generations, "tf", "one"))
    for number, text in enumerate(("", "[]", '{"name": "../../etc"}', '{"name": ""}', '{"name": ".."}')):
        (generations.nursery / f"x-{number}.journal").write_text(text)
    generations.sweep()
    assert left(tmp_path) == []
    assert content(tmp_path / "tf") == "one"


def test_a_generation_that_somebody_builds_is_not_swept(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jupyter_gpu_kernels.build.disk.generations import Generations\n"
        "g = Generations(Path(sys.argv[1])); print(g.begin('tf').id, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as builder:
        assert builder.stdout is not None
        identifier = builder.stdout.readline().strip()
        generations = Generations(tmp_path)
        mine = generations.begin("pt")
        assert generations.sweep() == ()
        assert (generations.nursery / identifier).is_dir()
        builder.kill()
        builder.wait()
        assert generations.sweep() == (identifier,)
    assert left(tmp_path) == [mine.id, mine.lock.name]


def test_a_generation_that_a_tool_still_writes_into_is_waited_for(tmp_path: Path) -> None:
    import fcntl

    first = Generations(tmp_path)
    generation = first.begin("tf")
    other = first.begin("tf-two")
    with generation.lock.open("rb+") as tool:
        del first
        fcntl.flock(tool, fcntl.LOCK_SH)  # As the leash does.
        assert Generations(tmp_path).sweep() == (other.id,)
        threading.Timer(0.3, lambda: fcntl.flock(tool, fcntl.LOCK_UN)).start()
        assert Generations(tmp_path).discard_unfinished("tf") == (generation.id,)


def test_only_the_named_environments_leftovers_are_discarded(tmp_path: Path) -> None:
    first = Generations(tmp_path)
    generation, other = first.begin("tf"), first.begin("tf-two")
    del first
    generations = Generations(tmp_path)
    assert generations.discard_unfinished("tf") == (generation.id,)
    assert other.path.is_dir()
    assert not generation.path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_old_environment_stays_as_long_as_a_process_runs_from_it(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    generations = Generations(tmp_path / "link")
    first = built(generations, "tf", "one")
    program = first.path / "bin" / "sleep"
    shutil.copy("/bin/sleep", program)
    generations.commit(first)
    with subprocess.Popen([first.final / "bin" / "sleep", "60"]) as process:
        try:
            old = generations.commit(built(generations, "tf", "two"))
            assert old is not None
            assert occupied([old, tmp_path / "elsewhere"]) == {old}
            assert generations.sweep() == ()
            assert content(old) == "one"
        finally:
            process.kill()
            process.wait()
    assert generations.sweep() == (old.name,)
    assert content(first.final) == "two"


@pytest.mark.parametrize("how", ["cwd", "command line", "memory map"])
def test_a_process_occupies_what_it_holds(tmp_path: Path, how: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "library").write_bytes(bytes(4096))
    arguments: list[str] = []
    # Only one of the three holds it: the path of the library comes by stdin.
    code = "import mmap\npath = input()\nif path:\n with open(path, 'rb+') as f: m = mmap.mmap(f.fileno(), 0)\n"
    code += "print(flush=True)\ninput()"
    if how == "command line":
        arguments = [str(tree / "kernel.json")]
    library = str(tree / "library") if how == "memory map" else ""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tree if how == "cwd" else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(library.encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert occupied([tree, tmp_path / "tre"]) == {tree}
        process.communicate(b"\n")
    assert occupied([tree]) == frozenset()


def test_an_environment_leaves_its_path_in_one_step(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    trash = generations.trash("tf")
    assert (content(trash), (generations.envs_dir / "tf").exists()) == ("one", False)
    generations.discard(trash)
    generations.discard(trash)
    assert left(generations.envs_dir) == []
    with pytest.raises(NotFoundError):
        generations.trash("tf")


def test_forgotten_trash_goes_with_the_next_sweep(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    generations.trash("tf")
    generations.sweep()
    assert left(generations.envs_dir) == []


def test_only_generations_are_discarded(generations: Generations) -> None:
    generations.commit(built(generations, "tf", "one"))
    with pytest.raises(ValueError, match="no generation"):
        generations.discard(generations.envs_dir / "tf")
    assert content(generations.envs_dir / "tf") == "one"


def test_a_linked_environment_is_replaced_as_a_link_and_its_tree_stays(
    generations: Generations, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "big-disk" / "tf"
    fill(elsewhere, "one")
    generations.envs_dir.mkdir()
    (generations.envs_dir / "tf").symlink_to(elsewhere)
    old = generations.commit(built(generations, "tf", "two"))
    assert old is not None
    assert old.is_symlink()
    assert content(generations.envs_dir / "tf") == "two"
    generations.sweep()
    assert left(generations.envs_dir) == []
    assert content(elsewhere) == "one"


def drop_privileges() -> None:
    """Make file permissions count even for root: give up CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER."""
    import ctypes

    libc = ctypes.CDLL(None)
    for capability in (1, 2, 3):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: gone with the next exec.


@pytest.mark.skipif(sys.platform != "linux", reason="drops Linux capabilities")
def test_read_only_trees_are_deleted_too(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("a/b", "a/closed", "c"):
        (tree / name).mkdir(parents=True)
        (tree / name / "file").write_text("x")
    (tree / "c" / "file").chmod(0o400)
    (tree / "c").chmod(0o500)
    (tree / "a" / "closed").chmod(0o000)
    (tree / "a").chmod(0o500)
    code = (
        "import sys; from pathlib import Path; from jupyter_gpu_kernels.build.disk.filesystem import remove_tree\n"
        "import os; print(not os.access(sys.argv[1] + '/c', os.W_OK)); remove_tree(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tree)]
    done = subprocess.run(command, preexec_fn=drop_privileges, check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"
    assert not tree.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="drops Linux capabilities")
def test_a_directory_that_may_not_be_written_is_named_with_a_cure(tmp_path: Path) -> None:
    envs = tmp_path / "envs"
    envs.mkdir()
    envs.chmod(0o500)
    code = (
        "import sys; from pathlib import Path; from jupyter_gpu_kernels.build.disk.generations import Generations\n"
        "from jupyter_gpu_kernels.errors import InstallError\n"
        "try: Generations(Path(sys.argv[1])).begin('tf')\n"
        "except InstallError as error: print(error.message); print(error.cure)"
    )
    command = [sys.executable, "-c", code, str(envs)]
    done = subprocess.run(command, preexec_fn=drop_privileges, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"{envs} cannot take a new environment: you may not write there.",
        "Configure a directory for environments that you may write.",
    ]


def test_deleting_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "tree")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "link")
    assert not os.path.lexists(tmp_path / "tree")
    assert not os.path.lexists(tmp_path / "link")
    assert os.listdir(tmp_path / "kept") == ["file"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "you may not"), (errno.EIO, "i")],
)
def test_what_the_system_says_becomes_a_sentence_and_a_cure(number: int, words: str) -> None:
    error = explain("/x cannot be made", OSError(number, os.strerror(number), "/x/y"))
    assert error.message.startswith("/x cannot be made: ")
    assert words in error.message
    assert error.message.endswith(".")
    assert error.cure
    assert "/x/y" in error.detail


def test_an_exchange_of_what_is_missing_is_an_error_and_not_unsupported(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "one", tmp_path / "two")


def test_new_directories_follow_the_umask(tmp_path: Path) -> None:
    generation = Generations(tmp_path).begin("tf")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(generation.path.stat().st_mode) == 0o777 & ~umask
