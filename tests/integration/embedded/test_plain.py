"""PlainRedis: what redis-cli would show."""

import pytest

from holdfast.embedded import PlainRedis, RedisServer
from holdfast.errors import NotConfigured, Unavailable


def test_plain_commands_are_answered_in_plain_values(redis_url: str) -> None:
    with PlainRedis(redis_url) as plain:
        plain.call("RPUSH", "a list", "one", "zwei")
        plain.call("ZADD", "a set", 2, "later", 1, "sooner")
        plain.call("HSET", "a hash", "field", "value")

        assert plain.call("LRANGE", "a list", 0, -1) == ["one", "zwei"]
        assert plain.call("ZRANGE", "a set", 0, -1) == ["sooner", "later"]
        assert plain.call("HGETALL", "a hash") == {"field": "value"}
        assert plain.call("TYPE", "a hash") == "hash"


def test_keys_are_scanned_to_the_last_one(redis_url: str) -> None:
    with PlainRedis(redis_url) as plain:
        for number in range(1500):
            plain.call("SET", f"of us:{number}", number)
        plain.call("SET", "of others", "1")

        assert plain.keys("of us:*") == {f"of us:{number}" for number in range(1500)}


def test_a_dead_server_and_a_url_of_many_servers_are_refused_in_our_words(own_redis: RedisServer) -> None:
    url = own_redis.url
    own_redis.kill()

    with PlainRedis(url) as plain, pytest.raises(Unavailable, match="does not answer PING"):
        plain.call("PING")
    with pytest.raises(NotConfigured, match="one server"):
        PlainRedis("redis+sentinel://localhost:26379/mymaster")
