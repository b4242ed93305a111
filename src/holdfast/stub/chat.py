"""OpenAI's wire format: Chat Completions, as it is asked and answered."""

from collections.abc import Mapping
from math import ceil
from secrets import token_hex
from time import time
from typing import Any

import orjson

from holdfast.stub.faults import Fault
from holdfast.stub.gate import Limiter
from holdfast.stub.prices import Usage
from holdfast.stub.replying import Prompt, Reply
from holdfast.stub.wire import Answer

FINISH_REASONS = {"stop": "stop", "max_tokens": "length", "refusal": "stop", "content_filter": "content_filter"}
CHUNK = 24  # characters of a text in one chunk of a stream

# fault -> status, type, code, message
REFUSED: dict[str, tuple[int, str, str | None, str]] = {
    "rate_limit": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "overloaded": (503, "server_error", None, "That model is currently overloaded with other requests."),
    "server_error": (500, "server_error", None, "The server had an error while processing your request."),
    "auth": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "bad_request": (400, "invalid_request_error", "context_length_exceeded", "This model's context is too short."),
    "not_found": (404, "invalid_request_error", "model_not_found", "Not found"),
}


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """The question in a request's body; ValueError says what is wrong with it."""
    for field in ("model", "messages"):
        if field not in body:
            raise ValueError(f"Missing required parameter: '{field}'.")
    said = [(each["role"], _text(each.get("content") or "")) for each in body["messages"]]
    schema, name, tool = _schema(body)
    return Prompt(
        model=body["model"],
        system="\n".join(text for role, text in said if role in {"system", "developer"}),
        user="\n".join(text for role, text in said if role not in {"system", "developer"}),
        schema=schema,
        schema_name=name,
        tool=tool,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stream=bool(body.get("stream")),
        usage_in_stream=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _schema(body: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str | None, bool]:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return wanted["json_schema"].get("schema", {}), wanted["json_schema"]["name"], False
    if wanted.get("type") == "json_object":
        return {"type": "object"}, None, False
    choice = body.get("tool_choice")
    tools = {tool["function"]["name"]: tool["function"] for tool in body.get("tools") or ()}
    if choice == "required" and tools:
        choice = {"function": {"name": next(iter(tools))}}
    if not isinstance(choice, Mapping):
        return None, None, False
    name = choice["function"]["name"]
    if name not in tools:
        raise ValueError(f"Invalid value for 'tool_choice': there is no tool '{name}'.")
    return tools[name].get("parameters", {}), name, True


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def whole(prompt: Prompt, reply: Reply, *, batch: bool = False) -> dict[str, Any]:
    """The ChatCompletion object."""
    called = prompt.tool and reply.finish == "stop"
    finish = "tool_calls" if called else FINISH_REASONS[reply.finish]
    choice = {"index": 0, "message": _message(prompt, reply), "logprobs": None, "finish_reason": finish}
    return {
        "id": f"chatcmpl-{token_hex(12)}",
        "object": "chat.completion",
        "created": int(time()),
        "model": prompt.model,
        "choices": [choice],
        "usage": _usage(reply.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_stub",
    }


def _message(prompt: Prompt, reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    if reply.finish == "refusal":
        return {**message, "content": None, "refusal": reply.text}
    if prompt.tool:
        function = {"name": prompt.schema_name, "arguments": reply.text}
        call = {"id": f"call_{token_hex(12)}", "type": "function", "function": function}
        return {**message, "content": None, "tool_calls": [call]}
    return message


def _usage(usage: Usage) -> dict[str, Any]:
    """Here the cached tokens are counted among those of the prompt."""
    asked = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "prompt_tokens": asked,
        "completion_tokens": usage.output_tokens,
        "total_tokens": asked + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def stream(said: Mapping[str, Any], *, with_usage: bool) -> list[bytes]:
    """The chunks of the same completion as a stream."""
    choice = said["choices"][0]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}, *_deltas(choice["message"])]
    kept = {name: said[name] for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    same = {**kept, "object": "chat.completion.chunk", **({"usage": None} if with_usage else {})}
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]})
    chunks = [{**same, "choices": [each]} for each in choices]
    if with_usage:
        chunks.append({**same, "choices": [], "usage": said["usage"]})
    return [*(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def _deltas(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if calls := message.get("tool_calls"):
        call = calls[0]
        first = {**call, "index": 0, "function": {**call["function"], "arguments": ""}}
        rest = _pieces(call["function"]["arguments"])
        return [{"tool_calls": [first]}, *({"tool_calls": [{"index": 0, "function": {"arguments": p}}]} for p in rest)]
    name = "content" if message["content"] is not None else "refusal"
    return [{name: piece} for piece in _pieces(message[name])]


def _pieces(text: str) -> list[str]:
    return [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]


def answer(prompt: Prompt, reply: Reply, *, request_id: str) -> Answer:
    """The HTTP answer to a Chat Completions request."""
    said, headers = whole(prompt, reply), {"x-request-id": request_id, "openai-version": "2020-10-01"}
    if not prompt.stream:
        return Answer(body=orjson.dumps(said), headers=headers)
    pieces = stream(said, with_usage=prompt.usage_in_stream)
    return Answer(pieces=pieces, content_type="text/event-stream; charset=utf-8", headers=headers)


def error_body(kind: str, text: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}


def refusal(name: str, *, request_id: str, retry_after: float | None = None, text: str | None = None) -> Answer:
    """The error answer of that name."""
    status, kind, code, message = REFUSED[name]
    wait = {}
    if retry_after is not None:  # whole seconds in one header, the exact time in the other, as the provider does it
        wait = {"retry-after": str(ceil(retry_after)), "retry-after-ms": str(ceil(retry_after * 1000))}
    body = error_body(kind, text or message, code)
    return Answer(status=status, body=orjson.dumps(body), headers={"x-request-id": request_id, **wait})


def refused(fault: Fault, *, request_id: str) -> Answer:
    """The answer that a planned refusal gives."""
    wait = fault.retry_after if fault.fault in {"rate_limit", "overloaded"} else None
    return refusal(fault.fault, request_id=request_id, retry_after=wait)


def limits(limiter: Limiter) -> dict[str, str]:
    """The headers that tell what is left of the rate limit."""
    if not limiter.requests_per_minute:
        return {}
    return {
        "x-ratelimit-limit-requests": f"{limiter.requests_per_minute:g}",
        "x-ratelimit-remaining-requests": str(limiter.left),
    }
