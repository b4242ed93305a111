"""Spans of real processes at a collector: complete, in one trace, and without a text or a key."""

import gzip
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from tests.faults.service.stack import Stack
from tests.faults.service.test_api_killed import answers, free_port

from holdfast.embedded import RedisServer
from holdfast.errors import NotConfigured
from holdfast.service.tracing import opened_traces
from holdfast.settings import Settings
from holdfast.stub import StubProvider

MODEL = "anthropic:stub-model"
SECRET = "the zebra in ward nine sang"  # in every answer, and so in every prompt

# What `opentelemetry-exporter-otlp-proto-http` is to the SDK, with JSON instead of protobuf: so that the suite needs no
# more packages than it has. Where that one is installed it is tried as well.
STAND_IN = """
import json, os, urllib.request
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

class Exporter(SpanExporter):
    def export(self, spans):
        body = json.dumps([json.loads(span.to_json()) for span in spans]).encode()
        url = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
        urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5).close()
        return SpanExportResult.SUCCESS

    def shutdown(self):
        pass
"""


@dataclass
class Collector:
    """Keeps what is sent to it."""

    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def spans(self) -> list[dict[str, Any]]:
        return [span for body in self.bodies for span in _read(body)]


def _read(body: bytes) -> list[dict[str, Any]]:
    if body[:1] == b"[":
        return [_of_json(span) for span in json.loads(body)]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - only where it is installed
        ExportTraceServiceRequest,
    )

    told = ExportTraceServiceRequest.FromString(body)
    spans = [span for each in told.resource_spans for scope in each.scope_spans for span in scope.spans]
    return [
        {
            "name": span.name,
            "trace": span.trace_id.hex(),
            "id": span.span_id.hex(),
            "parent": span.parent_span_id.hex() or None,
            "attributes": {each.key: str(each.value) for each in span.attributes},
        }
        for span in spans
    ]


def _of_json(span: dict[str, Any]) -> dict[str, Any]:
    plain = {"trace": span["context"]["trace_id"], "id": span["context"]["span_id"], "parent": span["parent_id"]}
    plain = {name: value and value.removeprefix("0x") for name, value in plain.items()}
    return {"name": span["name"], "attributes": span["attributes"], **plain}


@pytest.fixture
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def stack(own_redis: RedisServer, database_url: str, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(redis=own_redis, database_url=database_url, home=tmp_path)
    yield made
    made.stop()


@pytest.fixture
def stand_in(tmp_path: Path) -> str:
    """A PYTHONPATH on which the SDK finds an exporter for OTLP over HTTP."""
    place = tmp_path / "site"
    about = place / "spans_over_http-1.0.dist-info"
    about.mkdir(parents=True)
    (place / "spans_over_http.py").write_text(STAND_IN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spans-over-http\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[opentelemetry_traces_exporter]\notlp_proto_http = spans_over_http:Exporter\n"
    )
    return f"{place}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"


def real_exporter() -> bool:
    with suppress(ModuleNotFoundError):
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    return False


async def run_paid(stack: Stack, **environment: str) -> str:
    """A paid generation by an API and a worker, from the first request to the last span; returns their logs."""
    port = free_port()
    processes = [
        stack.start("serve", "--no-worker", "--port", str(port), **environment),
        stack.start("worker", **environment),
    ]
    await answers(port)
    base = f"http://127.0.0.1:{port}/api/v1"
    async with httpx.AsyncClient(base_url=base, timeout=60, headers={"X-API-Key": "hush-key"}) as client:
        category_id = (await client.post("/categories", json={"name": "spring"})).json()["id"]
        rows = [{"text": f"{SECRET} number {n} {'food' if n % 2 else 'parking'}"} for n in range(40)]
        await client.post(f"/categories/{category_id}/answers", json={"rows": rows})
        asked = {"category_id": category_id, "n_clusters": 3, "config": {"model": MODEL, "budget_usd": 5}}
        started = await client.post("/codeframe/generate", json=asked)
        assert started.status_code == 202, started.text
        generation_id = started.json()["generation_id"]
        assert '"status":"completed"' in (await client.get(f"/codeframe/{generation_id}/events")).text
    began = monotonic()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(60) for process in processes] == [0, 0]
    assert monotonic() - began < 30
    return "".join(map(stack.log_of, processes))


