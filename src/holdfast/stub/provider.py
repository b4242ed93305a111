"""The stub provider as a process to start, command, kill and start again."""

import asyncio
import contextlib
import http.client
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import orjson

from holdfast.errors import Unavailable
from holdfast.stub.bill import Bill, BilledCall, read_bill
from holdfast.stub.prices import price_list

START_SECONDS = 30.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 30.0  # of the stub's own paths
KEY = "stub-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class StubOptions:
    """How a stub provider is started."""

    latency_ms: float = 0.0
    rpm: float | None = None  # its limit of requests a minute
    burst: float | None = None  # requests that may come at once; None: a second's worth
    key: str | None = None  # the only right key; None: any
    prices: Mapping[str, str] = field(default_factory=dict)  # model -> "IN,OUT" in USD per million tokens
    strict_models: bool = False
    batch_seconds: float = 0.0
    tokens: tuple[int, int] | None = None  # in and out, of every call; None: counted

    def arguments(self) -> list[str]:
        """The command line that says the same."""
        given = {"--rpm": self.rpm, "--burst": self.burst, "--key": self.key}
        return [
            f"--latency-ms={self.latency_ms}",
            f"--batch-seconds={self.batch_seconds}",
            *(f"{name}={value}" for name, value in given.items() if value is not None),
            *(f"--price={model}={price}" for model, price in self.prices.items()),
            *([f"--tokens={self.tokens[0]},{self.tokens[1]}"] if self.tokens else []),
            *(["--strict-models"] if self.strict_models else []),
        ]


class StubProvider:
    """Owns a stub's process; its calls take a moment each, only `waiting` and `billed` really wait.

    After `kill()` or `stop()` the same object starts again on the same port and folder, and the bill goes on.
    """

    def __init__(self, folder: Path, options: StubOptions | None = None) -> None:
        self._folder = folder
        self._options = options or StubOptions()
        self._child: subprocess.Popen[bytes] | None = None
        self._port = 0  # a free one the first time, the same one from then on

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL for Anthropic's client; OpenAI's wants `/v1` behind it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start it and return once it listens; raises Unavailable if it does not. It stops when this process ends."""
        if self.alive:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "holdfast.stub", "--until-eof", f"--port={self._port}"]
        with (self._folder / "stub.log").open("ab") as log:
            self._child = subprocess.Popen(
                [*command, f"--folder={self._folder}", *self._options.arguments()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for its owner to handle
            )
        told = self._first_line(self._child)
        if not told:
            self.kill()
            raise Unavailable(f"the stub provider did not start: {self._last_words()}")
        self._port = int(orjson.loads(told)["port"])

    def stop(self) -> None:
        """Let it end by itself; calls that it holds get no answer."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._reap()

    def kill(self) -> None:
        """SIGKILL; returns once it is gone."""
        if self._child is not None:
            self._child.kill()
            self._reap()

    def restart(self) -> None:
        """Kill it and start it again on the same port and folder."""
        self.kill()
        self.start()

    def environment(self) -> dict[str, str]:
        """The variables that point Holdfast and the providers' clients at this stub."""
        key = self._options.key or KEY
        tariffs = price_list(self._options.prices)
        prices = {
            f"{provider}:{model}": tariff.told()
            for provider in ("anthropic", "openai")
            for model, tariff in tariffs.items()
        }
        return {
            "ANTHROPIC_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.url,
            "OPENAI_API_KEY": key,
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "HOLDFAST_PRICES": orjson.dumps(prices).decode(),
        }

    def bill(self) -> Bill:
        """All it has billed so far, read from its folder: also when it is dead."""
        return read_bill(self._folder)

    def calls_for(self, text: str) -> tuple[BilledCall, ...]:
        """The billed calls of a custom id (its end), a prompt's digest, or a text that the prompt holds."""
        return self.bill().calls_for(text)

    def state(self) -> dict[str, Any]:
        """Counts of requests, held and billed calls, the faults and how often they fired."""
        return self._ask("GET", "/stub/state")

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Plan faults, behind those planned before: {"fault": name, "match": {…}, "times": n, …}."""
        self._ask("POST", "/stub/faults", list(rules))

    def no_faults(self) -> None:
        """Forget the faults planned."""
        self._ask("DELETE", "/stub/faults")

    def settings(self, **values: float | None) -> None:
        """Change latency_ms, rpm or burst while it runs."""
        self._ask("POST", "/stub/settings", values)

    def hold(self, match: Mapping[str, Any] | None = None, *, before_billing: bool = False) -> None:
        """Hold the replies of calls that match (default all) from now on, after they are billed."""
        self._ask("POST", "/stub/hold", {"match": match or {}, "before_billing": before_billing})

    def release(self, n: int | None = None) -> int:
        """Let the first n held calls go; without n all of them, and hold no more. Says how many went."""
        return int(self._ask("POST", "/stub/release", {} if n is None else {"n": n})["released"])

    async def waiting(self, n: int, *, within: float = 60.0) -> None:
        """Return once n calls are held at the same time; raises TimeoutError."""
        await self._wait("held", n, within)

    async def billed(self, n: int, *, within: float = 60.0) -> None:
        """Return once n calls are billed, counted from the beginning of the bill; raises TimeoutError."""
        await self._wait("billed", n, within)

    async def requested(self, n: int, *, within: float = 60.0) -> None:
        """Return once n requests have come in since it was started, billed or not; raises TimeoutError."""
        await self._wait("requests", n, within)

    async def ended(self, batch_id: str, *, within: float = 60.0) -> None:
        """Return once the batch has ended; raises TimeoutError."""
        path = f"/stub/wait?{urlencode({'batch': batch_id, 'within': within})}"
        told = await asyncio.to_thread(self._ask, "GET", path, None, within + ANSWER_SECONDS)
        if batch_id not in told["ended"]:
            raise TimeoutError(f"batch {batch_id} has not ended after {within:g} s")

    async def _wait(self, what: str, n: int, within: float) -> None:
        path = f"/stub/wait?{urlencode({what: n, 'within': within})}"
        counts = await asyncio.to_thread(self._ask, "GET", path, None, within + ANSWER_SECONDS)
        if counts[what] < n:
            raise TimeoutError(f"{n} calls {what} were waited for; after {within:g} s: {counts}")

    def _ask(self, method: str, path: str, body: Any = None, limit: float = ANSWER_SECONDS) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=limit)
        try:
            connection.request(method, path, None if body is None else orjson.dumps(body))
            answer = connection.getresponse()
            told: dict[str, Any] = orjson.loads(answer.read())
        except OSError as error:
            raise Unavailable(f"the stub provider does not answer: {error}") from error
        finally:
            connection.close()
        if "error" in told:
            raise ValueError(told["error"])
        return told

    def _first_line(self, child: subprocess.Popen[bytes]) -> bytes:
        assert child.stdout is not None
        ready, _, _ = select.select([child.stdout], [], [], START_SECONDS)
        return os.read(child.stdout.fileno(), 4096) if ready else b""

    def _last_words(self) -> str:
        return (self._folder / "stub.log").read_text("utf-8", "replace")[-2000:].strip()

    def _reap(self) -> None:
        assert self._child is not None
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
