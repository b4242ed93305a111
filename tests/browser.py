"""A real Chromium without a window, driven over two pipes: no port, no package."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.missing import give_up

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Page:
    """One page, and all it asked the network for."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.requested: list[str] = []
        self.errors: list[str] = []
        self._out = os.fdopen(to_browser, "wb", buffering=0)
        self._in = os.fdopen(from_browser, "rb")
        self._rest = b""
        self._numbers = itertools.count(1)
        self._session: str | None = None

    def attach(self) -> None:
        """Open an empty page and listen to what it does."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Go there and wait until it has loaded."""
        self.ask("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression: str) -> Any:
        """What the JavaScript expression is, as a JSON value."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its answer."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._out.write(json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def close(self) -> None:
        """End the browser with all its processes."""
        self._session = None
        self.ask("Browser.close")

    def let_go(self) -> None:
        """Close the pipes."""
        self._out.close()
        self._in.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = self._in.read1()
            assert read, "the browser has ended"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        self._note(told)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(told["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(told["params"]["exceptionDetails"]["text"])
            case "Log.entryAdded":
                self.errors.append(told["params"]["entry"]["text"])
            case _:
                pass


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page in a browser that is gone at the end of the block; skips the test where there is no browser."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        give_up("there is no Chromium on this machine")
    theirs_in, to_browser = os.pipe()
    from_browser, theirs_out = os.pipe()
    # The protocol's pipes are the descriptors 3 and 4.
    wired = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
    command = ["bash", "-c", wired, "chromium", program, *OPTIONS, f"--user-data-dir={folder / 'chromium'}"]
    process = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
    for end in (theirs_in, theirs_out):
        os.close(end)
    page = Page(to_browser, from_browser)
    try:
        page.attach()
        yield page
        page.close()
        process.wait(20)
    finally:
        process.kill()
        process.wait()
        page.let_go()
