"""The job runner: states, revisions, cancelling, records, other processes, and what a death leaves."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import stat
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from patience import eventually
from scripted import VERIFICATION, plan_of

from jupyter_gpu_kernels.errors import ConflictError, EnvironmentBusyError, InstallError, NotFoundError, SolveError
from jupyter_gpu_kernels.models import (
    EnvironmentSpec,
    Job,
    JobKind,
    JobState,
    Plan,
    PlannedPackage,
    ProcessIdentity,
    Progress,
    Stage,
)
from jupyter_gpu_kernels.serve import ledger as ledgers
from jupyter_gpu_kernels.serve.jobs import JobResult, JobRunner
from jupyter_gpu_kernels.serve.ledger import Ledger
from jupyter_gpu_kernels.serve.live import INTERVAL, LINE_LIMIT, LiveJob
from jupyter_gpu_kernels.serve.records import LOG_LIMIT, TAIL_LINES, JobRecords

HERE = ProcessIdentity(host="here", pid=1, started=1.0)
SECOND = ProcessIdentity(host="here", pid=2, started=2.0)
ELSEWHERE = ProcessIdentity(host="elsewhere", pid=3, started=3.0)
SPEC = EnvironmentSpec(name="tf", framework="tensorflow")


class Scripted:
    """A worker whose work is a function."""

    def __init__(self) -> None:
        self.script: Callable[[Job, LiveJob], Awaitable[JobResult]] = self._nothing
        self.recovery: JobResult | None = None
        self.called: list[str] = []

    async def work(self, job: Job, reporter: LiveJob) -> JobResult:
        self.called.append(f"work {job.name}")
        return await self.script(job, reporter)

    async def recover_after(self, job: Job) -> JobResult | None:
        self.called.append(f"recover {job.name}")
        return self.recovery

    async def _nothing(self, job: Job, reporter: LiveJob) -> JobResult:
        return JobResult()


class Office:
    """Runners of several processes over one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.dead: set[int] = set()
        self.opened: list[JobRunner] = []
        self.worker = Scripted()

    def runner(self, owner: ProcessIdentity = HERE, worker: Scripted | None = None, **options: int) -> JobRunner:
        records = JobRecords(self.directory, keep=options.pop("keep", 100))
        ledger = Ledger(records, owner=owner, alive=lambda process: process.pid not in self.dead)
        runner = JobRunner(ledger, worker or self.worker, listeners=[], **options)
        self.opened.append(runner)
        return runner

    def leave(self, job: Job) -> Job:
        """Leave a record as a dead process would."""
        JobRecords(self.directory).save(job)
        return job


@pytest.fixture
def office(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Office]:
    office = Office(tmp_path / "jobs")
    yield office
    for runner in office.opened:
        jp_asyncio_loop.run_until_complete(runner.close(timeout=0.5))


def waiting(go: asyncio.Event, begun: asyncio.Event | None = None) -> Callable[[Job, LiveJob], Awaitable[JobResult]]:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        if begun:
            begun.set()
        await go.wait()
        return JobResult()

    return script


async def test_a_job_runs_to_its_end_and_is_kept(office: Office) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        reporter.stage(Stage.SOLVE)
        reporter.plan(plan_of(SPEC))
        reporter.log("one\ntwo")
        return JobResult(verification=VERIFICATION)

    office.worker.script = script
    runner = office.runner()
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    assert (job.kind, job.name, job.spec, job.owner) == (JobKind.CREATE, "tf", SPEC, HERE)
    done = await runner.wait(job.id)
    assert done.state is JobState.SUCCEEDED
    assert done.stage is Stage.SOLVE
    assert done.verification == VERIFICATION
    assert done.log == ("one", "two")
    assert done.plan is not None
    assert done.plan.packages == (), "the manifest has them"
    assert done.attempts == 1
    assert done.created <= done.started <= done.finished
    assert await office.runner(SECOND).job(job.id) == done, "another process reads the same"
    assert await runner.log(job.id) == "one\ntwo\n"
    assert [listed.id for listed in await runner.jobs()] == [job.id]
    assert runner.active == ()


