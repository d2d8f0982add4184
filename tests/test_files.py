"""Files of others: what is read of them, and what is refused with a sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from jupyter_gpu_kernels.build.files import (
    environment_yml,
    explicit,
    formats,
    notes,
    pixi_lock,
    recipe_json,
    requirement_lines,
    texts,
)
from jupyter_gpu_kernels.build.files.parsed import Parsed
from jupyter_gpu_kernels.build.planning import telling
from jupyter_gpu_kernels.build.planning.catalogue import Catalogue
from jupyter_gpu_kernels.build.planning.targets import Target
from jupyter_gpu_kernels.errors import GpuKernelsError, InvalidInputError, RefusedError, TooLargeError
from jupyter_gpu_kernels.models import EnvironmentSpec, FileFormat, Installer, PlannedPackage, Variant

HERE = "linux-64"
BASE = "https://example.org/lab"
MD5 = "0123456789abcdef0123456789abcdef"
SHA = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"

YML = """\
name: Study 1
channels:
  - lab
  - nodefaults
dependencies:
  - python=3.11
  - numpy>=2,<3
  - lab::warpdrive=1.5=cpu_0
  - pip
  - pip:
      - six==1.17.0  # for old code
      - colorama; sys_platform == "win32"
      - tomli; python_version < "3.11"
      - rich[jupyter]>=13
variables:
  SPEED: warp
prefix: /home/somebody/envs/study
"""

EXPLICIT = f"""\
# platform: linux-64
@EXPLICIT
{BASE}/linux-64/python-3.12.4-h1_0.conda#{MD5}
{BASE}/noarch/ipykernel-7.3.0-pyh1_0.conda#sha256:{SHA}
https://me:hunter2@example.org/t/secret/lab/noarch/six-1.17.0-0.tar.bz2

# pip lodestar @ https://example.org/w/lodestar-1.5-py3-none-any.whl --hash=sha256:{SHA}
# pip old @ https://example.org/w/old-0.1-py3-none-any.whl#sha256={SHA}
# pip beam==2.0 --hash=sha256:{SHA}
"""

CONDA_LOCK = f"""\
version: 1
metadata:
  content_hash: {{linux-64: {SHA}}}
  channels:
    - url: lab
      used_env_vars: []
  platforms: [linux-64, osx-arm64]
  sources: [environment.yml]
package:
  - name: python
    version: 3.12.10
    manager: conda
    platform: linux-64
    dependencies: {{libffi: '>=3'}}
    url: {BASE}/linux-64/python-3.12.10-h1_0.conda
    hash: {{md5: {MD5}, sha256: {SHA}}}
    category: main
    optional: false
  - name: ipykernel
    version: 7.3.0
    manager: conda
    platform: linux-64
    dependencies: {{}}
    url: {BASE}/noarch/ipykernel-7.3.0-pyh1_0.conda
    hash: {{md5: {MD5}}}
    category: main
    optional: false
  - name: sphinx
    version: '8.0'
    manager: conda
    platform: linux-64
    dependencies: {{}}
    url: {BASE}/noarch/sphinx-8.0-pyh1_0.conda
    hash: {{}}
    category: docs
    optional: true
  - name: python
    version: 3.12.10
    manager: conda
    platform: osx-arm64
    dependencies: {{}}
    url: {BASE}/osx-arm64/python-3.12.10-h1_0.conda
    hash: {{md5: {MD5}}}
    category: main
    optional: false
  - name: lodestar
    version: '1.5'
    manager: pip
    platform: linux-64
    dependencies: {{}}
    url: https://example.org/w/lodestar-1.5-py3-none-any.whl
    hash: {{sha256: {SHA}}}
    category: main
    optional: false
"""

PIXI = f"""\
version: 6
environments:
  default:
    channels:
      - url: {BASE}/
    packages:
      linux-64:
        - conda: {BASE}/linux-64/python-3.12.4-h1_0.conda
        - conda: {BASE}/noarch/ipykernel-7.3.0-pyh1_0.conda
        - pypi: https://example.org/w/lodestar-1.5-py3-none-any.whl
  docs:
    channels:
      - url: {BASE}/
    packages:
      linux-64:
        - conda: {BASE}/linux-64/python-3.12.4-h1_0.conda
