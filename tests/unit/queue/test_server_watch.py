"""When a worker takes Redis for another one than before."""

from typing import Any

from redis.exceptions import NoPermissionError

from holdfast.queue.link.presence import YOUNG, ServerWatch


class Server:
    """Says who it is, unless it may not."""

    def __init__(self, run_id: str, uptime: int, *, may_tell: bool = True) -> None:
        self.run_id, self.uptime, self.may_tell = run_id, uptime, may_tell

    def info(self, _section: str) -> dict[str, Any]:
        if not self.may_tell:
            raise NoPermissionError("no permissions to run the 'info' command")
        return {"run_id": self.run_id, "uptime_in_seconds": self.uptime}


def test_the_same_server_has_not_changed_and_another_one_has() -> None:
    server = Server("a", 100)
    watch = ServerWatch(server)
    watch.look()
    watch.look()
    assert not watch.changed

    server.run_id = "b"
    watch.look()

    assert watch.changed


def test_a_change_is_kept_until_somebody_has_seen_to_it() -> None:
    server = Server("a", 100)
    watch = ServerWatch(server)
    watch.look()
    server.run_id = "b"
    watch.look()

    watch.look()

    assert watch.changed


def test_the_first_server_counts_as_changed_while_it_is_young() -> None:
    for uptime, changed in ((YOUNG - 1, True), (YOUNG, False)):
        watch = ServerWatch(Server("a", uptime))
        watch.look()
        assert watch.changed == changed


def test_a_server_that_may_not_tell_counts_as_another_one_at_each_reconnect() -> None:
    watch = ServerWatch(Server("a", 0, may_tell=False))
    watch.look()
    assert not watch.changed

    watch.look()

    assert watch.changed
