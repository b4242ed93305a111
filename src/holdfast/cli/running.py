"""One owner of the signals: the first one asks to stop, the second one insists, the third one ends at once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from holdfast.cli.exits import INTERRUPTED
from holdfast.cli.threads import Threads, leave_now

T = TypeVar("T")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INSISTED = 1.0  # seconds what a second signal cancels gets to end, before all that still runs is cancelled too
AT_LAST = 6.0  # seconds after which an insisted end has come, whatever still runs
LINGER = 3.0  # seconds for threads at the end: servers may still be closing in one


class Stop:
    """Set when the user or the system wants this command to end."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.signal: signal.Signals | None = None

    @property
    def asked(self) -> bool:
        return self.event.is_set()

    @property
    def exit_code(self) -> int:
        """As a shell has it: 128 + the signal's number."""
        return INTERRUPTED if self.signal is None else 128 + self.signal

    async def within(self, seconds: float) -> bool:
        """Wait to be asked to stop, at most so long; says whether that came."""
        try:
            await asyncio.wait_for(self.event.wait(), seconds)
        except TimeoutError:
            return False
        return True


def run(command: Callable[[Stop], Awaitable[int]]) -> int:
    """Run the command in an event loop of its own; returns its exit code."""

    async def with_signals() -> int:
        stop, threads = Stop(), Threads()
        asyncio.get_running_loop().set_default_executor(threads)
        with _signals_to(stop):
            try:
                return await command(stop)
            except asyncio.CancelledError:
                return stop.exit_code
            finally:
                await threads.finish(within=LINGER)

    return asyncio.run(with_signals())


async def unless_stopped(doing: Coroutine[Any, Any, T], stop: Stop) -> T | None:
    """What it returns, or None once the user wants to stop: it is cancelled then."""
    work = asyncio.create_task(doing)
    asked = asyncio.create_task(stop.event.wait())
    try:
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        for task in (work, asked):
            task.cancel()
        await asyncio.gather(work, asked, return_exceptions=True)


@contextmanager
def _signals_to(stop: Stop) -> Iterator[None]:
    loop, command = asyncio.get_running_loop(), asyncio.current_task()
    assert command is not None
    times = 0

    def received(sign: signal.Signals) -> None:
        nonlocal times
        times += 1
        if times == 2:
            _insist(loop, command, stop)
        elif times > 2:
            leave_now(stop.exit_code)
        stop.signal = stop.signal or sign
        stop.event.set()

    # What was started with nohup goes on without its terminal.
    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    caught = [sign for sign in STOP_SIGNALS if sign is not signal.SIGHUP or not nohup]
    before = {sign: signal.getsignal(sign) for sign in caught}
    for sign in caught:
        loop.add_signal_handler(sign, received, sign)
    try:
        yield
    finally:
        for sign in caught:
            loop.remove_signal_handler(sign)
            signal.signal(sign, before[sign])  # the loop would leave a stack trace to the next Ctrl-C


def _insist(loop: asyncio.AbstractEventLoop, command: asyncio.Task[Any], stop: Stop) -> None:
    """Cancel the command; what then still waits, for a thread or for paid work, does not keep it."""

    def cancel_the_rest() -> None:
        for task in asyncio.all_tasks(loop) - {command}:
            task.cancel()

    command.cancel()
    loop.call_later(INSISTED, cancel_the_rest)
    loop.call_later(AT_LAST, lambda: leave_now(stop.exit_code))
