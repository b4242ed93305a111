"""What the doctor finds behind sentinels and in a cluster; and how the service starts while its servers are away."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.integration.cli.command import Holdfast
from tests.integration.doctor.conftest import Examine
from tests.missing import give_up
from tests.redis_servers import PASSWORD, ClusterSetup, SentinelSetup, program_with, programs, running

AWAY = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}


@pytest.fixture
def program() -> Path:
    return program_with(at_least=(7, 0)) or give_up("no redis-server 7.0 or newer")


@pytest.fixture(params=[name for name in sorted(programs()) if not name.startswith("redis-6")])
def cluster(request: pytest.FixtureRequest, own_folder: Path) -> Iterator[ClusterSetup]:
    """A running cluster of each kind of server."""
    found = ClusterSetup(programs()[request.param], own_folder)
    with running(*found.nodes):
        found.start()
        yield found


async def test_a_cluster_needs_a_hash_tag_and_is_told_how_to_get_one(cluster: ClusterSetup, examine: Examine) -> None:
    without = await examine(redis_url_given=cluster.url)
    with_one = await examine(redis_url_given=cluster.url, queue_prefix="{bull}")

    assert without["redis cluster"].level == "fail"
    assert without["redis cluster"].fix.startswith("HOLDFAST_QUEUE_PREFIX='{bull}'")
    assert with_one["redis cluster"].level == "ok"
    assert with_one["redis cluster"].figure.startswith("a cluster; the prefix has a hash tag")
    assert (with_one["redis"].level, with_one["redis persistence"].level) == ("ok", "ok")
    assert "redis-cli -h <the primary>" in with_one["redis backup"].fix


async def test_behind_sentinels_the_primary_is_examined(program: Path, own_folder: Path, examine: Examine) -> None:
    setup = SentinelSetup(program, own_folder)
    with running(*setup.servers):
        setup.start()
        lines = await examine(redis_url_given=setup.url)
        setup.primary.kill()
        setup.replica.kill()
        away = await examine(redis_url_given=setup.url)

    assert lines["redis"].level == "ok"
    assert lines["redis access"].figure == "a password is needed"
    assert "what had not reached the replica" in lines["redis loss"].figure
    assert "min-replicas-to-write" in lines["redis loss"].fix
    assert away["redis"].level == "fail"
    assert PASSWORD not in repr(lines) + repr(away)


def test_the_api_starts_without_redis_and_says_so(tmp_path: Path, database_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = Holdfast(HOLDFAST_HOME=str(tmp_path), **AWAY | {"DATABASE_URL": database_url})

    with command.started("serve", "--port", str(port)) as serving:
        serving.until("Holdfast serves")
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", transport=transport, timeout=30) as client:
            live, ready = client.get("/health/live"), client.get("/health/ready")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert [each["path"] for each in ready.json()["errors"]] == ["redis"]
