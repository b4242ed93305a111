"""Node with Bull, driven from a test: calls that are awaited, and the events it saw."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.interop.packages import SCRIPTS

PATIENCE = 30  # seconds to wait for an event or a reply
LINE_LIMIT = 16 * 2**20


class NodeError(Exception):
    """What Node's Bull threw."""


class Node:
    """One node process; use it through the fixture `node`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._sent = 0
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self.seen: list[dict[str, Any]] = []  # events, oldest first

    @classmethod
    async def start(cls, packages: Path, url: str) -> "Node":
        """Start it on the packages of this folder and the Redis at `url`."""
        process = await asyncio.create_subprocess_exec(
            "node",
            str(SCRIPTS / "bridge.js"),
            url,
            env=os.environ | {"NODE_PATH": str(packages / "node_modules")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        return cls(process)

    async def end(self) -> None:
        """End the process, as a killed one would end: nothing is written any more."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    def queue(self, name: str = "q") -> "NodeQueue":
        """Bull's queue of this name."""
        return NodeQueue(self, name)

    async def call(self, op: str, **args: Any) -> Any:
        """One operation of bridge.js; NodeError when it threw."""
        self._sent += 1
        reply = self._replies[self._sent] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": self._sent, "op": op, **args}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            return await reply

    def events(self, event: str) -> list[Any]:
        """The arguments of each such event so far."""
        return [each["args"] for each in self.seen if each["event"] == event]

    async def hears(self, event: str, count: int = 1, *, where: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """Wait until so many such events were seen; returns the arguments of each."""
        try:
            async with asyncio.timeout(PATIENCE):
                while len(heard := [args for args in self.events(event) if where(args)]) < count:
                    assert not self._reading.done(), "node has ended"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"node saw {self.seen[-20:]}, but not {count} x {event}") from None
        return heard

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            if "event" in message:
                self.seen.append(message)
                self._news.set()
            elif "error" in message:
                self._replies.pop(message["id"]).set_exception(NodeError(message["error"]))
            else:
                self._replies.pop(message["id"]).set_result(message["value"])
        for reply in self._replies.values():
            reply.set_exception(NodeError("node has ended"))
        self._news.set()


class NodeQueue:
    """A queue of Node's Bull."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._name = name

    async def open(self, **options: Any) -> "NodeQueue":
        """Open it with options of Bull's constructor; without this it is opened with none when it is first used."""
        await self._node.call("open", queue=self._name, options=options)
        return self

    async def add(self, name: str, data: Any = None, **options: Any) -> dict[str, Any]:
        """Add a job with Bull's own options; returns it as Node sees it."""
        job: dict[str, Any] = await self.call("add", name, data, options)
        return job

    async def call(self, method: str, *args: Any) -> Any:
        """Any method of Bull's queue."""
        return await self._node.call("queue", queue=self._name, method=method, args=args)

    async def job(self, job_id: str, method: str = "toJSON", *args: Any) -> Any:
        """Any method of Bull's job."""
        return await self._node.call("job", queue=self._name, job=job_id, method=method, args=args)

    async def listen(self, *events: str) -> None:
        """Have these events told; returns when Redis has confirmed the subscriptions."""
        await self._node.call("listen", queue=self._name, events=events)

    async def process(self, name: str = "*", how: str = "echo", *, concurrency: int = 1) -> None:
        """Work, with one of bridge.js' processors: echo, fail or ask."""
        await self._node.call("process", queue=self._name, name=name, how=how, concurrency=concurrency)

    async def take(self) -> dict[str, Any] | None:
        """Bull's getNextJob."""
        job: dict[str, Any] | None = await self._node.call("take", queue=self._name)
        return job
