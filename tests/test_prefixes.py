"""Putting one prefix in the place of another, and copying trees whose files name theirs: all on made-up trees."""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import json
import os
import py_compile
from pathlib import Path

import pytest

from jupyter_gpu_kernels.build.copying import prefixes
from jupyter_gpu_kernels.build.copying.prefixes import Prefixes, TooLongError
from jupyter_gpu_kernels.build.copying.prompts import with_prompt
from jupyter_gpu_kernels.build.copying.tree import StoppedError, Tally, TreeCopy
from jupyter_gpu_kernels.errors import InstallError
from jupyter_gpu_kernels.prefix.layout import Layout

OLD, LONG, SHORT = b"/envs/old", b"/envs/much-longer", b"/e/n"

#: What a package's placeholder is in the made-up trees.
PLACEHOLDER = "/" + 20 * "_placehold"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"#!/envs/old/bin/python3\nimport os\n", b"#!/envs/much-longer/bin/python3\nimport os\n"),
        (b"path = '/envs/old'", b"path = '/envs/much-longer'"),
        (b"/envs/old/a:/envs/old/b", b"/envs/much-longer/a:/envs/much-longer/b"),
        (b"It was made in /envs/old.", b"It was made in /envs/much-longer."),
        (b"/envs/older /envs/old-er /envs/old.bak /envs/old_1", b"/envs/older /envs/old-er /envs/old.bak /envs/old_1"),
        (b"file:///envs/old/src", b"file:///envs/much-longer/src"),
        (rb"back\1slash /envs/old", rb"back\1slash /envs/much-longer"),
        (b"nothing of the kind", b"nothing of the kind"),
    ],
)
def test_texts_name_the_new_prefix(before: bytes, after: bytes) -> None:
    assert Prefixes(((OLD, LONG),)).text(before) == after


def test_a_first_line_that_is_too_long_for_the_system_names_no_path() -> None:
    new = b"/" + b"x" * prefixes.LONGEST_SHEBANG
    made = Prefixes(((OLD, new),)).text(b"#!/envs/old/bin/python3.12 -I\n# of /envs/old\n")
    assert made == b"#!/usr/bin/env python3.12 -I\n# of " + new + b"\n"
    # What was as long before is not ours to shorten.
    other = b"#!" + new + b"/bin/sh\n"
    assert Prefixes(((OLD, LONG),)).text(other) == other


@pytest.mark.parametrize(
    ("before", "room", "after"),
    [
        # Shorter: the rest is filled up, what follows stays where it was.
        (b"\x01/envs/old/lib\0next\0", None, b"\x01/e/n/lib\0\0\0\0\0\0next\0"),
        (b"/envs/old:/envs/old/lib\0x", None, b"/e/n:/e/n/lib" + b"\0" * 11 + b"x"),
        (b"/envs/older\0x", None, b"/envs/older\0x"),
        (b"/envs/old", None, b"/e/n\0\0\0\0\0"),
    ],
)
def test_strings_of_programs_keep_their_places(before: bytes, room: int | None, after: bytes) -> None:
    made = Prefixes(((OLD, SHORT),)).binary(before, room)
    assert made == after
    assert len(made) == len(before)


def test_longer_prefixes_take_the_room_that_the_package_left() -> None:
    replacement, room = Prefixes(((OLD, LONG),)), len(PLACEHOLDER)
    spare = b"\0" * (room - len(OLD))
    made = replacement.binary(b"\x01/envs/old/lib" + spare + b"\0next\0", room)
    assert made == b"\x01/envs/much-longer/lib" + b"\0" * (room - len(LONG)) + b"\0next\0"
    twice = b"/envs/old:/envs/old" + 2 * spare + b"\0next"
    assert (
        replacement.binary(twice, room) == b"/envs/much-longer:/envs/much-longer".ljust(len(twice) - 4, b"\0") + b"next"
    )


@pytest.mark.parametrize(
    ("content", "room"),
    [
        (b"/envs/old\0\0\0\0\0\0\0\0\0\0\0\0\0\0", None),  # Nobody knows whether those are anybody's.
        (b"/envs/old\0next", 30),  # It is not as the package left it.
        (b"/envs/old\0\0\0\0next", 12),  # The package has less room.
    ],
)
def test_where_there_is_no_room_nothing_is_overwritten(content: bytes, room: int | None) -> None:
    with pytest.raises(TooLongError):
        Prefixes(((OLD, LONG),)).binary(content, room)
    assert len(Prefixes(((OLD, b"/envs/new"),)).binary(content, room)) == len(content)


