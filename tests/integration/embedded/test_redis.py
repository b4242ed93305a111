"""RedisServer: a real redis-server that keeps what it acknowledged."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.embedded import RedisServer
from holdfast.embedded.processes import wait_until
from holdfast.errors import EmbeddedError


@pytest.fixture
def client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_redis.url, decode_responses=True) as client:
        yield client


def test_a_killed_redis_comes_back_with_every_acknowledged_write(own_redis: RedisServer, client: redis.Redis) -> None:
    url = own_redis.url
    for number in range(1000):
        client.rpush("written", number)

    own_redis.kill()
    own_redis.start()

    assert own_redis.url == url
    assert client.lrange("written", 0, -1) == [str(number) for number in range(1000)]


def test_a_stopped_redis_is_gone_and_comes_back_with_its_data(own_redis: RedisServer, client: redis.Redis) -> None:
    client.set("kept", "yes")

    own_redis.stop()

    assert not own_redis.running
    assert own_redis.pid is None
    own_redis.start()
    assert client.get("kept") == "yes"


def test_redis_runs_with_aof_noeviction_and_a_password(own_redis: RedisServer, client: redis.Redis) -> None:
    settings = client.config_get("*")

    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["bind"] == "127.0.0.1"
    port = client.connection_pool.connection_kwargs["port"]
    with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_the_password_is_in_private_files_and_not_in_the_process_list(
    own_redis: RedisServer, client: redis.Redis
) -> None:
    folder = Path(client.config_get("dir")["dir"])
    password = (folder / "password").read_text()

    command = Path(f"/proc/{own_redis.pid}/cmdline").read_text()

    assert password in own_redis.url
    assert password not in command
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in ("password", "redis.conf", "redis.log"))


def test_a_redis_left_behind_by_a_dead_owner_is_adopted(own_redis: RedisServer, client: redis.Redis) -> None:
    folder = Path(client.config_get("dir")["dir"])
    successor = RedisServer(folder)

    successor.start()

    assert successor.pid == own_redis.pid
    assert successor.url == own_redis.url
    successor.stop()
    assert wait_until(lambda: not own_redis.running, limit=10)  # its threads may end after it


def test_a_folder_with_a_long_name_spaces_and_umlauts_works(own_folder: Path) -> None:
    server = RedisServer(own_folder / ("long " * 30) / "Grüße, 你好" / 'quo"te')

    server.start()
    server.kill()
    server.start()

    assert server.running
    server.stop()


def test_a_port_taken_by_another_program_is_said_when_the_port_must_stay(
    own_redis: RedisServer, client: redis.Redis, own_folder: Path
) -> None:
    port = client.connection_pool.connection_kwargs["port"]

    with pytest.raises(EmbeddedError, match=rf"port {port}.*in use"):
        RedisServer(own_folder / "second", port=port).start()


def test_a_remembered_port_that_was_taken_is_replaced(
    own_redis: RedisServer, client: redis.Redis, own_folder: Path
) -> None:
    port = client.connection_pool.connection_kwargs["port"]
    (own_folder / "redis.conf").write_text(f"port {port}\n")
    server = RedisServer(own_folder)

    server.start()

    assert server.running
    assert f":{port}/" not in server.url
    server.stop()


def test_a_folder_that_cannot_be_made_says_what_to_do(own_folder: Path) -> None:
    (own_folder / "file").write_text("in the way")

    with pytest.raises(EmbeddedError, match="HOLDFAST_HOME"):
        RedisServer(own_folder / "file" / "home").start()


def test_what_redis_said_is_in_the_error_when_its_data_cannot_be_read(own_redis: RedisServer, own_folder: Path) -> None:
    (own_folder / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense")

    with pytest.raises(EmbeddedError, match="append only"):
        RedisServer(own_folder).start()


def test_an_editor_that_has_the_server_s_files_open_is_left_alone(own_redis: RedisServer, client: redis.Redis) -> None:
    folder = Path(client.config_get("dir")["dir"])
    editor = subprocess.Popen([sys.executable, "-c", "input()", folder / "redis.conf"], stdin=subprocess.PIPE)
    own_redis.kill()

    RedisServer(folder).start()

    assert editor.poll() is None
    editor.communicate()
