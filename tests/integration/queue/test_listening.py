"""An idle worker's ear: a server that vanished without a word is not listened to for ever."""

import asyncio

import pytest

from holdfast.queue.keys import Keys
from holdfast.queue.link.finding import Finder
from holdfast.queue.reporting import Reporter
from holdfast.queue.work import wakeup

HELLO = b"*6\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
CONFIRMED = b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"


async def test_a_server_that_falls_silent_is_left_and_one_that_answers_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeup, "PING_INTERVAL", 0.05)
    connections, pings = 0, asyncio.Semaphore(0)
    again = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections == 2:
            again.set()
        answered = 0
        while asked := await reader.read(1_000):
            if b"HELLO" in asked:
                writer.write(HELLO)
            elif b"SUBSCRIBE" in asked:
                writer.write(CONFIRMED * (len(keys.wake_channels()) + 1))
            elif b"PING" in asked and answered < 5:
                answered += 1
                writer.write(b"+PONG\r\n" if answered == 1 else b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")
                pings.release()
        writer.close()

    keys = Keys("bull", "q")
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    finder = Finder(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    listener = wakeup.Listener(
        finder, keys, Reporter(), on_work=int, on_delayed=lambda _: None, on_cancel=lambda _: None
    )
    listening = asyncio.create_task(listener.run())
    try:
        async with asyncio.timeout(20), server:
            for _ in range(5):
                await pings.acquire()
            assert connections == 1

            await again.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
