"""Who may reach the API, and what happens when its port is taken."""

import socket

import pytest

from holdfast.cli.serving import PortTaken, is_loopback, listening, require_keys, url_of
from holdfast.errors import BadInput, NotConfigured
from holdfast.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_key(host: str) -> None:
    require_keys(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])  # noqa: S104 - to be refused
def test_any_other_bind_is_refused_without_keys(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(NotConfigured, match="HOLDFAST_API_KEYS"):
        require_keys(Settings(host=host))

    require_keys(Settings(host=host, api_keys=("secret",)))


def test_a_port_in_use_is_said_with_its_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortTaken, match=rf"port {port} .*--port"), listening("127.0.0.1", port):
            pass


def test_a_host_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no address"), listening("not a host", 0):
        pass


def test_the_url_can_be_typed_into_a_browser() -> None:
    with listening("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
