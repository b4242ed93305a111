"""The processes that stay: how they start, refuse to start, and stop."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from tests.integration.cli.command import Holdfast


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_on_its_url_and_stops_gracefully(holdfast: Holdfast, sign: signal.Signals) -> None:
    with holdfast.started("serve", "--port", "0") as running:
        url = running.until("http://").split()[2]
        with urlopen(f"{url}/api/v1/health/live") as reply:  # noqa: S310 - http, our own
            assert reply.status == 200
        running.send(sign)

        done = running.end()

    assert done.code == 0
    assert "Traceback" not in done.err


def test_a_proxy_s_name_is_served_once_it_is_set_and_no_other(holdfast: Holdfast) -> None:
    names = ["codes.example.org", "surveys.example.org", "evil.example.org"]
    with holdfast.started("serve", "--port", "0", HOLDFAST_HOSTS=", ".join(names[:2])) as running:
        url = running.until("http://").split()[2]
        found = [httpx.get(f"{url}/api/v1/categories", headers={"Host": name}).status_code for name in names]

    assert found == [200, 200, 403]


def test_a_port_in_use_is_said_in_one_line(holdfast: Holdfast) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = holdfast.run("serve", "--port", str(taken.getsockname()[1]))

    assert done.code == 1
    assert "--port" in done.err
    assert len(done.err.splitlines()) == 1


def test_an_open_bind_is_refused_without_keys(holdfast: Holdfast) -> None:
    done = holdfast.run("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - to be refused

    assert done.code == 2
    assert "HOLDFAST_API_KEYS" in done.err


@pytest.mark.timeout(240)
def test_serve_works_on_what_others_start(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    with holdfast.started("generate", real_answers(60), "--clusters=4", "--out", tmp_path / "o.csv",
                          HOLDFAST_LABEL_PACE="30") as running:  # fmt: skip
        generation_id = running.until("^generation ").split()[1]
        running.until("labelling")
        running.send(signal.SIGKILL)
    with holdfast.started("serve", "--port", "0") as running:
        url = running.until("http://").split()[2]
        status = ""
        while status != "completed":
            with urlopen(f"{url}/api/v1/codeframe/{generation_id}/status") as reply:  # noqa: S310
                status = json.load(reply)["status"]
            assert status in {"processing", "completed"}

    shown = holdfast.run("status", generation_id, "--json")
    assert json.loads(shown.out)["status"] == "completed"
    assert "completed, 100 %" in holdfast.run("status", generation_id).out


def test_a_worker_stops_when_whoever_started_it_is_gone(home: Path, redis_url: str, database_url: str) -> None:
    environment = {"REDIS_URL": redis_url, "DATABASE_URL": database_url, "HOLDFAST_HOME": str(home)}
    command = [sys.executable, "-m", "holdfast", "worker", "--until-eof"]
    with subprocess.Popen(command, env=Holdfast().environment | environment, stdin=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        worker.stdin.close()

        assert worker.wait(60) == 0
