"""A keeper starts its server again after every death, more slowly each time, and stops in bounded time."""

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from holdfast.embedded import keeper as keepers
from holdfast.embedded.keeper import Keeper, restart_delay
from holdfast.errors import EmbeddedError

WAIT = 30


class FakeServer:
    """A server that dies when told to."""

    def __init__(self, *, failing_starts: int = 0) -> None:
        self.url = "fake://"
        self.pid: int | None = 1
        self.running = False
        self.starts = 0
        self.killed = threading.Event()
        self.hangs = threading.Event()
        self.up = threading.Semaphore(0)
        self._failing = failing_starts

    def start(self) -> None:
        self.starts += 1
        if self.hangs.is_set():
            self.up.release()
            self.killed.wait(WAIT)
            raise EmbeddedError("killed while it started")
        if self.starts > 1 and self._failing:
            self._failing -= 1
            raise EmbeddedError("no space left")
        self.running = True
        self.up.release()

    def stop(self) -> None:
        self.running = False

    def kill(self) -> None:
        self.killed.set()


@pytest.fixture
def restarted() -> threading.Semaphore:
    return threading.Semaphore(0)


@pytest.fixture(autouse=True)
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keepers, "restart_delay", lambda _: 0)
    monkeypatch.setattr(keepers, "WATCH", 0.001)
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("keeper")]


def test_a_dead_server_is_started_again_and_it_is_logged(restarted: threading.Semaphore) -> None:
    server = FakeServer()
    keeper = Keeper("redis", server, restarted=restarted.release)
    with capture_logs() as logs:
        keeper.start()

        server.running = False

        assert restarted.acquire(timeout=WAIT)
        keeper.stop()
    assert [entry["event"] for entry in logs] == ["embedded server died, starting it again", "embedded server is back"]
    assert logs[0]["server"] == "redis"


def test_a_start_that_fails_is_tried_again(restarted: threading.Semaphore) -> None:
    server = FakeServer(failing_starts=2)
    keeper = Keeper("redis", server, restarted=restarted.release)
    with capture_logs() as logs:
        keeper.start()

        server.running = False

        assert restarted.acquire(timeout=WAIT)
        keeper.stop()
    assert server.starts == 4
    assert [entry["error"] for entry in logs if "error" in entry] == ["no space left"] * 2


def test_a_stopped_server_is_not_started_again(restarted: threading.Semaphore) -> None:
    server = FakeServer()
    keeper = Keeper("redis", server, restarted=restarted.release)
    keeper.start()

    keeper.stop()

    assert not server.running
    assert server.starts == 1


def test_a_start_that_hangs_is_cut_short_by_stop(
    restarted: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "STOP_LIMIT", 0.05)
    server = FakeServer()
    keeper = Keeper("redis", server, restarted=restarted.release)
    keeper.start()
    server.up.acquire()
    server.hangs.set()
    server.running = False
    assert server.up.acquire(timeout=WAIT)

    keeper.stop()

    assert server.killed.is_set()


def test_restarts_begin_at_once_and_slow_down_to_two_seconds() -> None:
    assert [restart_delay(failures) for failures in (0, 1, 2, 10, 1000)] == [0, 0.2, 0.4, 2.0, 2.0]


def test_a_server_without_owner_is_taken_over_as_no_death(restarted: threading.Semaphore) -> None:
    server = FakeServer()
    keeper = Keeper("redis", server, restarted=restarted.release)
    with capture_logs() as logs:
        keeper.take_over()

        assert restarted.acquire(timeout=WAIT)
        keeper.let_go()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("embedded server taken over", "info")]
    assert server.running