packages:
  - conda: {BASE}/linux-64/python-3.12.4-h1_0.conda
    sha256: {SHA}
    md5: {MD5}
    depends: []
  - conda: {BASE}/noarch/ipykernel-7.3.0-pyh1_0.conda
    sha256: {SHA}
    depends: [python]
  - pypi: https://example.org/w/lodestar-1.5-py3-none-any.whl
    name: lodestar
    version: '1.5'
    sha256: {SHA}
"""

REQUIREMENTS = f"""\
# python 3.11.7
six==1.17.0 \\
    --hash=sha256:{SHA} \\
    --hash=sha256:{SHA[::-1]}   # both are good
# a comment that ends so \\
numpy==2.1.0 --hash=sha256:{SHA}
colorama==0.4.6 ; sys_platform == "win32" --hash=sha256:{SHA}
"""


def read(text: str, **more: str) -> Parsed:
    return formats.read(text, platform=HERE, **more)


def test_an_environment_yml_is_read_as_conda_reads_it() -> None:
    found = read(YML)
    assert (found.format, found.exact) == (FileFormat.ENVIRONMENT_YML, None)
    assert found.spec.name == "Study 1"
    assert found.spec.channels == ("lab",)
    assert found.spec.packages == ("python=3.11", "numpy>=2,<3", "lab::warpdrive=1.5=cpu_0", "pip")
    assert found.spec.pip == ("six==1.17.0", "rich[jupyter]>=13")
    assert (found.spec.installer, found.spec.recipe) == (Installer.CONDA, False)
    assert ["prefix" in text or "variables" in text for text in found.warnings] == [True, True]


def test_what_is_written_for_conda_is_plain_yaml_that_says_the_same() -> None:
    packages = ["python >=3.10,<3.14", "warpdrive[version='1.5.*', build='*cuda*']", "yes", "1.10", "pip"]
    text = environment_yml.write(name="no", channels=["lab"], packages=packages, pip=["six"])
    assert yaml.safe_load(text)["dependencies"] == [*packages, {"pip": ["six"]}]
    assert yaml.safe_load(text)["name"] == "no"
    assert read(text).spec.packages == tuple(packages)


def test_an_explicit_list_is_read_with_its_wheels_and_without_passwords() -> None:
    found = read(EXPLICIT).exact
    assert found is not None
    assert [(pin.parts, pin.md5, pin.sha256) for pin in found.conda] == [
        (("python", "3.12.4", "h1_0"), MD5, ""),
        (("ipykernel", "7.3.0", "pyh1_0"), "", SHA),
        (("six", "1.17.0", "0"), "", ""),
    ]
    assert found.conda[2].url == f"{BASE}/noarch/six-1.17.0-0.tar.bz2"
    wheels = [(pin.name, pin.version) for pin in found.wheels]
    assert wheels == [("lodestar", "1.5"), ("old", "0.1"), ("beam", "2.0")]
    assert all(pin.hashes == (f"sha256:{SHA}",) for pin in found.wheels)


def test_locks_of_others_are_read_for_this_platform() -> None:
    found = read(CONDA_LOCK)
    assert found.exact is not None
    assert found.format is FileFormat.CONDA_LOCK
    assert [pin.parts[:2] for pin in found.exact.conda] == [("python", "3.12.10"), ("ipykernel", "7.3.0")]
    assert found.exact.conda[0].sha256 == SHA
    assert [pin.line for pin in found.exact.wheels] == [f"lodestar==1.5 --hash=sha256:{SHA}"]
    assert "1 packages of the lock's extra" in found.warnings[0]
    with pytest.raises(RefusedError, match=r"\(win-64\), but for: linux-64, osx-arm64\. Import the environment\.yml"):
        formats.read(CONDA_LOCK, platform="win-64")
    found = read(PIXI)
    assert found.exact is not None
    assert (found.format, found.spec.name, found.exact.lock) == (FileFormat.LOCK, "", PIXI)
    assert found.exact.names == {"python", "ipykernel", "lodestar"}
    docs = read(PIXI, name="docs")
    assert docs.exact is not None
    assert (docs.spec.name, docs.exact.names) == ("docs", {"python"})
    with pytest.raises(RefusedError, match=r"osx-arm64\), but for: linux-64"):
        formats.read(PIXI, platform="osx-arm64")
    with pytest.raises(RefusedError, match=r"none is called default: 'first', 'docs'"):
        read(PIXI.replace("  default:", "  first:"))
    # Since version 7 platforms may have names of their own.
    newer = PIXI.replace("version: 6", "version: 7\nplatforms:\n- name: gpu\n  subdir: linux-64")
    assert read(newer.replace("      linux-64:", "      gpu:")).exact == found.exact.__class__(
        conda=found.exact.conda, wheels=found.exact.wheels, lock=newer.replace("      linux-64:", "      gpu:")
    )


def test_requirements_are_read_as_pip_reads_them() -> None:
    found = read(REQUIREMENTS)
    assert found.exact is not None
    assert found.exact.python == "3.11.7"
    assert [(pin.name, len(pin.hashes)) for pin in found.exact.wheels] == [("six", 2), ("numpy", 1)]
    loose = read("-i-am-no-option\n".replace("-i-am-no-option", "numpy>=2") + "tomli; python_version < '3'\nrich\n")
    assert loose.exact is None
    assert (loose.spec.packages, loose.spec.installer) == (("numpy>=2", "rich"), Installer.PYPI)
    # Markers were decided for one Python, so that it must be that one.
    assert loose.spec.python is not None


def test_our_own_exact_files_say_what_was_asked_for() -> None:
    spec = EnvironmentSpec(name="warp", framework="warpdrive", channels=("https://me:pw@example.org/lab",))
    line = notes.line(notes.Note(spec=spec, asked=("python 3.12.*",)))
    assert "pw" not in line
    found = read(EXPLICIT.replace("@EXPLICIT", f"{line}\n@EXPLICIT"))
    assert found.note is not None
    assert (found.note.asked, found.spec.framework) == (("python 3.12.*",), "warpdrive")
    assert found.spec.channels == (BASE,)
    with pytest.raises(InvalidInputError, match="options, paths"):
        read(EXPLICIT.replace("@EXPLICIT", f"{line.replace('python 3.12.*', '--file=/etc/passwd')}\n@EXPLICIT"))


@pytest.mark.parametrize(
    ("names", "asked", "framework"),
    [
        (("torch", "numpy"), (), "pytorch"),
        (("tensorflow", "keras", "numpy"), (), "tensorflow"),
        (("tensorflow", "keras"), ("keras",), "keras"),
        (("jax", "jaxlib"), (), "jax"),
        (("numpy",), (), "python"),
    ],
)
def test_the_framework_is_told_from_the_packages(names, asked, framework: str) -> None:
    assert telling.framework_of(Catalogue.load(), names, asked) == framework


def test_what_others_have_chosen_is_told_by_its_packages() -> None:
    pytorch = Catalogue.load().get("pytorch")
    machine = Target(platform=HERE, cuda="12.4", driver="this machine's driver 550.54", gpus="its GPU")
    old = replace(machine, cuda="11.8")
    none = Target(platform=HERE, missing="There is no driver.")
    toolkit = PlannedPackage(name="cuda-version", version="12.6")

    def told(build: str, aim: Target) -> tuple[Variant, str]:
        packages = [PlannedPackage(name="pytorch", version="2.7.1", build=build), toolkit]
        recipe, _, warnings = telling.told(pytorch, Installer.CONDA, packages, aim)
        return recipe.variant, " ".join(warnings)

    assert told("cuda126_py312h1_0", machine) == (Variant.GPU, "")
    assert "which needs NVIDIA driver" in told("cuda126_py312h1_0", old)[1]
    assert told("cuda126_py312h1_0", none)[1].endswith("There is no driver.")
    assert told("cpu_generic_py312h1_0", none) == (Variant.CPU, "")
    variant, warning = told("cpu_generic_py312h1_0", machine)
    assert (variant, "leaves its GPU unused" in warning) == (Variant.CPU, True)


def in_yml(entry: str) -> str:
    return f"dependencies:\n  - python\n  - {entry}\n"


def in_pip(entry: str) -> str:
    return f"dependencies:\n  - python\n  - pip:\n    - {entry}\n"


BOMB = "a: &a [x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b]\ndependencies: [*c]\n"

#: What the file is, and a part of the sentence that refuses it.
HOSTILE: dict[str, tuple[str | Callable[[], str], str]] = {
    "bomb": (BOMB, "repeats a part of itself"),
    "deep": (lambda: "dependencies: " + "[" * 5000, "nested deeper"),
    "merge": ("x: &x {a: b}\ndependencies:\n  - <<: *x\n", "repeats a part"),
    "type": ("dependencies: !!python/object/apply:os.system ['id']\n", "names a type"),
    "odd type": ("dependencies: [!!bool x]\n", "not valid YAML"),
    "deep marker": (lambda: f"six ; {'(' * 500}python_version > '3'{')' * 500}\n", "no requirement"),
    "tag": ("dependencies: !include /etc/passwd\n", "names a type"),
    "twice": ("dependencies: [a]\ndependencies: [b]\n", "twice"),
    "not yaml": ("dependencies: [a\nname: x\n", "not valid YAML in line"),
    "no list": ("dependencies: numpy\n", "is no list"),
    "nested": (in_yml("[a, b]"), "neither a package nor a pip section"),
    "endless number": (lambda: f"name: {'9' * 5000}\ndependencies: []\n", ""),
    "too large": (lambda: "dependencies:\n" + "  - numpy\n" * 40_000, "bytes long"),
    "too many": (lambda: "dependencies:\n" + "  - a\n" * 3_000, "2000 are the most"),
    "null": ("dependencies:\n  - a\0b\n", "has a character"),
    "upside down": ("dependencies:\n  - nump\u202ey\n", "has a character"),
    "binary": (lambda: random.Random(1).randbytes(2000).decode("latin-1"), "character|nothing that environments"),
    "empty": (" \n", "is empty"),
    "endless space": (lambda: f"six{' ' * 300_000}!", "nothing that environments|is no requirement|characters"),
    "endless comment": (lambda: f"six\nrich{' ' * 300_000}x", "a line of 300005 characters"),
    "endless lines": (lambda: "\n" * 1_000_000 + "!", "nothing that environments"),
    "endless python": (lambda: f"# python{' ' * 300_000}x\nsix==\n", "no requirement"),
    "endless package": (lambda: in_yml(f"python{' ' * 100_000}x"), "too long for a package"),
    "endless semicolons": (lambda: "six" + ";" * 60_000, "no requirement"),
    "html": ("<!doctype html><html></html>", "nothing that environments"),
    "prose": ("This is my environment, good luck!", "nothing that environments"),
    "file channel": ("channels: ['file:///etc']\ndependencies: [a]\n", "directory of some machine"),
    "path channel": ("channels: [/tmp/evil]\ndependencies: [a]\n", "directory of some machine"),
    "hidden channel": (in_yml("evil::numpy"), "does not list"),
    "hidden address": (in_yml("https://example.org/evil::numpy"), "does not list"),
    "option": (in_pip("-r /etc/passwd"), "reads another file"),
    "glued option": (in_pip("-r/etc/passwd"), "reads another file"),
    "index": (in_pip("--index-url https://example.org/evil"), "says where packages come from"),
    "editable": (in_pip("-e ."), "installs a directory"),
    "late option": (in_pip("six --index-url=https://example.org"), "has the option --index-url"),
    "short option": (in_pip("six -i https://example.org"), "has the option -i"),
    "path": (in_pip("./evil"), "names a place"),
    "absolute path": (in_pip("/tmp/evil.whl"), "names a place"),
    "wheel": (in_pip("evil-1.0-py3-none-any.whl"), "names a place"),
    "address": (in_pip("evil @ https://example.org/evil.whl"), "names a place"),
    "file address": (in_pip("evil @ file:/tmp/evil"), "by an address|names a place"),
    "repository": (in_pip("git+https://example.org/evil.git"), "names a place"),
    "requirements with a file": ("six\n-r other.txt\n", "reads another file"),
    "requirements with constraints": ("-c other.txt\nsix\n", "reads another file"),
    "requirements with an address": ("https://example.org/six.whl\n", "nothing that environments|names a place"),
    "hidden by a continuation": ("six \\\n --extra-index-url https://example.org\n", "has the option"),
    "half hashed": (f"six==1.0 --hash=sha256:{SHA}\nnumpy==2.0\n", "or none, as pip wants it"),
    "bad hash": ("six==1.0 --hash=sha256:xyz\n", "a hash that is none"),
    "weak hash": (f"six==1.0 --hash=md5:{MD5[:-1]}\n", "a hash that is none"),
    "explicit file": ("@EXPLICIT\nfile:///tmp/evil/linux-64/a-1-0.conda\n", "no web address of a conda package"),
    "explicit path": ("@EXPLICIT\n/tmp/evil/linux-64/a-1-0.conda\n", "no web address"),
    "explicit climbing": (f"@EXPLICIT\n{BASE}/../../linux-64/a-1-0.conda\n", "no web address"),
    "explicit wheel": (f"@EXPLICIT\n{BASE}/noarch/a-1-py3-none-any.whl\n", "no web address"),
    "explicit spec": ("@EXPLICIT\nnumpy=2\n", "no web address"),
    "explicit hash": (f"@EXPLICIT\n{BASE}/linux-64/a-1-0.conda#zzz\n", "a hash that is none"),
    "explicit platform": (f"@EXPLICIT\n{BASE}/win-64/a-1-0.conda\n", "for win-64, and this machine is linux-64"),
    "explicit other": ("# platform: osx-arm64\n@EXPLICIT\n", "for 'osx-arm64', and this machine is linux-64"),
    "explicit pip": ("@EXPLICIT\n# pip evil @ git+https://example.org/evil.git\n", "no wheel of the package index"),
    "explicit many": (
        lambda: "@EXPLICIT\n" + "".join(f"{BASE}/noarch/a{number}-1-0.conda\n" for number in range(2001)),
        "2000 are the most",
    ),
    "lock of the future": (PIXI.replace("version: 6", "version: 99"), "7 is the newest known"),
    "lock with a path": (PIXI.replace("- conda: " + BASE + "/linux-64", "- conda: ./pkgs"), "no web address"),
    "lock with a file": (PIXI.replace("https://example.org/w/", "file:///w/"), "and not from a package index"),
    "lock with a checkout": (PIXI.replace("https://example.org/w/", "./"), "and not from a package index"),
    "lock with a hash": (PIXI.replace(SHA, "../../etc"), "a hash that is none"),
    "lock with nothing": ("version: 6\nenvironments: []\n", "malformed"),
    "conda-lock of the future": (CONDA_LOCK.replace("version: 1\nm", "version: 2\nm"), "and 1 can be read"),
    "conda-lock with git": (
        CONDA_LOCK.replace("https://example.org/w/", "git+https://example.org/"),
        "a place of its own",
    ),
    "conda-lock with a path": (CONDA_LOCK.replace(f"{BASE}/linux-64", "file:///x/linux-64"), "no web address"),
    "conda-lock with words": (CONDA_LOCK.replace("manager: pip", "manager: brew"), "neither conda's nor pip's"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_hostile_is_refused_with_a_sentence(case: str) -> None:
    given, sentence = HOSTILE[case]
    text = given() if callable(given) else given
    if not sentence:
        # Harmless after all, and quick.
        read(text)
        return
    with pytest.raises(GpuKernelsError, match=sentence) as caught:
        read(text)
    assert caught.value.cure
    assert isinstance(caught.value, (InvalidInputError, RefusedError))
    assert len(caught.value.message) < 300


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no text in UTF-8"):
        texts.decoded(b"\xff\xfe\x00\x01")
    with pytest.raises(TooLargeError):
        texts.decoded(b"#" * (texts.LOCKED + 1))
    assert texts.decoded(b"\xef\xbb\xbfsix\r\nrich\r\n") == "six\nrich\n"


def test_a_lock_of_thousands_of_packages_is_read_soon_enough() -> None:
    extra = "".join(
        f"  - conda: {BASE}/noarch/p{number}-1.0-0.conda\n    sha256: {SHA}\n    md5: {MD5}\n" for number in range(8000)
    )
    assert read(PIXI + extra).exact is not None


def test_a_notebook_is_as_good_as_the_recipe_in_it() -> None:
    assert recipe_json.read('{"name": "warp"}') == {"name": "warp"}
    assert recipe_json.read('{"nbformat": 4, "metadata": {"jupyter_gpu_kernels": {"name": "warp"}}}') == {
        "name": "warp"
    }
    for text in ('{"nbformat": 4, "metadata": {}}', '{"nbformat": 4, "metadata": []}', "{" * 100_000):
        with pytest.raises(InvalidInputError):
            recipe_json.read(text)


def test_lines_are_joined_as_pip_joins_them() -> None:
    text = "a \\\n  b\n# c \\\nd  # e\nf#g\nh \\\n# i\nj \\"
    assert list(requirement_lines.joined(text)) == ["a   b", "d", "f#g", "h", "j"]


def test_hashes_of_wheels_go_into_a_lock() -> None:
    url = "https://example.org/w/six-1.17.0+a-py3-none-any.whl"
    text = f"packages:\n- pypi: {url}\n  name: six\n  version: 1.17.0\n  requires_dist: [a]\n"
    made = pixi_lock.with_hashes(text, [{"url": url, "sha256": SHA}])
    assert yaml.safe_load(made)["packages"][0]["sha256"] == SHA
    assert explicit.MARK not in made
