"""Where a queue runs: each version of Redis and Valkey, TLS, unix socket, ACL users; and where it does not."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.integration.queue.smoke import ends, operate, smoke, working
from tests.missing import give_up
from tests.redis_servers import SentinelSetup, Server, TlsServer, program_with, programs, running

from holdfast.errors import NotConfigured, QueueError, UnfitServer
from holdfast.queue import Job, Queue, QueueUnavailable, Worker

PROGRAMS = programs()
DEPLOYING = Path(__file__).parents[3] / "docs/how-to/deploying-redis.md"


@pytest.fixture(params=sorted(PROGRAMS))
def server(request: pytest.FixtureRequest, own_folder: Path) -> Iterator[Server]:
    """A running server of each version there is."""
    found = Server(PROGRAMS[request.param], own_folder / "r", {"unixsocket": own_folder / "s.sock"})
    with running(found):
        yield found.start()


async def test_a_queue_works_on_each_version(server: Server) -> None:
    async with Queue("q", url=server.url) as queue:
        await smoke(queue)
        assert (await queue.durability()).level == "everysec"
        await operate(queue)


async def test_a_queue_works_over_a_unix_socket(server: Server) -> None:
    async with Queue("q", url=f"unix://{server.folder.parent / 's.sock'}?db=3") as queue:
        await smoke(queue)

    with server.client(db=3) as client:
        assert client.zcard("bull:q:completed") == 4


@pytest.fixture
def tls_program() -> Path:
    """A server that speaks TLS: Debian's does, those of the wheels do not."""
    if shutil.which("openssl") is None:
        give_up("no openssl, which makes the certificates")
    return program_with(at_least=(7, 0), below=(7, 9)) or give_up("no redis-server with TLS (apt install redis-server)")


async def test_a_queue_works_over_tls_with_certificates_checked_on_both_sides(
    tls_program: Path, own_folder: Path
) -> None:
    server = TlsServer(tls_program, own_folder / "tls", clients_show_theirs=True)
    own = f"ssl_ca_certs={server.authority}&ssl_certfile={server.certificate}&ssl_keyfile={server.key}"
    with running(server):
        server.start()
        async with Queue("q", url=f"rediss://localhost:{server.port}/0?{own}") as queue:
            await smoke(queue)

        async with Queue("q", url=f"rediss://localhost:{server.port}/0", max_wait=0.5) as queue:
            with pytest.raises(QueueUnavailable, match="certificate verify failed"):
                await queue.counts()
        async with Queue(
            "q", url=f"rediss://localhost:{server.port}/0?ssl_ca_certs={server.authority}", max_wait=0.5
        ) as queue:
            with pytest.raises(QueueUnavailable):  # it shows no certificate of its own
                await queue.counts()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://localhost", "redis://, rediss://, unix://"),
        ("redis+sentinel://localhost:26379", "name of the service"),
        ("redis+sentinel://local:host:1/x", "no host:port"),
        ("redis+cluster://localhost/3", "database 0 only"),
        ("rediss://localhost?ssl_ca_certs=/no/such/file", "No such file"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_being_shown(url: str, words: str) -> None:
    with pytest.raises(NotConfigured, match=words) as caught:
        Queue("q", url=url.replace("//", "//:secret@"))

    assert "secret" not in str(caught.value)


async def test_a_server_that_is_too_old_is_refused_at_once_by_producers_and_workers() -> None:
    words = (b"version", b"6.0.16", b"mode", b"standalone", b"role", b"master")
    hello = b"*6\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(1000):
            writer.write(hello if b"HELLO" in asked else b"+PONG\r\n" if b"PING" in asked else b"-ERR no\r\n")
        writer.close()

    old = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{old.sockets[0].getsockname()[1]}"
    async with old, Queue("q", url=url, max_wait=20) as queue:
        with pytest.raises(UnfitServer, match=r"6\.0\.16.*needs Redis 6\.2"):
            await queue.add("x")
        with pytest.raises(UnfitServer, match=r"6\.0\.16"):
            await Worker(queue, {"x": smoke}).run()


async def test_a_sentinel_in_place_of_a_redis_is_refused_with_the_url_to_use(own_folder: Path) -> None:
    sentinel = SentinelSetup(PROGRAMS[min(PROGRAMS)], own_folder).sentinels[0]
    with running(sentinel):
        sentinel.start()
        async with Queue("q", url=sentinel.url) as queue:
            with pytest.raises(UnfitServer, match=r"redis\+sentinel://"):
                await queue.add("x")


def documented_acl() -> list[str]:
    """The words of the ACL line in the deployment guide, for the queue `emails` with the prefix `bull`."""
    line = re.search(r"^ACL SETUSER worker (.*?)\n```", DEPLOYING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert line is not None
    return line[1].replace("\\\n", " ").split()


async def test_a_user_with_the_documented_rights_can_do_all_a_queue_does(server: Server) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "worker", *documented_acl())
    async with Queue("emails", url=server.url.replace("//", "//worker:the-password@")) as queue:
        with structlog.testing.capture_logs() as said:
            await smoke(queue)
            await queue.add("x", durable=True)
            await operate(queue)
        with server.client() as client:
            denied = client.execute_command("ACL", "LOG")

    assert [line for line in said if line["event"].startswith("redis refused")] == []
    # What redis-py says of itself to Redis 6.2 when the lock-keeping thread connects; it does not mind.
    assert [each for each in denied if each["object"] != "client"] == []


async def test_the_command_that_a_user_may_not_run_is_named_also_inside_a_script(server: Server) -> None:
    url = server.url.replace("//", "//worker:the-password@")
    for missing, words in (("evalsha", "evalsha"), ("hset", "(?i)hset")):
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "worker", *documented_acl(), f"-{missing}")
        async with Queue("emails", url=url) as queue:
            with pytest.raises(QueueError, match=words):
                await queue.add("x")


async def test_a_worker_that_may_not_listen_says_so_once_and_looks_for_work_instead(server: Server) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "worker", *documented_acl(), "-psubscribe")
    async with Queue("emails", url=server.url.replace("//", "//worker:the-password@")) as queue:
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"*": smoke_nothing}, poll_interval=0.1):
                await queue.add("x")
                await ends(queue, completed=1)
                await asyncio.sleep(0.3)

    refused = [line["error"] for line in said if line["event"].startswith("redis refused")]
    assert len(refused) == 1
    assert "psubscribe" in refused[0]


async def smoke_nothing(_: Job) -> None:
    return None
