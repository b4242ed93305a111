"""One generation over HTTP, from its request to its codeframe, every field of every reply."""

import asyncio
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from holdfast.service import Service

ZERO = "0.00"


def walk(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield node
        yield from walk(node["children"])


async def start(client: httpx.AsyncClient, category_id: int, **more: Any) -> str:
    reply = await client.post("/codeframe/generate", json={"category_id": category_id, **more})
    assert reply.status_code == 202, reply.text
    return str(reply.json()["generation_id"])


async def test_a_generation_is_queued_at_once_and_says_where_to_look(client: httpx.AsyncClient, sixty: int) -> None:
    reply = await client.post("/codeframe/generate", json={"category_id": sixty, "n_clusters": 5})

    body = reply.json()
    id_ = body.pop("generation_id")
    assert reply.status_code == 202
    assert str(UUID(id_)) == id_
    assert reply.headers["location"] == f"/api/v1/codeframe/{id_}/status"
    assert body == {
        "status": "queued",
        "n_answers": 60,
        "poll_url": f"/api/v1/codeframe/{id_}/status",
        "events_url": f"/api/v1/codeframe/{id_}/events",
        "cost_estimate": {"low_usd": ZERO, "high_usd": ZERO, "n_calls": 5, "input_tokens": 0, "output_tokens": 0},
    }


async def test_an_estimate_counts_the_calls_that_read_parts_of_large_codes(
    client: httpx.AsyncClient, sixty: int
) -> None:
    async def estimated(map_above: int) -> httpx.Response:
        config = {"model": "openai:gpt-4o-mini", "map_above": map_above}
        return await client.post("/codeframe/estimate", json={"category_id": sixty, "n_clusters": 4, "config": config})

    without, found, refused = [await estimated(map_above) for map_above in (0, 10, -1)]

    assert (without.json()["n_calls"], found.json()["n_calls"]) == (4, 4 + 4 * 2)
    assert Decimal(found.json()["high_usd"]) > Decimal(without.json()["high_usd"])
    assert refused.status_code == 422


async def test_the_status_of_a_queued_generation_says_everything(client: httpx.AsyncClient, sixty: int) -> None:
    generation_id = await start(client, sixty, config={"budget_usd": "12.5"})

    status = (await client.get(f"/codeframe/{generation_id}/status")).json()

    assert status == {
        "generation_id": generation_id,
        "status": "queued",
        "progress": 0,
        "phase": "prepare",
        "n_clusters": 0,
        "n_completed": 0,
        "n_failed": 0,
        "n_pending": 0,
        "n_running": 0,
        "n_answers": 60,
        "cost": {"spent_usd": ZERO, "reserved_usd": ZERO, "in_doubt_usd": ZERO, "budget_usd": "12.50", "calls": 0},
        "eta_seconds": None,
        "processing_time_ms": 0,
        "mece_score": None,
        "error": None,
        "result": None,
    }


@pytest.mark.usefixtures("worker")
async def test_a_generation_runs_to_a_codeframe_whose_every_field_is_right(
    client: httpx.AsyncClient, sixty: int, followed: Any, service: Service
) -> None:
    generation_id = await start(client, sixty, n_clusters=5, config={"hierarchy_preference": "two_level"})

    last = (await followed(generation_id))[-1]

    assert last.data["status"] == "completed", last.data["error"]
    reply = await client.get(f"/codeframe/{generation_id}/status")
    status, frame = reply.json(), (await client.get(f"/codeframe/{generation_id}/hierarchy")).json()
    check_completed(status, generation_id)
    assert status["result"] == frame
    check_frame(frame, generation_id)
    check_shares(frame["hierarchy"])
    await check_examples(frame["hierarchy"], client, sixty)
    assert frame["mece"]["score"] == status["mece_score"]


def check_completed(status: dict[str, Any], generation_id: str) -> None:
    assert status["generation_id"] == generation_id
    assert (status["status"], status["progress"], status["phase"]) == ("completed", 100, None)
    assert (status["n_clusters"], status["n_completed"]) == (5, 5)
    assert (status["n_failed"], status["n_pending"], status["n_running"]) == (0, 0, 0)
    assert status["n_answers"] == 60
    assert status["cost"] == {
        "spent_usd": ZERO,
        "reserved_usd": ZERO,
        "in_doubt_usd": ZERO,
        "budget_usd": None,
        "calls": 5,
    }
    assert (status["eta_seconds"], status["error"]) == (None, None)
    assert status["processing_time_ms"] > 0
    assert 0 <= status["mece_score"] <= 100


def check_frame(frame: dict[str, Any], generation_id: str) -> None:
    assert (frame["generation_id"], frame["version"]) == (generation_id, 1)
    mece = frame["mece"]
    assert set(mece) == {"score", "exclusivity", "exhaustiveness", "issues", "stability"}
    assert 0.1 < mece["stability"] <= 1
    assert 0 <= mece["exclusivity"] <= 1
    assert 0 <= mece["exhaustiveness"] <= 1
    ids = {node["id"] for node in walk(frame["hierarchy"])}
    for issue in mece["issues"]:
        assert set(issue) == {"kind", "severity", "message", "nodes", "value"}
        assert issue["message"]
        assert set(issue["nodes"]) <= ids
    for node in walk(frame["hierarchy"]):
        check_node(node)
    assert len({node["id"] for node in walk(frame["hierarchy"])}) == len(list(walk(frame["hierarchy"])))
    assert {node["level"] for node in frame["hierarchy"]} == {1}


def check_node(node: dict[str, Any]) -> None:
    assert set(node) == {
        "id",
        "node_type",
        "kind",
        "number",
        "level",
        "name",
        "description",
        "confidence",
        "keyphrases",
        "frequency",
        "n_answers",
        "share",
        "examples",
        "approval",
        "children",
    }
    assert isinstance(node["id"], int)
    assert node["node_type"] in {"theme", "code"}
    assert node["kind"] in {"content", "other", "rule"}
    assert isinstance(node["number"], int)
    assert node["name"].strip()
    assert isinstance(node["description"], str)
    assert 0 <= node["confidence"] <= 1
    assert node["frequency"] == node["n_answers"]
    assert node["approval"] == "pending"
    for child in node["children"]:
        assert child["level"] == node["level"] + 1


def check_shares(nodes: list[dict[str, Any]]) -> None:
    codes = [node for node in walk(nodes) if node["node_type"] == "code"]
    assert sum(code["n_answers"] for code in codes) >= 60  # every answer has a code, Other or a rule code
    assert len([code for code in codes if code["kind"] == "content"]) >= 3
    for node in walk(nodes):
        assert math.isclose(node["share"], node["n_answers"] / 60, abs_tol=1e-6)
        if node["children"]:
            assert node["n_answers"] <= sum(child["n_answers"] for child in node["children"])
            assert node["n_answers"] >= max(child["n_answers"] for child in node["children"])


async def check_examples(nodes: list[dict[str, Any]], client: httpx.AsyncClient, category_id: int) -> None:
    listed = (await client.get(f"/categories/{category_id}/answers")).json()["items"]
    texts = {answer["id"]: answer["text"] for answer in listed}
    for node in walk(nodes):
        for example in node["examples"]:
            assert set(example) == {"answer_id", "text"}
            assert texts[example["answer_id"]].startswith(example["text"])
        if node["kind"] == "content" and node["node_type"] == "code":
            assert node["examples"]


@pytest.mark.usefixtures("worker")
async def test_the_events_tell_the_way_and_end_with_how_it_ended(
    client: httpx.AsyncClient, sixty: int, followed: Any
) -> None:
    generation_id = await start(client, sixty, n_clusters=5)

    events = await followed(generation_id)

    ways = [event for event in events if event.kind in {"status", "progress"}]
    assert [event.data["progress"] for event in ways] == sorted(event.data["progress"] for event in ways)
    assert {event.kind for event in events} <= {"status", "progress", "unit", "cost"}
    assert (events[-1].kind, events[-1].data["status"]) == ("status", "completed")
    assert "result" not in events[-1].data
    told = [event.data["unit"] for event in events if event.kind == "unit"]
    assert len(set(told)) == len(told)
    assert len([unit for unit in told if unit.startswith("label/")]) == events[-1].data["n_completed"]
    with_place = [
        event.id for event in events if event.kind != "cost"
    ]  # a cost is told with the progress it belongs to
    assert len(set(with_place)) == len(with_place)


@pytest.mark.usefixtures("worker")
async def test_a_client_that_has_the_last_event_is_told_there_are_no_more(
    client: httpx.AsyncClient, sixty: int, followed: Any
) -> None:
    generation_id = await start(client, sixty, n_clusters=5)
    last = (await followed(generation_id))[-1]

    again = await client.get(f"/codeframe/{generation_id}/events", headers={"Last-Event-ID": last.id})
    foreign = await followed(generation_id, **{"Last-Event-ID": "0-0-queued"})

    assert again.status_code == 204
    assert foreign[-1] == last  # an id that is none of ours: all is told again
    assert "prepare/0" in {event.data["unit"] for event in foreign if event.kind == "unit"}


@pytest.mark.usefixtures("worker")
async def test_an_etag_saves_the_reply_until_something_changes(
    client: httpx.AsyncClient, sixty: int, followed: Any
) -> None:
    generation_id = await start(client, sixty, n_clusters=5)
    queued = (await client.get(f"/codeframe/{generation_id}/status")).headers["etag"]
    await followed(generation_id)

    changed = await client.get(f"/codeframe/{generation_id}/status", headers={"If-None-Match": queued})
    etag = changed.headers["etag"]
    same = await client.get(f"/codeframe/{generation_id}/status", headers={"If-None-Match": f'"other", {etag}'})
    any_ = await client.get(f"/codeframe/{generation_id}/status", headers={"If-None-Match": "*"})

    assert changed.status_code == 200
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert any_.status_code == 304


async def test_there_is_no_codeframe_before_it_is_made(client: httpx.AsyncClient, sixty: int) -> None:
    generation_id = await start(client, sixty)

    reply = await client.get(f"/codeframe/{generation_id}/hierarchy")

    assert reply.status_code == 409
    assert "under way" in reply.json()["detail"]


async def test_a_cancelled_generation_stays_cancelled(client: httpx.AsyncClient, sixty: int, followed: Any) -> None:
    generation_id = await start(client, sixty)

    first, second = [await client.post(f"/codeframe/{generation_id}/cancel") for _ in range(2)]

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == {"generation_id": generation_id, "status": "cancelled"}
    assert (await followed(generation_id))[-1].data["status"] == "cancelled"
    hierarchy = await client.get(f"/codeframe/{generation_id}/hierarchy")
    assert (hierarchy.status_code, "cancelled" in hierarchy.json()["detail"]) == (409, True)


@pytest.mark.usefixtures("worker")
async def test_an_ended_generation_cannot_be_cancelled(client: httpx.AsyncClient, sixty: int, followed: Any) -> None:
    generation_id = await start(client, sixty, n_clusters=5)
    await followed(generation_id)

    reply = await client.post(f"/codeframe/{generation_id}/cancel")

    assert reply.status_code == 409
    assert "completed" in reply.json()["detail"]


@pytest.mark.parametrize("path", ["status", "hierarchy", "events", "cancel"])
async def test_an_unknown_generation_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    id_ = uuid4()

    reply = await client.request("POST" if path == "cancel" else "GET", f"/codeframe/{id_}/{path}")

    assert reply.status_code == 404
    assert reply.json()["detail"] == f"there is no generation {id_}"


async def test_ten_answers_are_the_least(client: httpx.AsyncClient, category: Any, sixty_rows: Any) -> None:
    blank = [{"text": "", "external_id": "blank"}, {"text": " \n", "external_id": "blank too"}]
    nine, ten = await category([*sixty_rows[:9], *blank]), await category(sixty_rows[:10])

    too_few = await client.post("/codeframe/generate", json={"category_id": nine})
    enough = await client.post("/codeframe/generate", json={"category_id": ten})

    assert (too_few.status_code, enough.status_code) == (422, 202)
    assert "9 answers (2 more are empty) are too few" in too_few.json()["detail"]


async def test_answers_can_be_chosen_and_must_be_of_the_category(
    client: httpx.AsyncClient, sixty: int, category: Any, sixty_rows: Any
) -> None:
    other = await category(sixty_rows)
    own = [answer["id"] for answer in (await client.get(f"/categories/{sixty}/answers")).json()["items"]]
    foreign = [answer["id"] for answer in (await client.get(f"/categories/{other}/answers")).json()["items"]]

    chosen = await client.post("/codeframe/generate", json={"category_id": sixty, "answer_ids": own[:20]})
    wrong = await client.post("/codeframe/generate", json={"category_id": sixty, "answer_ids": own + foreign[:1]})

    assert (chosen.status_code, chosen.json()["n_answers"]) == (202, 20)
    assert (wrong.status_code, str(foreign[0]) in wrong.json()["detail"]) == (422, True)


async def test_what_does_not_go_with_a_coding_is_refused_where_it_stands(client: httpx.AsyncClient, sixty: int) -> None:
    asked = {"model": "openai:gpt", "review": True, "hierarchy_preference": "three_level", "existing_codes": ["Good"]}
    reply = await client.post(
        "/codeframe/generate",
        json={"category_id": sixty, "coding_type": "sentiment", "n_clusters": 4, "config": asked},
    )

    assert reply.status_code == 422
    assert {each["path"] for each in reply.json()["errors"]} == {
        "body.n_clusters",
        "body.config.review",
        "body.config.hierarchy_preference",
        "body.config.existing_codes",
    }


async def test_an_unknown_model_is_refused_where_it_stands(client: httpx.AsyncClient, sixty: int) -> None:
    reply = await client.post("/codeframe/generate", json={"category_id": sixty, "config": {"model": "gpt"}})

    assert reply.status_code == 422
    assert {each["path"] for each in reply.json()["errors"]} == {"body.config.model"}


async def test_twenty_clicks_at_once_start_one_generation(client: httpx.AsyncClient, sixty: int) -> None:
    clicks = [client.post("/codeframe/generate", json={"category_id": sixty}) for _ in range(20)]

    replies = await asyncio.gather(*clicks)

    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.json()["generation_id"] for reply in replies}) == 1
    assert len({reply.json()["status"] for reply in replies}) == 1
    assert (await client.get("/queue")).json()["counts"]["wait"] == 1


@pytest.mark.usefixtures("worker")
async def test_an_idempotency_key_finds_its_generation_also_when_it_has_ended(
    client: httpx.AsyncClient, sixty: int, followed: Any
) -> None:
    key, body = {"Idempotency-Key": "mine-" + "x" * 195}, {"category_id": sixty, "n_clusters": 5}
    first = await asyncio.gather(
        *(client.post("/codeframe/generate", json=body, headers=key) for _ in range(20)),
    )
    (generation_id,) = {reply.json()["generation_id"] for reply in first}
    await followed(generation_id)

    again = await client.post("/codeframe/generate", json=body, headers=key)
    without = await client.post("/codeframe/generate", json=body)
    another = await client.post("/codeframe/generate", json=body | {"n_clusters": 6}, headers=key)

    assert (again.status_code, again.json()["generation_id"]) == (202, generation_id)
    assert again.json()["status"] == "completed"
    assert without.json()["generation_id"] != generation_id
    assert (another.status_code, "Idempotency-Key" in another.json()["detail"]) == (409, True)
    await followed(without.json()["generation_id"])
