"""The command line: words, answers, exit codes, progress, interruption."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from patience import PATIENCE, wait_until
from scripted import BENCHMARK, VERIFICATION, ScriptedManager, ScriptedWorkshop, environment_of, manifest_of, plan_of

from jupyter_gpu_kernels import errors, models
from jupyter_gpu_kernels.cli import text
from jupyter_gpu_kernels.cli.arguments import EPILOG, make_parser, parse, spec_of
from jupyter_gpu_kernels.cli.exits import Exit, of_code
from jupyter_gpu_kernels.cli.fitting import fit, fitted
from jupyter_gpu_kernels.cli.progress import Bars, Lines, describe, watch
from jupyter_gpu_kernels.cli.run import run
from jupyter_gpu_kernels.errors import ChannelError, RefusedError, SolveError
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    GpuPolicy,
    Installer,
    Job,
    JobKind,
    JobState,
    MemoryPreset,
    Placement,
    Progress,
    Refusal,
    Stage,
    Variant,
    from_json,
    to_json,
)

SPEC = EnvironmentSpec(name="tf", framework="tensorflow")


@dataclass
class Result:
    code: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def workshop() -> ScriptedWorkshop:
    return ScriptedWorkshop()


@pytest.fixture
def call(workshop: ScriptedWorkshop, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command over the scripted workshop, in this process."""

    class Manager(ScriptedManager):
        def _workshop_default(self) -> ScriptedWorkshop:
            return workshop

    def call(*words: str) -> Result:
        try:
            code = run(*parse(words), manager_class=Manager)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_option_reaches_the_spec() -> None:
    words = (
        "create tf --framework tensorflow --variant gpu --version 2.19 --python 3.12 --cuda 12.9 --target-cuda 13.0 "
        "--target-gpu H100 "
        "--installer conda --channel https://a.example/c --channel https://b.example/d --package numpy>=2 "
        "--package scipy --pip einops --no-companions --no-verify --memory grow --display-name Mine --sys-prefix"
    )
    arguments, traits = parse(words.split())
    assert traits == []
    assert spec_of(arguments) == EnvironmentSpec(
        name="tf",
        framework="tensorflow",
        variant=Variant.GPU,
        version="2.19",
        python="3.12",
        cuda="12.9",
        target_cuda="13.0",
        target_gpu="H100",
        installer=Installer.CONDA,
        channels=("https://a.example/c", "https://b.example/d"),
        packages=("numpy>=2", "scipy"),
        pip=("einops",),
        companions=False,
        verify=False,
        memory=MemoryPreset.GROW,
        display_name="Mine",
        sys_prefix=True,
    )
    assert spec_of(parse(["plan", "tf"])[0]) == EnvironmentSpec(name="tf")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "nonsense",
        "create",
        "create tf --nonsense",
        "create tf --variant tpu",
        "create tf --fram tensorflow",
        "create tf --package -c evil",
        "remove",
        "remove tf --all",
        "list --GpuKernelsManager.silence",
        "list --gpukernelsmanager.silence=3",
    ],
)
def test_words_that_make_no_sense_are_refused(call: Call, workshop: ScriptedWorkshop, words: str) -> None:
    result = call(*words.split())
    assert (result.code, result.out) == (Exit.USAGE, "")
    assert "error:" in result.err
    assert workshop.called == []


@pytest.mark.parametrize("words", ["--help", "create --help", "list --help"])
def test_help_documents_the_exit_codes(call: Call, words: str) -> None:
    result = call(*words.split())
    assert (result.code, result.err) == (0, "")
    assert EPILOG in result.out
    for code in Exit:
        assert f"\n  {code.value} " in EPILOG


def test_the_readme_documents_the_exit_codes_and_commands() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    for code in Exit:
        assert str(code.value) in readme.split("Exit codes:")[1].split("\n## ")[0].split()
    actions = next(action for action in make_parser()._actions if action.dest == "command")
    assert actions.choices is not None
    assert [name for name in actions.choices if f"`{name}" not in readme] == []


