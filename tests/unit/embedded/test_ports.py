"""Starting on a port copes with programs that are quicker, but never moves an address that was given out."""

from pathlib import Path

import pytest

from holdfast.embedded import ports
from holdfast.errors import EmbeddedError

TAKEN = "bind: Address already in use"
LOG = Path("server.log")


def test_a_port_that_was_taken_meanwhile_is_replaced() -> None:
    tried: list[int] = []

    def attempt(port: int) -> str | None:
        tried.append(port)
        return TAKEN if len(tried) < 3 else None

    assert ports.start_on_a_port(attempt, fixed=None, kept=4711, log=LOG) == tried[2]
    assert tried[0] == 4711
    assert len(set(tried)) == 3


def test_a_fixed_port_is_tried_alone() -> None:
    tried: list[int] = []

    def attempt(port: int) -> str:
        tried.append(port)
        return TAKEN

    with pytest.raises(EmbeddedError, match=r"port 4711.*in use"):
        ports.start_on_a_port(attempt, fixed=4711, kept=None, log=LOG)

    assert tried == [4711]


def test_another_failure_is_not_tried_again_and_its_words_are_told() -> None:
    with pytest.raises(EmbeddedError, match="no space left"):
        ports.start_on_a_port(lambda _: "starting\n\nno space left\n", fixed=None, kept=None, log=LOG)


def test_ports_that_are_always_taken_end_the_tries() -> None:
    with pytest.raises(EmbeddedError, match="10 tries"):
        ports.start_on_a_port(lambda _: TAKEN, fixed=None, kept=None, log=LOG)


def test_a_silent_server_is_said_to_be_silent() -> None:
    with pytest.raises(EmbeddedError, match="it said nothing"):
        ports.start_on_a_port(lambda _: "", fixed=1, kept=None, log=LOG)


def test_free_ports_are_outside_the_range_of_outgoing_connections() -> None:
    low = int(ports.EPHEMERAL.read_text().split()[0])

    assert all(ports.LOWEST <= ports.free_port() < low for _ in range(20))


def test_a_machine_without_ports_below_that_range_gets_any_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "range").write_text("1024 65535\n")
    monkeypatch.setattr(ports, "EPHEMERAL", tmp_path / "range")

    assert ports.free_port() >= 1024


def test_a_machine_without_any_free_port_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("socket.socket.bind", taken)

    with pytest.raises(EmbeddedError, match="no free port"):
        ports.free_port()
