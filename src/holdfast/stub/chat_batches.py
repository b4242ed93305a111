"""OpenAI's files and batches, as they are asked for and shown."""

import re
from secrets import token_hex
from time import time
from typing import Any

import orjson

from holdfast.stub.batches import Batch, Batches
from holdfast.stub.chat import error_body
from holdfast.stub.serving import Visit
from holdfast.stub.wire import Answer

DAY = 86_400
OUT, FAILED = "-out", "-failed"  # ends of the names of a batch's two files


async def upload(batches: Batches, visit: Visit) -> Answer:
    """Keep a file."""
    parts = _parts(visit)
    if "file" not in parts or "purpose" not in parts:
        return visit.refusal("bad_request", "a file needs file and purpose")
    file_id = f"file-{token_hex(12)}"
    path = batches.files / file_id
    path.write_bytes(parts["file"])
    body = {
        "id": file_id,
        "object": "file",
        "bytes": len(parts["file"]),
        "created_at": int(time()),
        "filename": "batch.jsonl",
        "purpose": parts["purpose"].decode(),
        "status": "processed",
    }
    return _said(visit, body)


def _parts(visit: Visit) -> dict[str, bytes]:
    """The parts of a form, by name."""
    boundary = re.search(r'boundary="?([^";]+)', visit.call.headers.get("content-type", ""))
    if boundary is None:
        return {}
    found = {}
    for part in visit.call.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        if name:
            found[name[1].decode()] = content.removesuffix(b"\r\n")
    return found


async def content(batches: Batches, visit: Visit) -> Answer:
    """A file's bytes: one that was uploaded, or one with a batch's answers or failures."""
    file_id = visit.call.path.split("/")[3]
    path = batches.files / file_id
    if path.is_file():
        data = path.read_bytes()
    elif batch := _owner(batches, file_id):
        data = b"".join(orjson.dumps(line) + b"\n" for line in _lines(batches, batch, good=file_id.endswith(OUT)))
    else:
        return visit.refusal("not_found", f"No such File object: {file_id}")
    return Answer(body=data, content_type="application/octet-stream", headers={"x-request-id": visit.request_id})


def _owner(batches: Batches, file_id: str) -> Batch | None:
    return batches.all.get(file_id.removeprefix("file-").removesuffix(OUT).removesuffix(FAILED))


def _lines(batches: Batches, batch: Batch, *, good: bool) -> list[dict[str, Any]]:
    done = batches.done[batch.id].items()
    return [_line(name, each) for name, each in done if (each["kind"] == "succeeded") == good]


def _line(name: str, done: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"id": f"batch_req_{token_hex(8)}", "custom_id": name, "response": None, "error": None}
    if done["kind"] == "succeeded":
        response = {"status_code": 200, "request_id": done["request_id"], "body": done["body"]}
        return {**line, "response": response}
    if done["kind"] == "errored":
        body = error_body("server_error", done["message"], None)
        return {**line, "response": {"status_code": 500, "request_id": "", "body": body}}
    code = "batch_expired" if done["kind"] == "expired" else "batch_cancelled"
    return {**line, "error": {"code": code, "message": "This request was not executed."}}


async def create(batches: Batches, visit: Visit) -> Answer:
    """Begin a batch with the requests of a file that was uploaded."""
    try:
        asked = orjson.loads(visit.call.body)
        path = batches.files / str(asked["input_file_id"]).replace("/", "")
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        requests = [{"custom_id": line["custom_id"], "body": line["body"]} for line in lines]
    except (ValueError, KeyError, TypeError, OSError) as error:
        return visit.refusal("bad_request", f"the batch cannot be read: {type(error).__name__}")
    batch = batches.create("openai", requests, metadata=asked.get("metadata"), input_file_id=asked["input_file_id"])
    return _said(visit, _body(batches, batch))


async def listing(batches: Batches, visit: Visit) -> Answer:
    """A page of the batches, the newest first."""
    found = batches.newest_first("openai")
    ids = [batch.id for batch in found]
    start = ids.index(visit.call.query["after"]) + 1 if visit.call.query.get("after") in ids else 0
    limit = int(visit.call.query.get("limit", 20))
    page = [_body(batches, batch) for batch in found[start : start + limit]]
    return _said(visit, {"object": "list", "data": page, "has_more": len(found) > start + limit})


async def get(batches: Batches, visit: Visit) -> Answer:
    """One batch."""
    batch = _asked(batches, visit)
    return _said(visit, _body(batches, batch)) if batch else visit.refusal("not_found")


async def cancel(batches: Batches, visit: Visit) -> Answer:
    """Ask for a batch's end."""
    batch = _asked(batches, visit)
    if batch is None:
        return visit.refusal("not_found")
    batches.cancel(batch)
    return _said(visit, _body(batches, batch))


def _asked(batches: Batches, visit: Visit) -> Batch | None:
    found = batches.all.get(visit.call.path.split("/")[3])
    return found if found and found.provider == "openai" else None


def _said(visit: Visit, body: dict[str, Any]) -> Answer:
    return Answer(body=orjson.dumps(body), headers={"x-request-id": visit.request_id})


def _body(batches: Batches, batch: Batch) -> dict[str, Any]:
    good = batches.tally(batch, "succeeded")
    bad = len(batches.done[batch.id]) - good
    status, ended = _status(batch), batch.ended_at is not None
    at = None if batch.ended_at is None else int(batch.ended_at)
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": None,
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": status,
        "output_file_id": f"file-{batch.id}{OUT}" if ended and good else None,
        "error_file_id": f"file-{batch.id}{FAILED}" if ended and bad else None,
        "created_at": int(batch.created_at),
        "in_progress_at": int(batch.created_at),
        "expires_at": int(batch.created_at) + DAY,
        "completed_at": at if status == "completed" else None,
        "expired_at": at if status == "expired" else None,
        "cancelling_at": None if batch.cancelled_at is None else int(batch.cancelled_at),
        "cancelled_at": at if status == "cancelled" else None,
        "request_counts": {"total": len(batch.requests), "completed": good, "failed": bad},
        "metadata": batch.metadata,
    }


def _status(batch: Batch) -> str:
    if batch.ended_at is None:
        return "cancelling" if batch.cancelled_at else "in_progress"
    return "cancelled" if batch.cancelled_at else "expired" if batch.expired else "completed"