def test_a_prefix_has_the_name_of_the_link_that_leads_to_it_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    both = Prefixes.of(tmp_path / "link" / "old", tmp_path / "link" / "new")
    text = f"{tmp_path}/link/old/bin {tmp_path}/real/old/bin".encode()
    assert both.text(text).decode() == f"{tmp_path}/link/new/bin {tmp_path}/real/new/bin"
    assert both.path(f"{tmp_path}/link/old/lib/x.so") == f"{tmp_path}/link/new/lib/x.so"
    assert both.path(f"{tmp_path}/link/older/x") == f"{tmp_path}/link/older/x"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pyvenv.cfg", b"home = /usr/bin\nprompt = old\n", b"home = /usr/bin\nprompt = new\n"),
        ("pyvenv.cfg", b"prompt = older\n", b"prompt = older\n"),
        ("bin/activate", b'if [ "xold" != x ]; then P="old"; fi', b'if [ "xnew" != x ]; then P="new"; fi'),
        ("bin/activate.csh", b"if ('old' != \"\") then", b"if ('new' != \"\") then"),
        ("Scripts/activate.bat", b'@set "VIRTUAL_ENV_PROMPT=old"', b'@set "VIRTUAL_ENV_PROMPT=new"'),
        ("bin/tool", b'P="old"', b'P="old"'),
    ],
)
def test_a_virtual_environment_calls_itself_by_its_new_name(name: str, before: bytes, after: bytes) -> None:
    assert with_prompt(name, before, "old", "new") == after


class Tree:
    """A made-up conda environment, and a copy of it."""

    def __init__(self, root: Path) -> None:
        self.old, self.new = root / "envs" / "old", root / "envs" / "the-new-one"
        self.site = "lib/python3.12/site-packages"
        self.paths: list[dict[str, object]] = []
        for folder in ("bin", "conda-meta", self.site):
            (self.old / folder).mkdir(parents=True)

    def put(self, name: str, content: bytes | str = b"", *, mode: int = 0o644, **record: object) -> Path:
        """A file; with `record` it is one of conda's package."""
        path = self.old / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        os.utime(path, ns=(10**18, 10**18))
        if record:
            self.paths.append({"_path": name, **record})
        return path

    def placeholder(self, name: str, content: bytes | str, mode: str) -> Path:
        made = self.put(name, content, path_type="hardlink", file_mode=mode, prefix_placeholder=PLACEHOLDER)
        self.paths[-1]["sha256_in_prefix"] = hashlib.sha256(made.read_bytes()).hexdigest()
        return made

    def copy(self, link: object = None) -> Tally:
        record = {"name": "python", "files": [], "paths_data": {"paths_version": 1, "paths": self.paths}}
        (self.old / "conda-meta" / "python-3.12.4-0.json").write_text(json.dumps(record))
        self.new.mkdir()
        tally = Tally()
        copy = TreeCopy(Layout.of_prefix(self.old), self.new, self.new, tally)
        if link is not None:
            copy._link = link  # type: ignore[assignment]
        copy.make()
        return tally

    def shared(self, name: str) -> bool:
        return (self.old / name).samefile(self.new / name)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_only_what_names_the_prefix_is_written_anew(tree: Tree) -> None:
    spare = b"\0" * (len(PLACEHOLDER) - len(str(tree.old)))
    tree.put("lib/libplain.so", b"\0machine code", path_type="hardlink")
    tree.placeholder("lib/libnamed.so", f"{tree.old}/share".encode() + spare + b"\0end", "binary")
    tree.placeholder("lib/pkgconfig/x.pc", f"prefix={tree.old}\n", "text")
    tree.put("bin/tool", f"#!{tree.old}/bin/python3.12\n", mode=0o755, path_type="unix_python_entry_point")
    tree.put("share/notes.txt", "written by hand")
    tree.put("share/large.dat", b"x" * (2 << 20))
    tree.put("share/jupyter-gpu-kernels/manifest.json", "{}")
    tree.put("share/jupyter-gpu-kernels/wheels.txt", "six==1.17.0\n")
    tree.put("etc/conda/activate.d/jupyter-gpu-kernels.sh", "ours")
    tree.put("etc/conda/activate.d/other.sh", f"export OTHER={tree.old}/x\n")
    tree.put("conda-meta/history", f"# cmd: conda install -p {tree.old} six\n")
    tally = tree.copy()
    assert tree.shared("lib/libplain.so")
    assert tree.shared("share/large.dat")
    for name in ("lib/libnamed.so", "lib/pkgconfig/x.pc", "bin/tool", "share/notes.txt", "conda-meta/history"):
        assert not tree.shared(name), name
        assert (tree.new / name).stat().st_mode == (tree.old / name).stat().st_mode
        assert (tree.new / name).stat().st_mtime_ns == 10**18
    assert (tree.new / "bin/tool").read_text() == f"#!{tree.new}/bin/python3.12\n"
    assert (tree.new / "lib/libnamed.so").read_bytes().startswith(f"{tree.new}/share\0".encode())
    assert len((tree.new / "lib/libnamed.so").read_bytes()) == len((tree.old / "lib/libnamed.so").read_bytes())
    assert (tree.new / "etc/conda/activate.d/other.sh").read_text() == f"export OTHER={tree.new}/x\n"
    assert (tree.new / "conda-meta/history").read_text() == f"# cmd: conda install -p {tree.new} six\n"
    # What is ours is made anew by whoever builds.
    assert not (tree.new / "share/jupyter-gpu-kernels/manifest.json").exists()
    assert not (tree.new / "etc/conda/activate.d/jupyter-gpu-kernels.sh").exists()
    assert (tree.new / "share/jupyter-gpu-kernels/wheels.txt").exists()
    # The record tells the truth of the new files, and is nobody else's.
    record = json.loads((tree.new / "conda-meta/python-3.12.4-0.json").read_text())
    for entry in record["paths_data"]["paths"]:
        if "sha256_in_prefix" in entry:
            content = (tree.new / entry["_path"]).read_bytes()
            assert entry["sha256_in_prefix"] == hashlib.sha256(content).hexdigest()
    assert (tally.done, tally.total, tally.rewritten) == (tally.total, tally.linked + tally.copied, 5)
    assert str(tree.old).encode() not in b"".join(path.read_bytes() for path in tree.new.rglob("*") if path.is_file())