async def test_records_and_logs_are_for_their_owner_only(office: Office) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        reporter.log("secret")
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    await runner.wait((await runner.submit(JobKind.VERIFY, "tf")).id)
    files = [path for path in office.directory.iterdir() if path.suffix in (".json", ".log")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert len(files) == 2


async def test_a_submitted_job_is_on_disk_before_anybody_is_told(office: Office) -> None:
    office.worker.script = waiting(asyncio.Event())
    job = await office.runner().submit(JobKind.CREATE, "tf", spec=SPEC)
    record = json.loads((office.directory / f"{job.id}.json").read_text())
    assert record["name"] == "tf"
    assert record["spec"]["framework"] == "tensorflow"


async def test_revisions_rise_and_progress_is_told_a_few_times_a_second(office: Office) -> None:
    seen: list[Job] = []
    moments: list[float] = []

    def listen(job: Job) -> None:
        seen.append(job)
        if job.stage is Stage.DOWNLOAD:
            moments.append(asyncio.get_running_loop().time())

    async def script(job: Job, reporter: LiveJob) -> JobResult:
        reporter.stage(Stage.DOWNLOAD)
        for done in itertools.takewhile(lambda done: len(moments) < 5, itertools.count()):
            reporter.progress(Progress(bytes_done=done))
            await asyncio.sleep(0.002)
        reporter.stage(Stage.LINK)
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    runner.listeners = [listen]
    await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    revisions = [job.revision for job in seen]
    assert revisions == sorted(set(revisions))
    told = [job.progress.bytes_done for job in seen if job.stage is Stage.DOWNLOAD]
    assert told == sorted(told)
    assert min(after - before for before, after in itertools.pairwise(moments)) > 0.9 * INTERVAL
    stages = list(dict.fromkeys(job.stage for job in seen))
    assert stages == [None, Stage.DOWNLOAD, Stage.LINK]
    assert next(job for job in seen if job.stage is Stage.LINK).progress == Progress(), "a stage starts anew"


async def test_a_reporter_may_be_called_from_a_thread(office: Office) -> None:
    def compile_modules(reporter: LiveJob) -> None:
        assert threading.current_thread() is not threading.main_thread()
        reporter.stage(Stage.COMPILE)
        reporter.log("compiled")

    async def script(job: Job, reporter: LiveJob) -> JobResult:
        await asyncio.to_thread(compile_modules, reporter)
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    threads: set[threading.Thread] = set()
    runner.listeners = [lambda job: threads.add(threading.current_thread())]
    done = await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    assert (done.stage, done.log) == (Stage.COMPILE, ("compiled",))
    assert threads == {threading.main_thread()}


async def test_the_tail_is_bounded_and_the_whole_log_is_kept(office: Office) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        for number in range(500):
            reporter.log(f"line {number}")
        reporter.log("x" * 10_000)
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    done = await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    assert len(done.log) == TAIL_LINES
    assert done.log[0] == "line 301"
    assert len(done.log[-1]) == LINE_LIMIT
    assert len((await runner.log(done.id)).splitlines()) == 501


def test_a_log_stops_growing_at_its_limit(tmp_path: Path) -> None:
    records = JobRecords(tmp_path)
    for _ in range(20):
        records.append("a", ["x" * (1024 * 1024 - 1)])
    assert LOG_LIMIT - 1024 * 1024 <= records.log_path("a").stat().st_size <= LOG_LIMIT


async def test_an_expected_failure_is_kept_with_its_cure(office: Office) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        message = "Nothing fits."
        raise SolveError(message, cure="Ask for less.", detail="raw")

    office.worker.script = script
    runner = office.runner()
    done = await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    assert done.state is JobState.FAILED
    assert done.error is not None
    assert (done.error.code, done.error.message) == ("unsatisfiable", "Nothing fits.")
    assert (done.error.cure, done.error.detail) == ("Ask for less.", "raw")


async def test_an_unforeseen_failure_ends_the_job_and_nothing_else(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        raise ZeroDivisionError

    office.worker.script = script
    runner = office.runner()
    done = await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    assert done.error is not None
    assert done.error.code == "internal"
    assert done.error.cure
    assert "Traceback" not in json.dumps([done.error.message, done.error.detail])
    assert "ZeroDivisionError" in caplog.text


async def test_cancelling_waits_until_the_work_has_cleaned_up(office: Office) -> None:
    begun, cleaned = asyncio.Event(), []

    async def script(job: Job, reporter: LiveJob) -> JobResult:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            cleaned.append(job.name)
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    await begun.wait()
    # Two people press the button: the second must not interrupt the cleaning up.
    first, second = await asyncio.gather(runner.cancel(job.id), runner.cancel(job.id))
    assert cleaned == ["tf"]
    assert first.state is second.state is JobState.CANCELLED
    assert (await runner.job(job.id)).state is JobState.CANCELLED
    with pytest.raises(ConflictError, match="finished already"):
        await runner.cancel(job.id)


async def test_a_job_can_be_cancelled_at_once(office: Office) -> None:
    runner = office.runner()
    office.worker.script = waiting(asyncio.Event())
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    assert (await runner.cancel(job.id)).state is JobState.CANCELLED


async def test_builds_beyond_the_limit_wait_in_the_queue(office: Office) -> None:
    go = asyncio.Event()
    office.worker.script = waiting(go)
    runner = office.runner(limit=2)
    jobs = [await runner.submit(JobKind.CREATE, name, spec=SPEC) for name in "abc"]
    await asyncio.sleep(0.1)
    assert [(await runner.job(job.id)).state.value for job in jobs] == ["running", "running", "queued"]
    assert (await runner.cancel(jobs[2].id)).state is JobState.CANCELLED
    fourth = await runner.submit(JobKind.REBUILD, "d", spec=SPEC)
    removal = await runner.submit(JobKind.REMOVE, "e")
    await asyncio.sleep(0.1)
    assert (await runner.job(fourth.id)).state is JobState.QUEUED
    assert (await runner.job(removal.id)).state is JobState.RUNNING, "removals free what builds need"
    go.set()
    assert (await runner.wait(fourth.id)).state is JobState.SUCCEEDED
    assert "work c" not in office.worker.called


async def test_one_job_at_a_time_works_on_an_environment(office: Office) -> None:
    go = asyncio.Event()
    office.worker.script = waiting(go)
    runner = office.runner()
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    with pytest.raises(EnvironmentBusyError, match="'tf' is being built by process 1 on here"):
        await runner.submit(JobKind.REMOVE, "TF")
    go.set()
    await runner.wait(job.id)
    again = await runner.submit(JobKind.REMOVE, "tf")
    assert (await runner.wait(again.id)).state is JobState.SUCCEEDED


async def test_of_two_requests_at_once_one_wins(office: Office) -> None:
    office.worker.script = waiting(asyncio.Event())
    first, second = office.runner(), office.runner(SECOND)
    requests = (runner.submit(JobKind.CREATE, "tf", spec=SPEC) for runner in (first, second, first, second))
    answers = await asyncio.gather(*requests, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["EnvironmentBusyError"] * 3 + ["Job"]


async def test_a_finished_job_does_not_block_the_next_even_before_it_is_on_disk(office: Office) -> None:
    runner = office.runner()
    again: list[asyncio.Task[Job]] = []

    def ask_again(job: Job) -> None:
        if job.state is JobState.SUCCEEDED and not again:
            again.append(asyncio.ensure_future(runner.submit(JobKind.VERIFY, "tf")))

    runner.listeners = [ask_again]
    await runner.wait((await runner.submit(JobKind.VERIFY, "tf")).id)
    assert (await runner.wait((await again[0]).id)).state is JobState.SUCCEEDED


async def test_jobs_of_another_process_are_seen_but_not_touched(office: Office) -> None:
    office.worker.script = waiting(asyncio.Event(), begun := asyncio.Event())
    runner = office.runner()
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    await begun.wait()
    other = office.runner(SECOND)
    assert [(seen.id, seen.state, seen.owner) for seen in await other.jobs()] == [(job.id, JobState.RUNNING, HERE)]
    assert job.local
    assert [(await asked.job(job.id)).local for asked in (runner, other)] == [True, False]
    assert [[seen.local for seen in await asked.jobs()] for asked in (runner, other)] == [[True], [False]]
    with pytest.raises(ConflictError, match="belongs to process 1 on here"):
        await other.cancel(job.id)
    with pytest.raises(EnvironmentBusyError):
        await other.submit(JobKind.REMOVE, "tf")
    assert await other.resume() == ()


async def test_an_unknown_job_is_not_found_whatever_its_id(office: Office) -> None:
    runner = office.runner()
    for job_id in ("", "..", "../../etc/passwd", "A", "a" * 100, "20200101-000000-00000000"):
        with pytest.raises(NotFoundError):
            await runner.job(job_id)
        with pytest.raises(NotFoundError):
            await runner.log(job_id)
        with pytest.raises(NotFoundError):
            await runner.cancel(job_id)


def running(kind: JobKind = JobKind.CREATE, *, owner: ProcessIdentity = SECOND, attempts: int = 1) -> Job:
    return Job(
        id=f"{kind.value}-1",
        kind=kind,
        name="tf",
        state=JobState.RUNNING,
        stage=Stage.LINK,
        revision=7,
        spec=SPEC,
        owner=owner,
        attempts=attempts,
        created="2026-11-20T10:00:00.000+00:00",
    )


@pytest.mark.parametrize("kind", [JobKind.CREATE, JobKind.REBUILD, JobKind.REMOVE])
async def test_a_job_whose_process_died_is_taken_up_after_cleaning(office: Office, kind: JobKind) -> None:
    left = office.leave(running(kind))
    office.dead.add(SECOND.pid)
    runner = office.runner()
    assert [job.id for job in await runner.resume()] == [left.id]
    done = await runner.wait(left.id)
    assert office.worker.called == ["recover tf", "work tf"]
    assert (done.state, done.attempts, done.owner) == (JobState.SUCCEEDED, 2, HERE)
    assert done.revision > left.revision


async def test_a_job_that_had_reached_its_goal_is_not_done_again(office: Office) -> None:
    left = office.leave(running())
    office.dead.add(SECOND.pid)
    office.worker.recovery = JobResult(verification=VERIFICATION)
    runner = office.runner()
    await runner.resume()
    done = await runner.wait(left.id)
    assert office.worker.called == ["recover tf"]
    assert (done.state, done.verification) == (JobState.SUCCEEDED, VERIFICATION)


@pytest.mark.parametrize("kind", [JobKind.VERIFY, JobKind.BENCHMARK])
async def test_a_job_that_is_cheap_to_ask_for_again_is_not_taken_up(office: Office, kind: JobKind) -> None:
    left = office.leave(running(kind))
    office.dead.add(SECOND.pid)
    runner = office.runner()
    assert await runner.resume() == ()
    done = await runner.job(left.id)
    assert done.error is not None
    assert (done.state, done.error.code) == (JobState.FAILED, "interrupted")
    assert done.error.cure
    assert office.worker.called == []


async def test_after_three_deaths_a_job_is_given_up_but_cleaned_up_after(office: Office) -> None:
    left = office.leave(running(attempts=3))
    office.dead.add(SECOND.pid)
    runner = office.runner()
    await runner.resume()
    done = await runner.wait(left.id)
    assert office.worker.called == ["recover tf"]
    assert done.error is not None
    assert (done.state, done.error.code) == (JobState.FAILED, "interrupted")


async def test_two_servers_that_start_at_once_take_a_job_up_once(office: Office) -> None:
    office.leave(running())
    office.dead.add(SECOND.pid)
    third = replace(HERE, pid=4)
    taken = await asyncio.gather(office.runner().resume(), office.runner(third).resume())
    assert sorted(len(jobs) for jobs in taken) == [0, 1]


async def test_until_it_is_taken_up_an_abandoned_job_shows_as_queued(office: Office) -> None:
    left = office.leave(running())
    office.dead.add(SECOND.pid)
    runner = office.runner()
    for seen in (await runner.job(left.id), (await runner.jobs())[0]):
        # Not as failed: a final state is never taken back.
        assert (seen.state, seen.stage, seen.owner, seen.error) == (JobState.QUEUED, None, None, None)
    # It does not stand in the way: whoever works on that environment next cleans up first.
    done = await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    assert office.worker.called == ["recover tf", "work tf"]
    assert done.state is JobState.SUCCEEDED
    assert await runner.resume() == (), "the abandoned one has been ended"


async def test_a_job_on_another_host_is_abandoned_when_its_heart_stops(office: Office) -> None:
    left = office.leave(running(owner=ELSEWHERE))
    office.dead.add(ELSEWHERE.pid)
    runner = office.runner()
    assert await runner.resume() == (), "its process cannot be seen from here, so only silence tells"
    silent = time.time() - ledgers.ABANDONED_AFTER - 1
    os.utime(office.directory / f"{left.id}.json", (silent, silent))
    assert [job.id for job in await runner.resume()] == [left.id]


async def test_jobs_show_signs_of_life(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_gpu_kernels.serve.jobs.HEARTBEAT", 0.05)
    begun = asyncio.Event()
    office.worker.script = waiting(asyncio.Event(), begun)
    runner = office.runner()
    job = await runner.submit(JobKind.CREATE, "tf", spec=SPEC)
    await begun.wait()
    # More often than its record is written for other reasons.
    for _ in range(5):
        os.utime(office.directory / f"{job.id}.json", (0, 0))
        await eventually(lambda: runner.ledger.records.age(job.id) < 1000)


async def test_an_orderly_end_puts_builds_back_and_is_bounded(office: Office) -> None:
    begun = set()

    async def stubborn(job: Job, reporter: LiveJob) -> JobResult:
        begun.add(job.kind)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if job.kind is JobKind.REMOVE:
                await asyncio.sleep(60)
            raise
        return JobResult()

    office.worker.script = stubborn
    runner = office.runner()
    build = await runner.submit(JobKind.CREATE, "a", spec=SPEC)
    check = await runner.submit(JobKind.VERIFY, "b")
    removal = await runner.submit(JobKind.REMOVE, "c")
    await eventually(lambda: len(begun) == 3)
    start = time.monotonic()
    await runner.close(timeout=2)
    assert time.monotonic() - start < 30
    office.dead.add(HERE.pid)
    records = JobRecords(office.directory)
    assert (records.load(build.id).state, records.load(build.id).attempts) == (JobState.QUEUED, 0)
    assert records.load(check.id).state is JobState.FAILED
    assert records.load(removal.id).state is JobState.RUNNING, "it did not stop in time; the next start cleans up"
    with pytest.raises(ConflictError, match="about to end"):
        await runner.submit(JobKind.CREATE, "d", spec=SPEC)
    office.worker.script = waiting(asyncio.Event())
    assert {job.name for job in await office.runner(SECOND).resume()} == {"a", "c"}


async def test_finished_jobs_are_forgotten_when_they_are_many_or_old(office: Office) -> None:
    runner = office.runner(keep=3)
    ids = []
    for _ in range(5):
        job = await runner.submit(JobKind.VERIFY, "tf")
        await runner.wait(job.id)
        ids.append(job.id)
        await asyncio.sleep(0.002)
    assert [job.id for job in await runner.jobs()] == ids[:-4:-1]
    old = replace(running(), state=JobState.SUCCEEDED, finished="2020-01-01T00:00:00.000+00:00")
    office.leave(old)
    await runner.resume()
    with pytest.raises(NotFoundError):
        await runner.job(old.id)


async def test_a_record_that_nobody_can_read_is_passed_over(office: Office) -> None:
    runner = office.runner()
    await runner.wait((await runner.submit(JobKind.VERIFY, "tf")).id)
    (office.directory / "broken.json").write_text("{")
    (office.directory / "other.json").write_text('{"of": "another version"}')
    assert len(await runner.jobs()) == 1
    with pytest.raises(NotFoundError):
        await runner.job("broken")


def test_an_older_snapshot_never_replaces_a_newer_one(tmp_path: Path) -> None:
    records = JobRecords(tmp_path)
    newer = replace(running(), state=JobState.SUCCEEDED, revision=9)
    records.save(newer)
    records.save(running())
    assert records.load(newer.id) == newer
    assert not list(tmp_path.glob(".*.tmp"))


async def test_a_full_disk_does_not_fail_a_job(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    async def script(job: Job, reporter: LiveJob) -> JobResult:
        # Root may write anywhere, but nobody can replace a file by way of a directory.
        (office.directory / f".{job.id}.{os.getpid()}.tmp").mkdir()
        return JobResult()

    office.worker.script = script
    runner = office.runner()
    seen: list[Job] = []
    runner.listeners = [seen.append]
    job = await runner.submit(JobKind.VERIFY, "tf")
    await runner.wait(job.id)
    assert seen[-1].state is JobState.SUCCEEDED
    assert "could not be written" in caplog.text
    # What the disk does not know is known here, and stands in nobody's way.
    assert (await runner.job(job.id)).state is JobState.SUCCEEDED
    office.worker.script = office.worker._nothing
    await runner.wait((await runner.submit(JobKind.VERIFY, "tf")).id)
    (office.directory / f".{job.id}.{os.getpid()}.tmp").rmdir()


async def test_a_directory_that_cannot_be_written_is_an_error_with_a_cure(office: Office) -> None:
    # Root may write anywhere, but nobody can make a directory in a file.
    office.directory.write_text("")
    with pytest.raises(InstallError, match="No job can be kept in") as caught:
        await office.runner().submit(JobKind.VERIFY, "tf")
    assert caught.value.cure


async def test_a_listener_that_fails_harms_nobody(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    runner = office.runner()

    def fail(job: Job) -> None:
        raise ValueError

    seen: list[Job] = []
    runner.listeners = [fail, seen.append]
    await runner.wait((await runner.submit(JobKind.VERIFY, "tf")).id)
    assert seen[-1].state is JobState.SUCCEEDED
    assert "listener" in caplog.text


def noting(threads: list[int], write: Callable[..., None]) -> Callable[..., None]:
    def noted(*arguments: object) -> None:
        threads.append(threading.get_ident())
        write(*arguments)

    return noted


async def test_the_event_loop_is_never_held_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tuple(PlannedPackage(name=f"p{number}", version="1") for number in range(500))

    async def script(job: Job, reporter: LiveJob) -> JobResult:
        plan: Plan = replace(plan_of(SPEC), packages=packages)
        for number in range(2000):
            reporter.log(f"line {number}")
            reporter.progress(Progress(bytes_done=number))
            if number % 100 == 0:
                reporter.plan(plan)
                await asyncio.sleep(0.005)
        return JobResult()

    office.worker.script = script
    writers: list[int] = []
    for name in ("save", "append"):
        monkeypatch.setattr(JobRecords, name, noting(writers, getattr(JobRecords, name)))
    runner = office.runner()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticker = asyncio.create_task(tick())
    await runner.wait((await runner.submit(JobKind.CREATE, "tf", spec=SPEC)).id)
    ticker.cancel()
    assert ticks > 10, "others have their turn all the time"
    assert len(writers) < 200, "not every line and every byte"
    # The admission, which is awaited, is in a thread too.
    assert threading.get_ident() not in writers
