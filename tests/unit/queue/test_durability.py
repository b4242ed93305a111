"""What a server says of itself, put into words: what no server here can easily be brought to say."""

import pytest

from holdfast.queue.client.durability import Told, judge

SOUND = {
    "aof_enabled": "1",
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "connected_slaves": "1",
    "role": "master",
}
CONFIG = {"appendfsync": "everysec", "maxmemory-policy": "noeviction", "min-replicas-to-write": "1", "save": ""}


@pytest.mark.parametrize(
    ("info", "config", "words"),
    [
        ({"aof_last_write_status": "err"}, {}, "is the disk full"),
        ({"aof_last_bgrewrite_status": "err"}, {}, "rewrite of the AOF failed"),
        ({"rdb_last_bgsave_status": "err"}, {}, "snapshot failed"),
        ({"role": "slave"}, {}, "this is a replica"),
        ({}, {"maxmemory-policy": "allkeys-lru"}, "maxmemory-policy noeviction"),
        ({}, {"min-replicas-to-write": "0"}, "min-replicas-to-write 1"),
        ({"connected_slaves": "0"}, {}, "Redis refuses writes"),
    ],
)
def test_what_is_wrong_is_said_once_and_what_is_sound_is_not(
    info: dict[str, str], config: dict[str, str], words: str
) -> None:
    found = judge(Told(info=SOUND | info, config=CONFIG | config))

    assert len(found.warnings) == 1
    assert words in found.warnings[0]
    assert judge(Told(info=SOUND, config=CONFIG)).warnings == ()


def test_a_server_that_tells_nothing_is_unknown_and_gets_no_durable_add() -> None:
    found = judge(Told(info={}, config={}))

    assert (found.level, found.killed, found.power_cut, found.durable_adds) == ("unknown", "unknown", "unknown", False)


def test_the_words_say_that_everysec_may_lose_to_a_kill_on_a_slow_disk() -> None:
    told = str(judge(Told(info=SOUND, config=CONFIG)))

    assert "a killed Redis loses: nothing while the disk is quick; up to 2 s when it is slow" in told
    assert "add(durable=True): loses nothing in a power cut" in told