def test_every_error_has_an_exit_code() -> None:
    def family(kind: type[errors.GpuKernelsError]) -> list[type[errors.GpuKernelsError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in family(child))]

    codes = {kind.code: of_code(kind.code) for kind in family(errors.GpuKernelsError)}
    assert codes["invalid_name"] == codes["unknown_framework"] == codes["too_large"] == Exit.USAGE
    assert codes["refused"] == Exit.REFUSED
    assert codes["not_found"] == Exit.NOT_FOUND
    assert codes["name_taken"] == codes["environment_busy"] == codes["kernels_running"] == Exit.CONFLICT
    assert codes["cancelled"] == Exit.CANCELLED
    assert (
        codes["unsatisfiable"] == codes["channel"] == codes["broken_environment"] == of_code("internal") == Exit.FAILED
    )


def test_create_follows_the_job_to_its_end(call: Call, workshop: ScriptedWorkshop) -> None:
    result = call("create", "tf", "--framework", "tensorflow")
    assert result.code == 0
    assert result.out == "tf (TensorFlow 2.19 · CUDA 12.9) is ready.\nTensorFlow 2.19.0 computes.\n"
    assert result.err == (
        "Finding packages that fit ...\n"
        "tensorflow 2.19.0 (CUDA 12.9), Python 3.12.4, from conda, 100 B to download, about 300 B on disk.\n"
        "Note: It is large.\n"
        "Downloading ...\n"
        "Registering ...\n"
    )
    assert workshop.called == ["create tf"]


def test_json_is_the_model_and_nothing_else(call: Call, workshop: ScriptedWorkshop) -> None:
    result = call("create", "tf", "--framework", "tensorflow", "--json")
    job = from_json(Job, json.loads(result.out))
    assert (result.code, result.err) == (0, "")
    assert (job.state, job.spec, job.verification) == (JobState.SUCCEEDED, SPEC, VERIFICATION)
    answers = {
        ("list",): [to_json(environment_of(workshop.built["tf"]))],
        ("show", "tf"): to_json(workshop.built["tf"]),
        ("frameworks",): to_json(workshop.frameworks()),
        ("gpus",): to_json(workshop.hardware()),
        ("plan", "new", "--framework", "tensorflow"): to_json(plan_of(replace(SPEC, name="new"))),
        ("jobs",): [to_json(replace(job, log=()))],
    }
    for words, model in answers.items():
        result = call(*words, "--json")
        assert (result.code, result.err, json.loads(result.out)) == (0, "", model), words
    for words in (("verify", "tf"), ("rebuild", "tf"), ("benchmark", "tf"), ("remove", "tf", "--yes")):
        result = call(*words, "--json")
        job = from_json(Job, json.loads(result.out))
        assert (result.code, result.err, job.kind.value, job.state) == (0, "", words[0], JobState.SUCCEEDED)
    assert json.loads(call("list", "--json").out) == []
    assert json.loads(call("remove", "--all", "--json").out) == []


