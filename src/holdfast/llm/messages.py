"""Anthropic's Messages on the wire: a request as its parameters, a message as a completion."""

from collections.abc import Mapping
from typing import Any

from holdfast.errors import ProviderUnclear
from holdfast.llm.schemas import ANTHROPIC_WORDS, strict
from holdfast.llm.values import Completion, Finish, Request, Usage

_FINISH: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "pause_turn": "max_tokens",  # it has more to say, and we do not ask again
    "refusal": "refusal",
}


def message_params(request: Request, *, model: str) -> dict[str, Any]:
    """The body of a Messages request."""
    params: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": [{"role": "user", "content": request.user}],
        "output_config": {"format": {"type": "json_schema", "schema": strict(request.schema, ANTHROPIC_WORDS)}},
    }
    if request.system:
        params["system"] = request.system
    if request.temperature is not None:
        params["temperature"] = request.temperature
    return params


def completion_of(body: Mapping[str, Any], *, request_id: str | None) -> Completion:
    """The completion in a message. Raises ProviderUnclear: it was answered and we cannot tell what was billed."""
    try:
        return Completion(
            text="".join(block["text"] for block in body["content"] if block["type"] == "text"),
            finish=_FINISH.get(body["stop_reason"], "stop"),
            usage=_usage(body["usage"]),
            model=str(body["model"]),
            request_id=request_id,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ProviderUnclear("Anthropic's reply is no message") from None


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        input_tokens=int(usage["input_tokens"]),
        output_tokens=int(usage["output_tokens"]),
        cache_read_tokens=int(usage.get("cache_read_input_tokens") or 0),
        cache_write_tokens=int(usage.get("cache_creation_input_tokens") or 0),
    )
