"""Where the API listens."""

import socket

import pytest

from holdfast.cli.serving import PortTaken, listening, url_of
from holdfast.errors import BadInput


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