def test_an_error_as_json_has_the_one_shape(call: Call) -> None:
    result = call("show", "tf", "--json")
    assert result.code == Exit.NOT_FOUND
    assert list(json.loads(result.out)) == ["code", "message", "cure", "detail"]
    assert result.err.startswith("Error: There is no environment named 'tf'.")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("create a/b", Exit.USAGE),
        ("create tf --framework nonsense", Exit.USAGE),
        ("create tf --pip=--index-url=https://example.com", Exit.USAGE),
        ("plan .. --framework tensorflow", Exit.USAGE),
        ("create OLD", Exit.CONFLICT),
        ("show nothing", Exit.NOT_FOUND),
        ("show ../old", Exit.USAGE),
        ("verify nothing", Exit.NOT_FOUND),
        ("rebuild nothing", Exit.NOT_FOUND),
        ("benchmark nothing", Exit.NOT_FOUND),
        ("remove nothing --yes", Exit.NOT_FOUND),
    ],
)
def test_what_cannot_be_is_said_with_a_next_step(
    call: Call, workshop: ScriptedWorkshop, words: str, code: Exit
) -> None:
    workshop.built["old"] = manifest_of(replace(SPEC, name="old"))
    result = call(*words.split())
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("Error: ")
    assert len(result.err.splitlines()) == 2, "what happened, and what to do next"
    assert workshop.called == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (SolveError("Nothing fits.", cure="Ask for less."), Exit.FAILED),
        (RefusedError("The driver is too old.", cure="Ask for CPU."), Exit.REFUSED),
        (ChannelError("The mirror is closed.", cure="Ask its owner."), Exit.FAILED),
        (ZeroDivisionError(), Exit.FAILED),
    ],
)
def test_a_failed_job_says_why_and_where_its_log_is(
    call: Call, workshop: ScriptedWorkshop, failure: Exception, code: Exit
) -> None:
    workshop.failure = failure
    result = call("create", "tf", "--framework", "tensorflow")
    assert (result.code, result.out) == (code, "")
    *_, message, cure, log = result.err.splitlines()
    if isinstance(failure, errors.GpuKernelsError):
        assert (message, cure) == (f"Error: {failure.message}", failure.cure)
    assert Path(log.removeprefix("The whole log: ")).read_text() == "create tf\n"
    job = from_json(Job, json.loads(call("create", "tf", "--framework", "tensorflow", "--json").out))
    assert job.state is JobState.FAILED


def test_an_unforeseen_error_is_no_bare_traceback(call: Call, workshop: ScriptedWorkshop) -> None:
    workshop.failure = ZeroDivisionError("by nobody")
    result = call("plan", "tf", "--framework", "tensorflow", "--json")
    assert (result.code, json.loads(result.out)["code"]) == (Exit.FAILED, "internal")
    assert result.err.splitlines()[-1].startswith("Try again")


def test_a_refused_plan_has_its_own_exit_code(call: Call, workshop: ScriptedWorkshop) -> None:
    workshop.refusal = Refusal(reason="The driver is too old.", cure="Ask for CUDA 11.8.")
    result = call("plan", "tf", "--framework", "tensorflow")
    assert (result.code, result.err) == (Exit.REFUSED, "")
    assert result.out == "It cannot be built: The driver is too old.\nAsk for CUDA 11.8.\n"
    result = call("plan", "tf", "--framework", "tensorflow", "--json")
    assert result.code == Exit.REFUSED
    assert json.loads(result.out)["refusal"]["cure"] == "Ask for CUDA 11.8."


def test_people_get_tables(call: Call, workshop: ScriptedWorkshop) -> None:
    assert "makes one" in call("list").out
    workshop.built["tf"] = replace(manifest_of(SPEC), benchmark=BENCHMARK)
    assert call("list").out == (
        "NAME  FRAMEWORK   VERSION  CUDA  PYTHON  INSTALLER  SIZE     STATE\n"
        "tf    tensorflow  2.19.0   12.9  3.12.4  conda      1.50 GB  verified\n"
    )
    assert call("plan", "new", "--framework", "tensorflow").out == (
        "Framework  tensorflow 2.19.0\n"
        "Variant    gpu. The driver runs CUDA 13.0.\n"
        "CUDA       12.9\n"
        "Python     3.12.4\n"
        "Installer  conda. The channels answer.\n"
        "Channels   conda-forge\n"
        "Packages   1 (--json lists them)\n"
        "Download   100 B\n"
        "On disk    about 300 B\n"
        "Note: It is large.\n"
    )
    shown = call("show", "tf").out
    assert "Prefix     /nowhere/tf\n" in shown
    assert "On disk    1.50 GB\n" in shown
    assert "The GPU is 20.0 times as fast: convolution.\n" in shown
    assert "Driver 580.1, CUDA up to 13.0" in call("gpus").out
    assert "TensorFlow" in call("frameworks").out
    assert "There are no jobs" in call("jobs").out
    assert "A GPU" in call("benchmark", "tf").out
    assert "computes" in call("verify", "tf").out
    assert "benchmark" in call("jobs").out


