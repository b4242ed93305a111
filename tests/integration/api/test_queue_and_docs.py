"""The queue as the API shows it, and the description of the API itself."""

import re
from typing import Any

import httpx
import pytest

from holdfast.service import QUEUE


async def test_the_queue_shows_what_waits(client: httpx.AsyncClient, sixty: int) -> None:
    await client.post("/codeframe/generate", json={"category_id": sixty})

    queue = (await client.get("/queue")).json()

    counts = {"wait": 1, "active": 0, "completed": 0, "failed": 0, "delayed": 0, "paused": 0}
    assert queue == {"name": QUEUE, "counts": counts, "n_workers": 0, "workers": []}


@pytest.mark.usefixtures("worker")
async def test_the_queue_shows_who_works(client: httpx.AsyncClient, sixty: int, followed: Any) -> None:
    started = await client.post("/codeframe/generate", json={"category_id": sixty, "n_clusters": 5})
    await followed(started.json()["generation_id"])  # who has worked is there

    queue = (await client.get("/queue")).json()

    (worker,) = queue["workers"]
    assert queue["n_workers"] == 1
    assert set(worker) == {"id", "host", "pid", "concurrency", "started_at"}
    assert worker["concurrency"] == 8
    assert queue["counts"]["failed"] == 0


async def test_the_description_names_every_route_and_resolves(client: httpx.AsyncClient) -> None:
    schema = (await client.get("http://127.0.0.1/openapi.json")).json()

    operations = {
        f"{method.upper()} {path.removeprefix('/api/v1')}" for path, item in schema["paths"].items() for method in item
    }
    assert operations == {
        "POST /codeframe/generate",
        "GET /codeframe/{generation_id}/status",
        "GET /codeframe/{generation_id}/hierarchy",
        "GET /codeframe/{generation_id}/events",
        "POST /codeframe/estimate",
        "DELETE /codeframe/{generation_id}",
        *(f"POST /codeframe/{{generation_id}}/{what}" for what in ("cancel", "pause", "resume", "retry", "resolve")),
        *(f"GET /codeframe/{{generation_id}}/{what}" for what in ("calls", "export", "report", "wave")),
        *(
            f"GET /codeframe/{{generation_id}}/{what}"
            for what in ("suggestions", "confirmations", "agreement", "assignments")
        ),
        "PATCH /answers/{answer_id}",
        "PUT /codeframe/{generation_id}/confirmations",
        *(f"{method} /codeframe/{{generation_id}}/answers/{{answer_id}}/codes" for method in ("PUT", "DELETE")),
        "GET /category/{category_id}/generations",
        "GET /costs",
        "GET /categories",
        "POST /categories",
        "GET /categories/{category_id}",
        "GET /categories/{category_id}/answers",
        "POST /categories/{category_id}/answers",
        "GET /queue",
        "GET /health/live",
        "GET /health/ready",
    }
    missing = [ref for ref in references(schema) if ref.rpartition("/")[2] not in schema["components"]["schemas"]]
    assert missing == []
    assert "HTTPValidationError" not in schema["components"]["schemas"]


async def test_the_docs_are_one_page_that_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    schema = (await client.get("http://127.0.0.1/openapi.json")).json()

    reply = await client.get("http://127.0.0.1/docs")

    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<script" not in reply.text
    assert "src=" not in reply.text
    assert "https:" not in reply.text
    for path, item in schema["paths"].items():
        for method in item:
            assert f"<code>{method.upper()} {path}</code>" in reply.text
    for link in re.findall(r'href="#(\w+)"', reply.text):
        assert f'id="{link}"' in reply.text


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for each in value.values() for ref in references(each)]
    return [ref for each in value for ref in references(each)] if isinstance(value, list) else []
