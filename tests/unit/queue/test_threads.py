"""Threads that nobody can stop keep their places until they return."""

import asyncio
import threading

from holdfast.queue.reporting import Reporter
from holdfast.queue.work.threads import Threads


async def test_a_call_that_is_left_counts_until_it_returns_and_one_that_never_began_does_not() -> None:
    begun, release = threading.Event(), threading.Event()
    with Threads(1, Reporter()) as threads:
        running = threads.submit(lambda: (begun.set(), release.wait(10)))
        waiting = threads.submit(lambda: None)
        await asyncio.to_thread(begun.wait, 10)

        threads.leave(waiting, "j-2")
        assert (threads.left, waiting.cancelled()) == (0, True)
        threads.leave(running, "j-1")
        assert threads.left == 1

        back = asyncio.Event()
        threads.on_back = back.set
        release.set()
        async with asyncio.timeout(10):
            await back.wait()
        assert threads.left == 0
        threads.leave(running, "j-1")  # it has ended
        assert threads.left == 0


async def test_a_thread_that_comes_back_to_nobody_is_counted_in_peace() -> None:
    release = threading.Event()
    with Threads(1, Reporter()) as threads:
        begun = threading.Event()
        running = threads.submit(lambda: (begun.set(), release.wait(10)))
        await asyncio.to_thread(begun.wait, 10)
        threads.leave(running, "j-1")

        release.set()
        async with asyncio.timeout(10):
            while threads.left:
                await asyncio.sleep(0)

    assert running.done()
