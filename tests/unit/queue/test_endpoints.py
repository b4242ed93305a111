"""What URLs say, and which keys of a queue are in one slot."""

import ssl
from typing import Any

import pytest
from redis.crc import key_slot

from holdfast.queue.keys import Keys
from holdfast.queue.link.endpoints import parse
from holdfast.queue.link.finding import _address, _untagged, has_hash_tag


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("redis://", {"host": "localhost", "port": 6379, "db": 0}),
        ("redis://:p%40ss@h:7000/3", {"host": "h", "port": 7000, "db": 3, "username": None, "password": "p@ss"}),
        ("redis://ada:secret@[::1]:7000", {"host": "::1", "username": "ada", "password": "secret"}),
        ("unix://:secret@/run/r.sock?db=2", {"path": "/run/r.sock", "db": 2, "password": "secret"}),
    ],
)
def test_the_url_of_one_server_says_where_and_who(url: str, login: dict[str, Any]) -> None:
    target = parse(url)

    assert target.kind == "one"
    assert {name: getattr(target.login, name) for name in login} == login
    assert target.login.tls is None


def test_sentinels_have_a_login_of_their_own_and_a_port_of_their_own() -> None:
    url = "redis+sentinel://ada:p%2Fw@one,two:27000,[::1]:1/main/4?sentinel_username=eve&sentinel_password=s"

    target = parse(url)

    assert (target.kind, target.service, target.nodes) == (
        "sentinel",
        "main",
        (("one", 26379), ("two", 27000), ("::1", 1)),
    )
    assert (target.login.username, target.login.password, target.login.db) == ("ada", "p/w", 4)
    assert (target.asking.username, target.asking.password, target.asking.db) == ("eve", "s", 0)
    assert target.login.at(("h", 1)).password == "p/w"


def test_the_nodes_of_a_cluster_share_the_login() -> None:
    target = parse("rediss+cluster://:secret@one,two:7001?ssl_check_hostname=false")

    assert (target.kind, target.nodes) == ("cluster", (("one", 6379), ("two", 7001)))
    assert target.asking.password == target.login.password == "secret"
    assert target.login.tls is not None
    assert target.login.tls.check_hostname is False
    assert target.login.tls.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("prefix", "name", "tagged"),
    [("{bull}", "q", True), ("bull", "{q}", True), ("a{b}c", "q", True), ("bull", "q", False), ("{}", "{q}", False)],
)
def test_a_hash_tag_is_what_puts_all_keys_into_one_slot(prefix: str, name: str, tagged: bool) -> None:
    keys = Keys(prefix, name)

    slots = {key_slot(key.encode()) for key in (keys.wait, keys.active, keys.job("17"), keys.lock("x{y}"))}

    assert has_hash_tag(keys.base) is tagged
    assert (len(slots) == 1) is tagged


def test_the_fix_for_a_queue_without_a_hash_tag_is_one_that_helps() -> None:
    assert 'Queue("mail", prefix="{my:app}")' in _untagged("my:app:mail:")
    assert has_hash_tag(Keys("{my:app}", "mail").base)


@pytest.mark.parametrize("told", [b"", None, b"?"])
def test_a_node_that_does_not_know_its_own_name_is_where_it_was_asked(told: bytes | None) -> None:
    assert _address([told, 7002], ("asked", 7001)) == ("asked", 7002)
    assert _address([b"other", 7002], ("asked", 7001)) == ("other", 7002)
