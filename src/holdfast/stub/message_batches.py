"""Anthropic's Message Batches, as they are asked for and shown."""

from datetime import UTC, datetime
from typing import Any

import orjson

from holdfast.stub.batches import Batch, Batches
from holdfast.stub.messages import error_body
from holdfast.stub.serving import Visit
from holdfast.stub.wire import Answer

DAY = 86_400


async def create(batches: Batches, visit: Visit) -> Answer:
    """Take the requests in the body as a batch."""
    try:
        asked = [
            {"custom_id": each["custom_id"], "body": each["params"]}
            for each in orjson.loads(visit.call.body)["requests"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        return visit.refusal("bad_request", f"requests: {error}")
    if not asked or len({each["custom_id"] for each in asked}) < len(asked):
        return visit.refusal("bad_request", "requests: at least one, each with a custom_id of its own")
    return _shown(batches, visit, batches.create("anthropic", asked))


async def listing(batches: Batches, visit: Visit) -> Answer:
    """A page of the batches, the newest first."""
    found = batches.newest_first("anthropic")
    ids = [batch.id for batch in found]
    start = ids.index(visit.call.query["after_id"]) + 1 if visit.call.query.get("after_id") in ids else 0
    limit = int(visit.call.query.get("limit", 20))
    page = found[start : start + limit]
    body = {
        "data": [_body(batches, visit, batch) for batch in page],
        "has_more": len(found) > start + limit,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }
    return _said(visit, body)


async def get(batches: Batches, visit: Visit) -> Answer:
    """One batch."""
    batch = _asked(batches, visit)
    return _shown(batches, visit, batch) if batch else visit.refusal("not_found")


async def cancel(batches: Batches, visit: Visit) -> Answer:
    """Ask for a batch's end."""
    batch = _asked(batches, visit)
    if batch is None:
        return visit.refusal("not_found")
    batches.cancel(batch)
    return _shown(batches, visit, batch)


async def results(batches: Batches, visit: Visit) -> Answer:
    """What became of each request, one line each."""
    batch = _asked(batches, visit)
    if batch is None or batch.ended_at is None:
        return visit.refusal("not_found", "the batch has no results")
    lines = [{"custom_id": name, "result": _result(done)} for name, done in batches.done[batch.id].items()]
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    return Answer(body=body, content_type="application/x-jsonl", headers={"request-id": visit.request_id})


def _result(done: dict[str, Any]) -> dict[str, Any]:
    if done["kind"] == "succeeded":
        return {"type": "succeeded", "message": done["body"]}
    if done["kind"] == "errored":
        return {"type": "errored", "error": error_body("api_error", done["message"], "")}
    return {"type": done["kind"]}


def _asked(batches: Batches, visit: Visit) -> Batch | None:
    found = batches.all.get(visit.call.path.split("/")[4])
    return found if found and found.provider == "anthropic" else None


def _shown(batches: Batches, visit: Visit, batch: Batch) -> Answer:
    return _said(visit, _body(batches, visit, batch))


def _said(visit: Visit, body: dict[str, Any]) -> Answer:
    return Answer(body=orjson.dumps(body), headers={"request-id": visit.request_id})


def _body(batches: Batches, visit: Visit, batch: Batch) -> dict[str, Any]:
    ended = batch.ended_at is not None
    counts = {kind: batches.tally(batch, kind) * ended for kind in ("succeeded", "errored", "canceled", "expired")}
    results_url = f"http://{visit.call.headers.get('host')}/v1/messages/batches/{batch.id}/results"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if ended else "canceling" if batch.cancelled_at else "in_progress",
        "request_counts": {"processing": 0 if ended else len(batch.requests), **counts},
        "created_at": _time(batch.created_at),
        "expires_at": _time(batch.created_at + DAY),
        "ended_at": _time(batch.ended_at),
        "cancel_initiated_at": _time(batch.cancelled_at),
        "archived_at": None,
        "results_url": results_url if ended else None,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
