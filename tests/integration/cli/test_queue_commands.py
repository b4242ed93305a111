"""`holdfast queue …`: what an operator sees and does."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.integration.cli.command import Done, Holdfast

from holdfast.queue import Job, NewJob, Queue, Worker

Run = Callable[..., Awaitable[Done]]


@pytest.fixture
async def emails(redis_url: str) -> AsyncIterator[Queue]:
    """A queue with jobs that wait, are delayed, completed and failed."""
    async with Queue("emails", url=redis_url) as queue:
        await queue.add_many(
            [
                *(NewJob("broken", job_id=f"f-{n}") for n in range(3)),
                *(NewJob("fine", job_id=f"c-{n}") for n in range(2)),
            ]
        )
        await run_all(queue, 5)
        await queue.add_many([NewJob("fine", {"to": "me"}, job_id=f"w-{n}") for n in range(4)])
        await queue.add_many([NewJob("fine", job_id=f"d-{n}", delay=3600) for n in range(2)])
        yield queue


async def run_all(queue: Queue, number: int) -> None:
    async def broken(job: Job) -> None:
        await job.log("a line of its log")
        raise ValueError("the \x1b[31mserver said no")

    worker = Worker(queue, {"broken": broken, "fine": lambda _job: None}, concurrency=1, signals=False)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while (counts := await queue.counts())["completed"] + counts["failed"] < number:
            await asyncio.sleep(0.01)
    await worker.stop()
    await running


@pytest.fixture
def command(redis_url: str, tmp_path: Path) -> Run:
    holdfast = Holdfast(REDIS_URL=redis_url, HOLDFAST_HOME=str(tmp_path), COLUMNS="80")

    async def run(*arguments: str, queue: str = "emails") -> Done:
        return await asyncio.to_thread(holdfast.run, "queue", "--queue", queue, *arguments)

    return run


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator["redis.asyncio.Redis"]:
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def test_stats_say_how_many_jobs_are_where_and_whether_anybody_works(emails: Queue, command: Run) -> None:
    await emails.pause()

    shown = await command("stats")
    for_a_script = json.loads((await command("stats", "--json")).out)

    assert (shown.code, shown.err) == (0, "")
    assert "queue emails" in shown.out
    assert "PAUSED" in shown.out
    assert re.search(r"wait +active +delayed +completed +failed +paused\n +0 +0 +2 +2 +3 +4", shown.out)
    assert "nobody works" in shown.out
    assert for_a_script["counts"] == await emails.counts()
    assert (for_a_script["paused"], for_a_script["added"], for_a_script["workers"]) == (True, 11, [])


async def test_failed_jobs_are_listed_with_their_reasons_and_no_text_of_theirs_can_move_the_cursor(
    emails: Queue, command: Run
) -> None:
    shown = await command("jobs", "failed", "--limit", "2")
    for_a_script = json.loads((await command("jobs", "failed", "--json")).out)

    assert "f-2" in shown.out
    assert "[31mserver said no" in shown.out
    assert "\x1b" not in shown.out
    assert "3 in all" in shown.out
    assert [job["id"] for job in for_a_script] == ["f-2", "f-1", "f-0"]
    assert for_a_script[0]["failed_reason"] == "the \x1b[31mserver said no"


async def test_a_job_is_shown_with_all_its_fields_its_log_and_who_holds_it(
    emails: Queue, command: Run, client: Any
) -> None:
    await client.set("bull:emails:f-1:lock", "cafe:1", px=60_000)

    shown = await command("show", "f-1")
    for_a_script = json.loads((await command("show", "f-1", "--json")).out)

    assert "a line of its log" in shown.out
    assert "ValueError" in shown.out
    assert "held by no worker that is alive here" in shown.out
    assert for_a_script["fields"]["opts"]["jobId"] == "f-1"
    assert for_a_script["lock"] == "cafe:1"


async def test_failed_jobs_run_again_and_delayed_ones_at_once(emails: Queue, command: Run) -> None:
    one, others = await command("retry", "f-0"), await command("retry", "--all")
    first, rest = await command("promote", "d-1"), await command("promote", "--all", "--limit", "9")

    assert "job f-0 will run again" in one.out
    assert "2 failed jobs will run again" in others.out
    assert "job d-1 may run now" in first.out
    assert "1 delayed job may run now" in rest.out
    assert (await emails.counts())["wait"] == 9


async def test_a_queue_is_paused_resumed_and_cleaned(emails: Queue, command: Run) -> None:
    paused = await command("pause")
    assert (await emails.counts())["paused"] == 4
    resumed = await command("resume")
    young, all_of_them = (
        await command("clean", "failed", "--older-than", "7d"),
        await command("clean", "failed", "--older-than", "0"),
    )

    assert "queue emails is paused; 0 jobs still running" in paused.out
    assert "goes on: 4 jobs for 0 workers" in resumed.out
    assert "0 failed jobs removed" in young.out
    assert "3 failed jobs removed" in all_of_them.out
    assert (await emails.counts())["failed"] == 0


async def test_ids_without_a_job_are_listed_and_forgotten(emails: Queue, command: Run, client: Any) -> None:
    await client.rpush("bull:emails:ghosts", "gone")

    assert "gone\n" in (await command("jobs", "ghosts")).out
    assert "1 id without a job forgotten" in (await command("clean", "ghosts", "--older-than", "0")).out
    assert await emails.ghosts() == []


async def test_an_audit_ends_with_1_when_something_is_wrong_and_0_once_it_is_mended(
    emails: Queue, command: Run, client: Any
) -> None:
    assert (await command("audit")).code == 0
    await client.lrem("bull:emails:wait", 0, "w-1")

    found = await command("audit")
    unasked = await command("audit", "--fix")
    for_a_script = await command("audit", "--json")
    mended = await command("audit", "--fix", "--yes")

    assert found.code == for_a_script.code == 1
    assert "1 orphan: a job that is in no list" in found.out
    assert "w-1" in found.out
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert json.loads(for_a_script.out)["findings"][0]["kind"] == "orphan"
    assert (mended.code, "1 put where it belongs" in mended.out) == (0, True)
    assert (await command("audit")).code == 0
    assert (await emails.states(["w-1"]))["w-1"] == "wait"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nobody"), "there is no job nobody in queue emails"),
        (("show", "wait"), "there is no job wait in queue emails"),
        (("retry", "nobody"), "there is no job nobody"),
        (("promote", "nobody"), "there is no job nobody"),
        (("retry",), "say the id of one job, or --all"),
        (("retry", "f-0", "--all"), "say the id of one job, or --all"),
        (("jobs", "lost"), "'lost' is no state; say one of wait,"),
        (("clean", "active", "--older-than", "1d"), "'active' jobs cannot be cleaned"),
        (("clean", "failed", "--older-than", "soon"), "'soon' is no age; say it as 90s"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    emails: Queue, command: Run, arguments: tuple[str, ...], message: str
) -> None:
    done = await command(*arguments)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {message}")
    assert done.err.count("\n") == 1


async def test_a_queue_that_is_not_there_is_said_with_those_that_are(emails: Queue, command: Run) -> None:
    done = await command("stats", queue="mails")

    assert done.code == 2
    assert "there is no queue 'mails'" in done.err
    assert "emails" in done.err


async def test_a_redis_that_is_not_there_is_said_without_its_password(command: Run) -> None:
    done = await command("--url", "redis://:secret@127.0.0.1:1/3", "stats")

    assert done.code == 1
    assert "Redis did not answer within 5 s" in done.err
    assert "redis://127.0.0.1:1/3" in done.err
    assert "secret" not in done.err + done.out


async def test_without_a_terminal_a_queue_is_watched_in_plain_lines(
    emails: Queue, redis_url: str, tmp_path: Path
) -> None:
    holdfast = Holdfast(REDIS_URL=redis_url, HOLDFAST_HOME=str(tmp_path))

    def watch() -> Done:
        with holdfast.started("queue", "-q", "emails", "watch", "--every", "0.1") as running:
            running.until("wait 4 · completed 2 · failed 3 · delayed 2")
            running.until("0 workers")
            running.send(signal.SIGINT)
            return running.end()

    done = await asyncio.to_thread(watch)

    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out


async def test_a_live_view_fits_eighty_columns_and_q_leaves_it(emails: Queue, redis_url: str, tmp_path: Path) -> None:
    shown, code = await asyncio.to_thread(_watch_in_a_terminal, redis_url, tmp_path)

    assert code == 0
    assert "failed last" in shown
    assert "server said no" in shown
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "").split("\n")
    assert max(map(len, lines)) <= 80


def _watch_in_a_terminal(redis_url: str, home: Path) -> tuple[str, int]:
    """What a terminal of 80 columns gets until the view is there and q was pressed; the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = Holdfast(REDIS_URL=redis_url, HOLDFAST_HOME=str(home), TERM="xterm-256color").environment
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "queue", "-q", "emails", "watch", "--every", "0.2"],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "COLUMNS": "", "LINES": ""},
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    killer = threading.Timer(60, process.kill)
    killer.start()
    shown = b""
    try:
        while b"q leaves" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, b"q")
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while chunk := os.read(ours, 4096):
                shown += chunk
        return shown.decode(errors="replace"), process.wait(30)
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        os.close(ours)