def test_links_stay_links_and_several_names_of_a_file_stay_its_names(tree: Tree) -> None:
    tree.put("lib/libx.so.1", b"x", path_type="hardlink")
    (tree.old / "lib/libx.so").symlink_to("libx.so.1")
    (tree.old / "lib/absolute.so").symlink_to(tree.old / "lib" / "libx.so.1")
    (tree.old / "lib/elsewhere").symlink_to("/usr/lib")
    (tree.old / "lib/nowhere").symlink_to("gone")
    (tree.old / "lib/folder").symlink_to("pkgconfig")
    tree.put("lib/pkgconfig/x.pc", f"prefix={tree.old}\n")
    os.link(tree.old / "lib/pkgconfig/x.pc", tree.old / "lib/pkgconfig/y.pc")
    os.mkfifo(tree.old / "lib/pipe")
    (tree.old / "lib/closed").mkdir(mode=0o500)
    tally = tree.copy()
    assert {path.name: str(path.readlink()) for path in (tree.new / "lib").iterdir() if path.is_symlink()} == {
        "libx.so": "libx.so.1",
        "absolute.so": f"{tree.new}/lib/libx.so.1",
        "elsewhere": "/usr/lib",
        "nowhere": "gone",
        "folder": "pkgconfig",
    }
    assert (tree.new / "lib/pkgconfig/x.pc").samefile(tree.new / "lib/pkgconfig/y.pc")
    assert (tree.new / "lib/pkgconfig/y.pc").read_text() == f"prefix={tree.new}\n"
    assert tally.oddities == ["lib/pipe"]
    assert (tree.new / "lib/closed").stat().st_mode & 0o777 == 0o700, "whoever owns it may write it"
    assert (tree.new / "lib").stat().st_mtime_ns == (tree.old / "lib").stat().st_mtime_ns


