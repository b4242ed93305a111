"""One owner of the signals: the first one asks to stop, the second one insists."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from holdfast.cli.exits import INTERRUPTED

T = TypeVar("T")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        stop = Stop()
        with _signals_to(stop):
            try:
                return await command(stop)
            except asyncio.CancelledError:
                return stop.exit_code

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

    def received(sign: signal.Signals) -> None:
        if stop.asked:
            command.cancel()
        stop.signal = stop.signal or sign
        stop.event.set()

    # What was started with nohup goes on without its terminal.
    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    caught = [sign for sign in STOP_SIGNALS if sign is not signal.SIGHUP or not nohup]
    for sign in caught:
        loop.add_signal_handler(sign, received, sign)
    try:
        yield
    finally:
        for sign in caught:
            loop.remove_signal_handler(sign)