def test_what_the_launcher_shows_is_changed(call: Call, workshop: ScriptedWorkshop) -> None:
    workshop.built["tf"] = manifest_of(SPEC)
    assert call("rename", "tf", "--display-name", "Mine (GPU)") == Result(0, "tf is now shown as Mine (GPU).\n", "")
    assert workshop.built["tf"].display_name == "Mine (GPU)"
    assert json.loads(call("rename", "tf", "--display-name", "Other", "--json").out)["display_name"] == "Other"
    assert call("rename", "tf", "--display-name", "").code == Exit.USAGE
    assert call("rename", "tf").code == Exit.USAGE
    assert call("rename", "nothing", "--display-name", "Mine").code == Exit.NOT_FOUND


def test_the_memory_preset_is_changed(call: Call, workshop: ScriptedWorkshop) -> None:
    workshop.built["tf"] = manifest_of(SPEC)
    assert call("memory", "tf", "grow").out == "tf has the memory preset grow when it is next started.\n"
    assert workshop.built["tf"].launch.memory is MemoryPreset.GROW
    assert "Memory     grow\n" in call("show", "tf").out
    assert json.loads(call("memory", "tf", "default", "--json").out)["memory"] == "default"
    assert call("memory", "tf", "all").code == Exit.USAGE
    assert call("memory", "tf").code == Exit.USAGE


def test_a_part_of_the_memory_is_asked_for(call: Call, workshop: ScriptedWorkshop) -> None:
    for words in (["--memory", "fraction", "--memory-fraction", "0.4"], ["--memory-fraction", "0.4"]):
        spec = spec_of(parse(["create", "tf", *words])[0])
        assert (spec.memory, spec.memory_fraction) == (MemoryPreset.FRACTION, 0.4)
    assert spec_of(parse(["create", "tf", "--memory", "fraction"])[0]).memory_fraction == 0.5
    workshop.built["tf"] = manifest_of(SPEC)
    said = call("memory", "tf", "fraction", "--fraction", "0.4").out
    assert said == "tf has the memory preset fraction (0.4) when it is next started.\n"
    assert workshop.built["tf"].launch.memory_fraction == 0.4
    assert "Memory     fraction (0.4)\n" in call("show", "tf").out
    for wrong in (["grow", "--fraction", "0.4"], ["fraction", "--fraction", "1.5"], ["fraction", "--fraction", "x"]):
        assert call("memory", "tf", *wrong).code == Exit.USAGE


def test_the_cuda_of_a_plan_is_explained(call: Call, workshop: ScriptedWorkshop) -> None:
    reason = "CUDA 12.9: the newest that TensorFlow 2.19.1 is built for and that this machine's driver runs."
    built = manifest_of(SPEC)
    workshop.built["tf"] = replace(built, plan=replace(built.plan, cuda="12.9", cuda_reason=reason))
    assert "CUDA       12.9: the newest that TensorFlow 2.19.1 is built for" in call("show", "tf").out
    assert text.outline(workshop.built["tf"].plan).splitlines()[1] == reason