def test_wheels_are_shared_but_for_their_scripts_and_what_was_built_here(tree: Tree) -> None:
    def wheel(name: str, tag: str, files: dict[str, bytes]) -> None:
        info = f"{name}-1.0.dist-info"
        rows = []
        for path, content in {**files, f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode()}.items():
            tree.put(f"{tree.site}/{path}" if not path.startswith("..") else path.replace("../../../", ""), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append([path, f"sha256={digest}", str(len(content))])
        rows.append([f"{info}/RECORD", "", ""])
        tree.put(f"{tree.site}/{info}/RECORD", "".join(",".join(row) + "\n" for row in rows))

    script = f"#!{tree.old}/bin/python\n".encode()
    rpath = f"{tree.old}/lib".encode() + b"\0" * 4
    wheel(
        "downloaded", "cp312-cp312-manylinux_2_28_x86_64", {"d/a.py": b"a", "d/x.so": rpath, "../../../bin/d": script}
    )
    wheel("built", "cp312-cp312-linux_x86_64", {"b/x.so": b"\0" + f"{tree.old}/x".encode() + b"\0" * 9, "b/a.py": b"a"})
    tree.put(f"{tree.site}/mine.pth", f"{tree.old}/src\n")
    tree.new = tree.new.with_name("new")
    tree.copy()
    assert tree.shared(f"{tree.site}/d/a.py")
    assert tree.shared(f"{tree.site}/d/x.so"), "an index would not take a wheel that names a directory of one machine"
    assert tree.shared(f"{tree.site}/b/a.py")
    assert f"{tree.new}/x\0".encode() in (tree.new / tree.site / "b/x.so").read_bytes()
    assert (tree.new / tree.site / "mine.pth").read_text() == f"{tree.new}/src\n"
    assert tree.shared(f"{tree.site}/downloaded-1.0.dist-info/WHEEL")
    # The lists of files are true again.
    for name in ("downloaded", "built"):
        with (tree.new / tree.site / f"{name}-1.0.dist-info/RECORD").open(newline="") as file:
            for path, expected, size in csv.reader(file):
                if expected:
                    content = (tree.new / tree.site / path).read_bytes()
                    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                    assert (expected, int(size)) == (f"sha256={digest}", len(content))


def test_bytecode_of_what_was_written_anew_is_left_out(tree: Tree) -> None:
    # Of the same length, so that time and size of the source tell no difference.
    tree.new = tree.new.with_name("neu")
    same, named = "x = 1\n", f"home = {str(tree.old)!r}\n"
    tree.put("lib/python3.12/same.py", same, path_type="hardlink")
    tree.placeholder("lib/python3.12/named.py", named, "text")
    for module in ("same", "named"):
        source = tree.old / f"lib/python3.12/{module}.py"
        py_compile.compile(str(source), cfile=str(source.parent / "__pycache__" / f"{module}.cpython-312.pyc"))
    tree.copy()
    assert (tree.new / "lib/python3.12/named.py").stat().st_size == len(named)
    assert os.listdir(tree.new / "lib/python3.12/__pycache__") == ["same.cpython-312.pyc"]


def test_where_nothing_can_be_linked_everything_is_copied(tree: Tree) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    tree.put("lib/plain.so", b"code", mode=0o755, path_type="hardlink")
    tally = tree.copy(link=refuse)
    assert tally.linked == 0
    assert not tree.shared("lib/plain.so")
    assert (tree.new / "lib/plain.so").stat().st_mode == (tree.old / "lib/plain.so").stat().st_mode


def test_a_program_without_room_is_named_with_what_to_do(tree: Tree) -> None:
    tree.put("bin/mine", b"\0" + f"{tree.old}/x".encode() + b"\0end", mode=0o755)
    with pytest.raises(InstallError, match="bin/mine has no room") as caught:
        tree.copy()
    assert "no longer than 'old'" in caught.value.cure


def test_a_copy_that_nobody_wants_any_more_stops(tree: Tree) -> None:
    tree.put("lib/plain.so", b"code", path_type="hardlink")
    tree.new.mkdir()
    tally = Tally()
    tally.stop.set()
    with pytest.raises(StoppedError):
        TreeCopy(Layout.of_prefix(tree.old), tree.new, tree.new, tally).make()
    assert not (tree.new / "lib/plain.so").exists()
