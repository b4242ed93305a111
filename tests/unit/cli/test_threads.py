"""A command ends although a thread of it computes for ever."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

LIMIT = 20.0  # seconds; far less than the thread takes

# As `main` runs a command: one that waits for a thread no cancel can reach.
COMMAND = """
import asyncio, sys, threading
from holdfast.cli.running import run
from holdfast.cli.threads import leave
from holdfast.errors import BadInput

async def command(stop):
    computing = asyncio.create_task(asyncio.to_thread(threading.Event().wait, 1000))
    print("computing", flush=True)
    {rest}
    print("ended")
    return stop.exit_code

try:
    code = run(command)
except BadInput:
    code = 2
leave(code)
"""


@contextmanager
def started(rest: str) -> Iterator[subprocess.Popen[str]]:
    code = COMMAND.format(rest=rest)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "computing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("rest", "code", "said"),
    [("await stop.event.wait()", 130, "ended\n"), ("await asyncio.sleep(0); raise BadInput('no')", 2, "")],
    ids=["it was stopped", "it failed"],
)
def test_a_command_that_has_ended_is_not_kept_by_its_threads(rest: str, code: int, said: str) -> None:
    with started(rest) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)

    assert (process.returncode, out, err) == (code, said, "")


def test_a_second_ctrl_c_cancels_what_swallowed_the_first_cancel() -> None:
    swallowing = "await stop.event.wait(); print('asked', flush=True); await asyncio.shield(computing)"
    with started(swallowing) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT)

    assert (process.returncode, err) == (130, "")


def test_a_third_ctrl_c_waits_for_nothing() -> None:
    stubborn = """
    for word in ("first", "second"):
        try:
            await (stop.event.wait() if word == "first" else asyncio.sleep(1000))
        except asyncio.CancelledError:
            pass
        print(word, flush=True)
    await asyncio.Event().wait()"""
    with started(stubborn) as process:
        assert process.stdout is not None
        for word in ("first\n", "second\n"):
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == word
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=5)

    assert (process.returncode, err) == (130, "")