EXPORTERS = ["otlp" if real_exporter() else "stand-in"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("exporter", EXPORTERS)
async def test_a_generation_is_one_trace_from_the_request_to_the_call_and_tells_no_text_or_key(
    exporter: str, stack: Stack, collector: Collector, provider: StubProvider, stand_in: str
) -> None:
    path = {"PYTHONPATH": stand_in} if exporter == "stand-in" else {}
    secrets = {"HOLDFAST_API_KEYS": "hush-key"} | provider.environment()

    await run_paid(stack, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **secrets, **path)

    spans = collector.spans()
    by_id = {span["id"]: span for span in spans}
    assert {"unit prepare", "unit label", "step label", "chat stub-model", "process label"} <= {
        s["name"] for s in spans
    }
    calls = [span for span in spans if span["name"] == "chat stub-model"]
    assert len(calls) == len(provider.bill().calls) == 3
    for call in calls:
        assert line_of(call, by_id)[:4] == ["chat stub-model", "step label", "unit label", "process label"]
        assert line_of(call, by_id)[-1].startswith("add ")
        assert "holdfast.cost_usd" in call["attributes"]
    check_silence(b"".join(collector.bodies), stack, provider)


def line_of(span: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> list[str]:
    """The names from the span up to its root, which all are of one trace."""
    names = [span["name"]]
    while span["parent"] is not None:
        above = by_id[span["parent"]]
        assert above["trace"] == span["trace"]
        span = above
        names.append(span["name"])
    return names


def check_silence(said: bytes, stack: Stack, provider: StubProvider) -> None:
    """None of it is in there: answers, replies, keys, passwords."""
    passwords = [url.split("@")[0].rsplit(":", 1)[1] for url in (stack.redis.url, stack.database_url)]
    key = provider.environment()["ANTHROPIC_API_KEY"]
    for secret in (SECRET, "zebra", "hush-key", key, *passwords):
        assert secret.encode() not in said, secret


@pytest.mark.timeout(300)
async def test_an_endpoint_without_the_extra_is_a_word_in_the_log_and_no_reason_to_stop(
    stack: Stack, collector: Collector, provider: StubProvider, tmp_path: Path
) -> None:
    place = tmp_path / "no sdk"
    place.mkdir()
    # Before any import of the process: the SDK is not there for it (the API is: FastAPI has come to need it).
    (place / "sitecustomize.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('opentelemetry.sdk', 'opentelemetry.exporter'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    environment = {
        "PYTHONPATH": f"{place}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    } | provider.environment()

    said = await run_paid(stack, **environment)

    assert '"event": "traces are not sent"' in said
    assert 'pip install \\"holdfast[traces]\\"' in said
    assert collector.bodies == []


@pytest.mark.timeout(300)
async def test_a_collector_that_is_away_does_not_hold_up_the_work(
    stack: Stack, provider: StubProvider, stand_in: str
) -> None:
    said = await run_paid(
        stack, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", PYTHONPATH=stand_in, **provider.environment()
    )

    assert "job completed" in said


def test_an_exporter_asked_for_by_name_has_to_be_there() -> None:
    with pytest.raises(NotConfigured, match="'morse' is installed: pip install"), opened(traces_exporter="morse"):
        pytest.fail("it was opened")


def test_no_endpoint_and_no_exporter_is_no_tracing() -> None:
    with opened() as traces, opened(traces_exporter="none", otlp_endpoint="http://127.0.0.1:1") as none:
        assert (traces, none) == (None, None)


def opened(**changes: str) -> Any:
    nothing = {"traces_exporter": None, "otlp_endpoint": None, "otlp_protocol": None}
    return opened_traces(Settings().model_copy(update=nothing | changes))


def test_the_protocol_chooses_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    from holdfast.service import tracing  # noqa: PLC0415

    class Entry:
        def __init__(self, name: str) -> None:
            self.name = name

    def found(*installed: str, protocol: str | None = None) -> str | None:
        monkeypatch.setattr(tracing, "entry_points", lambda group: [Entry(name) for name in installed])
        entry = tracing._exporter("otlp", protocol)
        return None if entry is None else entry.name

    assert found("otlp_proto_http", "otlp_proto_grpc") == "otlp_proto_http"
    assert found("otlp_proto_http", "otlp_proto_grpc", protocol="grpc") == "otlp_proto_grpc"
    assert found("otlp", protocol="grpc") == "otlp"
    assert found("otlp_proto_grpc") == "otlp_proto_grpc"
    assert found("otlp_proto_grpc", protocol="http/protobuf") is None
    assert found("console") is None