def test_remove_asks_on_a_terminal(call: Call, workshop: ScriptedWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.built["tf"] = manifest_of(SPEC)
    workshop.built["jax"] = manifest_of(replace(SPEC, name="jax"))
    result = call("remove", "tf")
    assert result.code == Exit.USAGE
    assert "--yes" in result.err
    assert set(workshop.built) == {"tf", "jax"}
    assert call("remove", "tff").code == Exit.NOT_FOUND, "nobody is asked about what is not there"
    for answer, code, left in (("n\n", Exit.CANCELLED, {"tf", "jax"}), ("y\n", Exit.DONE, {"jax"})):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        assert call("remove", "tf").code == code
        assert "Remove the environment 'tf' and its kernel? [y/N]" in terminal.getvalue()
        assert set(workshop.built) == left
    monkeypatch.undo()


def test_remove_all_leaves_nothing(call: Call, workshop: ScriptedWorkshop) -> None:
    for name in ("a", "b"):
        workshop.built[name] = manifest_of(replace(SPEC, name=name))
    assert call("remove", "--all").code == Exit.USAGE
    result = call("remove", "--all", "--yes")
    assert (result.code, result.out) == (0, "a is removed.\nb is removed.\n")
    assert workshop.built == {}


def test_remove_refuses_while_a_process_runs_from_the_environment(
    call: Call, workshop: ScriptedWorkshop, tmp_path: Path
) -> None:
    workshop.built["tf"] = replace(manifest_of(SPEC), prefix=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        result = call("remove", "tf", "--yes")
        assert result.code == Exit.CONFLICT
        assert "--force" in result.err
        assert call("remove", "tf", "--yes", "--force").code == 0
        process.communicate(b"\n")
    assert workshop.built == {}


def test_remove_all_goes_on_where_one_cannot_be_removed(call: Call, workshop: ScriptedWorkshop, tmp_path: Path) -> None:
    workshop.built["a"] = replace(manifest_of(replace(SPEC, name="a")), prefix=str(tmp_path))
    workshop.built["b"] = manifest_of(replace(SPEC, name="b"))
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        result = call("remove", "--all", "--yes")
        process.communicate(b"\n")
    assert (result.code, result.out) == (Exit.CONFLICT, "b is removed.\n")
    assert "A kernel of 'a' is running." in result.err
    assert set(workshop.built) == {"a"}


def test_settings_come_from_files_and_the_command_line_wins(call: Call, jp_config_dir: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    (jp_config_dir / "jupyter_server_config.json").write_text(
        json.dumps({"GpuKernelsManager": {"default_installer": "pypi", "state_dir": "/nonexistent/never"}})
    )
    (jp_config_dir / "jupyter_gpu_kernels_config.py").write_text(f"c.GpuKernelsManager.state_dir = {str(ours)!r}\n")
    job = from_json(Job, json.loads(call("create", "a", "--json").out))
    assert job.spec is not None
    assert job.spec.installer is Installer.PYPI
    assert (ours / "jobs" / f"{job.id}.json").is_file()
    theirs = tmp_path / "theirs"
    job = from_json(Job, json.loads(call("create", "b", "--json", f"--GpuKernelsManager.state_dir={theirs}").out))
    assert (theirs / "jobs" / f"{job.id}.json").is_file()


def test_a_malformed_setting_is_refused(call: Call) -> None:
    result = call("list", "--GpuKernelsManager.verify_timeout=soon")
    assert result.code == Exit.USAGE
    assert "verify_timeout" in result.err
    result = call("list", "--GpuKernelsManager.default_installer=apt", "--json")
    assert (result.code, json.loads(result.out)["code"]) == (Exit.USAGE, "invalid_input")


def test_help_all_lists_what_can_be_set(call: Call) -> None:
    result = call("--help-all")
    assert result.code == 0
    for trait in ("conda_envs_dir", "verify_timeout", "default_installer", "link_scripts", "simultaneous_builds"):
        assert f"--GpuKernelsManager.{trait}=" in result.out


def job(stage: Stage | None, state: JobState = JobState.RUNNING, **progress: int) -> Job:
    return Job(id="1", kind=JobKind.CREATE, name="tf", state=state, stage=stage, progress=Progress(**progress))


def test_plain_progress_is_a_line_for_each_stage_and_one_now_and_then() -> None:
    stream, seconds = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: seconds[0])
    lines(job(None, JobState.QUEUED))
    lines(job(Stage.SOLVE))
    for second in range(12):
        seconds[0] = second
        lines(
            job(Stage.DOWNLOAD, packages_done=second, packages_total=20, bytes_done=second * 10**6, bytes_total=10**9)
        )
    lines(job(Stage.REGISTER))
    lines(job(Stage.REGISTER, JobState.SUCCEEDED))
    lines.close()
    assert stream.getvalue().splitlines() == [
        "Finding packages that fit ...",
        "Downloading ...",
        "Downloading: 5 of 20 packages, 5.0 MB of 1.00 GB",
        "Downloading: 10 of 20 packages, 10.0 MB of 1.00 GB",
        "Registering ...",
    ]


def test_a_benchmark_and_a_removal_are_called_so() -> None:
    for kind, words in ((JobKind.BENCHMARK, "Running the benchmark"), (JobKind.REMOVE, "Removing tf")):
        lines = Lines(stream := io.StringIO())
        for stage in (None, Stage.REGISTER, Stage.LINK):
            lines(replace(job(stage), kind=kind))
        assert stream.getvalue() == f"{words} ...\n"


def test_a_terminal_gets_bars() -> None:
    terminal = Terminal()
    bars = watch(terminal, quiet=True)
    assert isinstance(bars, Bars)
    bars(job(None, JobState.QUEUED))
    bars(job(Stage.SOLVE))
    bars(job(Stage.DOWNLOAD, packages_done=1, packages_total=2, bytes_done=5 * 10**5, bytes_total=10**6))
    bars(job(Stage.REGISTER))
    bars(job(Stage.REGISTER, JobState.SUCCEEDED))
    bars.close()
    shown = terminal.getvalue()
    for words in ("Finding packages that fit", "Downloading", "Registering"):
        assert words in shown


def test_what_is_built_is_said_before_it_is_built() -> None:
    cpu = {"variant": Variant.CPU, "cuda": None, "variant_reason": "No driver [here].", "download_bytes": 0}
    plan = replace(plan_of(SPEC), **cpu, installer=Installer.PYPI, installer_reason="No channel answers.")
    for watcher in (Lines(stream := io.StringIO()), Bars(terminal := Terminal())):
        watcher(job(Stage.SOLVE))
        for stage in (Stage.SOLVE, Stage.DOWNLOAD):
            watcher(replace(job(stage), plan=plan))
        watcher.close()
    said = (
        "tensorflow 2.19.0 (CPU), Python 3.12.4, from pypi, nothing to download, about 300 B on disk.\n"
        "Note: It is for the CPU. No driver [here].\n"
        "Note: It comes from PyPI. No channel answers.\n"
        "Note: It is large.\n"
    )
    assert stream.getvalue().count(said) == 1
    shown = " ".join(terminal.getvalue().replace("\r", "").split())
    assert shown.count("No driver [here].") == 1


def test_what_is_counted_has_its_name() -> None:
    assert describe(Progress(packages_done=3, packages_total=16, unit="cells")) == "3 of 16 cells"


def test_long_lines_fit_a_terminal_and_stay_in_their_column() -> None:
    words = "Variant    cpu. No NVIDIA driver is installed here: its library was not found.\nshort\n"
    assert fit(words, 50) == (
        "Variant    cpu. No NVIDIA driver is installed\n           here: its library was not found.\nshort\n"
    )
    assert fit("Note: one two three four five six seven\n", 30) == "Note: one two three four five\nsix seven\n"
    assert fit("  three   at the front and here  stays narrow\n", 40).count("\n") == 1
    assert fit("  an indented detail that goes on and on\n", 30) == "  an indented detail that goes\n  on and on\n"
    fitted(stream := io.StringIO(), words)
    assert stream.getvalue() == words, "what is no terminal gets whole lines"


def test_a_plan_names_indexes_and_what_is_cached() -> None:
    plan = replace(plan_of(SPEC), installer=Installer.PYPI, channels=(), download_bytes=0)
    shown = text.plan(plan)
    assert "Indexes    the Python Package Index\n" in shown
    assert "Download   nothing, all of it is cached\n" in shown


def test_details_of_a_failure_without_a_log_are_shown(call: Call, workshop: ScriptedWorkshop) -> None:
    lines = "\n".join(f"line {number}" for number in range(30))
    workshop.failure = SolveError("Nothing fits.", cure="Read the details.", detail=lines)
    result = call("plan", "tf", "--framework", "tensorflow")
    assert result.err.startswith("Error: Nothing fits.\nRead the details.\n  Details:\n  …\n  line 10\n")
    result = call("plan", "tf", "--framework", "tensorflow", "--json")
    assert result.err == "Error: Nothing fits.\nRead the details.\n"
    assert json.loads(result.out)["detail"] == lines


def test_a_benchmark_of_nothing_has_no_table() -> None:
    result = replace(BENCHMARK, timings=(), speedups={}, gpu_missing="There is nothing to compare.")
    assert text.benchmark(result).splitlines()[1:] == ["Nothing was measured. There is nothing to compare."]


@pytest.mark.parametrize(
    ("columns", "words"), [("80", "39/44, 0.08/2.20 GB, 29.2 MB/s"), ("120", "39 of 44 packages, 82.4 MB of 2.20 GB")]
)
def test_bars_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str, words: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    bars = Bars(terminal := Terminal())
    bars(job(Stage.VERIFY))
    progress = Progress(
        packages_done=39, packages_total=44, bytes_done=82_400_000, bytes_total=2_200_000_000, bytes_per_second=29.2e6
    )
    bars(replace(job(Stage.DOWNLOAD), progress=progress))
    wait_until(lambda: words in terminal.getvalue())  # Rich draws ten times a second.
    bars(replace(job(Stage.WHEELS), progress=Progress(detail="a detail" * 20)))
    bars.close()
    shown = terminal.getvalue()
    assert words in shown
    assert "0:00:00" in shown
    done = next(line for line in reversed(shown.splitlines()) if "Downloading" in line)
    assert "44" in done
    assert "39" not in done, "what is done is whole, and no longer has a speed"
    assert "/s" not in done


def test_without_a_terminal_json_is_silent_and_words_are_not() -> None:
    assert isinstance(watch(io.StringIO(), quiet=False), Lines)
    watcher = watch(stream := io.StringIO(), quiet=True)
    watcher(job(Stage.SOLVE))
    watcher.close()
    assert stream.getvalue() == ""


def test_sizes_and_rates_are_readable() -> None:
    assert [text.size(count) for count in (0, 999, 1000, 1_500_000, 3_440_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.5 MB",
        "3.44 GB",
    ]
    progress = Progress(bytes_done=5, bytes_total=10, bytes_per_second=2e6, detail="numpy")
    assert describe(progress) == "5 B of 10 B, 2.0 MB/s, numpy"
    assert describe(models.Progress()) == ""


HOLDING = """
import sys
from scripted import ScriptedManager
from jupyter_gpu_kernels.cli.arguments import parse
from jupyter_gpu_kernels.cli.run import run

class Manager(ScriptedManager):
    def _workshop_default(self):
        workshop = super()._workshop_default()
        workshop.hold = True
        return workshop

sys.exit(run(*parse(sys.argv[1:]), manager_class=Manager))
"""


def holding(*words: str) -> subprocess.Popen[str]:
    """A command in another process that waits in its download stage."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, *words],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while (line := process.stderr.readline()) != "Downloading ...\n":
        assert line, "it ended early"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_job_is_cancelled_and_cleaned_up(call: Call, number: signal.Signals) -> None:
    with holding("create", "tf", "--framework", "tensorflow") as process:
        # The job of another process is seen, and stands in the way.
        (seen,) = json.loads(call("jobs", "--json").out)
        assert (seen["state"], seen["owner"]["pid"]) == ("running", process.pid)
        busy = call("create", "tf", "--framework", "tensorflow")
        assert busy.code == Exit.CONFLICT
        assert f"is being built by process {process.pid}" in busy.err
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (Exit.CANCELLED, "")
    assert err == "Cancelling; what was half-made is being removed ...\nCancelled.\n"
    (seen,) = json.loads(call("jobs", "--json").out)
    assert (seen["state"], seen["error"]) == ("cancelled", None)


def test_a_killed_job_waits_for_a_server_and_the_next_cleans_up(call: Call, workshop: ScriptedWorkshop) -> None:
    with holding("create", "tf", "--framework", "tensorflow") as process:
        process.kill()
    (seen,) = json.loads(call("jobs", "--json").out)
    assert (seen["state"], seen["owner"]) == ("queued", None)
    assert call("create", "tf", "--framework", "tensorflow").code == 0
    assert workshop.called == ["recover tf", "create tf"]


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = f"{sys.executable} -c '{HOLDING}' frameworks --json | true"
    finished = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True, check=False)
    assert finished.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="There is no /dev/full.")
@pytest.mark.parametrize("words", ["frameworks", "frameworks --json"])
def test_a_disk_that_is_full_is_told_of_in_a_sentence(words: str) -> None:
    command = f"{sys.executable} -m jupyter_gpu_kernels {words} > /dev/full"
    finished = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert finished.returncode == Exit.FAILED
    said = finished.stderr.splitlines()
    assert said[0] == "Error: The answer cannot be written: No space left on device."
    assert len(said) == 2


@pytest.mark.skipif(os.name == "nt", reason="Shells there close nothing.")
def test_streams_that_the_shell_has_closed_are_no_fault() -> None:
    command = (
        f"{sys.executable} -m jupyter_gpu_kernels frameworks >&- && {sys.executable} -m jupyter_gpu_kernels show x 2>&-"
    )
    finished = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (Exit.NOT_FOUND, "", "")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon", "1e9"])
def test_a_time_to_wait_that_is_none_is_refused_in_plain_words(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["gpus", f"--watch={seconds}"])
    assert f"{seconds!r} is not between 0.1 and 86400 seconds" in capsys.readouterr().err


def test_waiting_is_for_one_gpu_or_for_several() -> None:
    waiting = {"wait": 5.0}
    assert text.placement(Placement(policy=GpuPolicy.EXCLUSIVE, **waiting)).endswith("waiting up to 5 s for it")
    assert text.placement(Placement(policy=GpuPolicy.ALL, **waiting)).endswith("waiting up to 5 s for them")
    fixed = Placement(policy=GpuPolicy.FIXED, devices=("GPU-a", "GPU-b"), **waiting)
    assert text.placement(fixed) == "GPU-a, GPU-b, waiting up to 5 s for them"


def test_help_comes_at_once() -> None:
    code = (
        "import sys\n"
        "from jupyter_gpu_kernels.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('traitlets', 'asyncio', 'rich', 'msgspec', 'rattler', 'tornado') "
        "if name in sys.modules], file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stderr == "[]\n"


@pytest.mark.parametrize("program", [["-m", "jupyter_gpu_kernels"], ["-m", "jupyter", "gpu-kernels"]])
def test_it_is_a_program_of_its_own_and_a_subcommand_of_jupyter(program: list[str]) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    finished = subprocess.run(
        [sys.executable, *program, "--version"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    from jupyter_gpu_kernels import __version__

    assert finished.stdout.strip() == __version__


def test_a_placement_is_asked_for_and_changed(call: Call, workshop: ScriptedWorkshop) -> None:
    spec = spec_of(parse(["create", "tf", "--gpus", "exclusive:2", "--gpu-wait", "60"])[0])
    assert spec.placement == Placement(policy=GpuPolicy.EXCLUSIVE, count=2, wait=60.0)
    assert spec_of(parse(["create", "tf"])[0]).placement == Placement()
    call("create", "tf", "--framework", "tensorflow")
    said = call("placement", "tf", "exclusive:2", "--wait", "60").out
    words = "the 2 GPUs that are free, for itself alone, waiting up to 60 s for them"
    assert said == f"tf, when it is next started: {words}.\n"
    assert workshop.built["tf"].launch.placement == spec.placement
    assert words in call("show", "tf").out
    assert json.loads(call("placement", "tf", "all", "--json").out)["placement"]["policy"] == "all"
    for wrong in ("0", "least-used:0", "GPU-1", "fixed"):
        refused = call("placement", "tf", wrong)
        assert refused.code == Exit.USAGE
        assert "jupyter gpu-kernels gpus" in refused.err or "Give 1 to 64" in refused.err
    assert call("placement", "tf", "all", "--wait", "-1").code == Exit.USAGE
    assert call("create", "new", "--gpus", "some").code == Exit.USAGE
