"""Anthropic's wire format: Messages, as it is asked and answered."""

from collections.abc import Iterator, Mapping
from secrets import token_hex
from typing import Any

import orjson

from holdfast.stub.faults import Fault
from holdfast.stub.gate import Limiter
from holdfast.stub.prices import Usage
from holdfast.stub.replying import Prompt, Reply
from holdfast.stub.wire import Answer

STOP_REASONS = {"stop": "end_turn", "max_tokens": "max_tokens", "refusal": "refusal", "content_filter": "refusal"}
CHUNK = 24  # characters of a text in one event of a stream

# fault -> status, type, message
REFUSED = {
    "rate_limit": (429, "rate_limit_error", "This request would exceed your account's rate limit."),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "server_error": (500, "api_error", "Internal server error"),
    "auth": (401, "authentication_error", "invalid x-api-key"),
    "quota": (402, "billing_error", "Your credit balance is too low to access the API."),
    "bad_request": (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    "not_found": (404, "not_found_error", "Not found"),
}


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """The question in a request's body; ValueError says what is wrong with it."""
    for field in ("model", "messages", "max_tokens"):
        if field not in body:
            raise ValueError(f"{field}: Field required")
    schema, name, tool = _schema(body)
    return Prompt(
        model=body["model"],
        system=_text(body.get("system", "")),
        user="\n".join(_text(message["content"]) for message in body["messages"]),
        schema=schema,
        schema_name=name,
        tool=tool,
        max_tokens=body["max_tokens"],
        stream=bool(body.get("stream")),
    )


def _schema(body: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str | None, bool]:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if wanted:
        return wanted["schema"], None, False
    choice = body.get("tool_choice") or {}
    tools = {tool["name"]: tool for tool in body.get("tools") or ()}
    if choice.get("type") == "any" and tools:
        choice = {"type": "tool", "name": next(iter(tools))}
    if choice.get("type") != "tool":
        return None, None, False
    if choice["name"] not in tools:
        raise ValueError(f"tool_choice: there is no tool {choice['name']}")
    return tools[choice["name"]]["input_schema"], choice["name"], True


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")


def whole(prompt: Prompt, reply: Reply, *, batch: bool = False) -> dict[str, Any]:
    """The Message object."""
    called = prompt.tool and reply.finish == "stop"
    refused = {"type": "refusal", "category": None, "explanation": None} if reply.finish == "refusal" else None
    return {
        "id": f"msg_{token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": _content(prompt, reply),
        "stop_reason": "tool_use" if called else STOP_REASONS[reply.finish],
        "stop_sequence": None,
        "stop_details": refused,
        "usage": {**_usage(reply.usage), "service_tier": "batch" if batch else "standard"},
    }


def _content(prompt: Prompt, reply: Reply) -> list[dict[str, Any]]:
    if not reply.text or (prompt.tool and reply.finish == "max_tokens"):
        return []
    if prompt.tool and reply.finish == "stop":
        return [
            {"type": "tool_use", "id": f"toolu_{token_hex(12)}", "name": prompt.schema_name, "input": _input(reply)}
        ]
    return [{"type": "text", "text": reply.text, "citations": None}]


def _input(reply: Reply) -> Any:
    try:
        return orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        return {"truncated": reply.text}  # a tool's input is an object on this wire: half a JSON text cannot be sent


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write_tokens, "ephemeral_1h_input_tokens": 0},
    }


def stream(said: Mapping[str, Any]) -> list[bytes]:
    """The events of the same message as a stream."""
    usage = said["usage"]
    start = {**said, "content": [], "stop_reason": None, "stop_details": None, "usage": {**usage, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(said["content"]):
        events += _block_events(index, block)
    delta = {name: said[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    counted = {"output_tokens": usage["output_tokens"]}
    events += [{"type": "message_delta", "delta": delta, "usage": counted}, {"type": "message_stop"}]
    return [b"event: " + event["type"].encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n" for event in events]


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    called = block["type"] == "tool_use"
    text = orjson.dumps(block["input"]).decode() if called else block["text"]
    empty = {**block, "input": {}} if called else {**block, "text": ""}
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for at in range(0, len(text), CHUNK):
        part = text[at : at + CHUNK]
        delta = {"type": "input_json_delta", "partial_json": part} if called else {"type": "text_delta", "text": part}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def answer(prompt: Prompt, reply: Reply, *, request_id: str) -> Answer:
    """The HTTP answer to a Messages request."""
    said = whole(prompt, reply)
    if not prompt.stream:
        return Answer(body=orjson.dumps(said), headers=_headers(request_id))
    return Answer(pieces=stream(said), content_type="text/event-stream; charset=utf-8", headers=_headers(request_id))


def error_body(kind: str, text: str, request_id: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": request_id}


def refusal(name: str, *, request_id: str, retry_after: float | None = None, text: str | None = None) -> Answer:
    """The error answer of that name."""
    status, kind, message_text = REFUSED[name]
    wait = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    retry = {"x-should-retry": "true" if status in {429, 500, 529} else "false"}
    body = error_body(kind, text or message_text, request_id)
    return Answer(status=status, body=orjson.dumps(body), headers={**_headers(request_id), **wait, **retry})


def refused(fault: Fault, *, request_id: str) -> Answer:
    """The answer that a planned refusal gives."""
    wait = fault.retry_after if fault.fault in {"rate_limit", "overloaded"} else None
    return refusal(fault.fault, request_id=request_id, retry_after=wait)


def limits(limiter: Limiter) -> dict[str, str]:
    """The headers that tell what is left of the rate limit."""
    if not limiter.requests_per_minute:
        return {}
    return {
        "anthropic-ratelimit-requests-limit": f"{limiter.requests_per_minute:g}",
        "anthropic-ratelimit-requests-remaining": str(limiter.left),
    }


def _headers(request_id: str) -> dict[str, str]:
    return {"request-id": request_id, "anthropic-organization-id": "stub"}
