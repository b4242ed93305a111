"""OpenAI's Chat Completions on the wire: a request as its parameters, a chat completion as ours."""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.errors import ProviderUnclear
from holdfast.llm.schemas import OPENAI_WORDS, strict
from holdfast.llm.tokens import count_request, count_tokens
from holdfast.llm.values import Completion, Finish, Request, Usage

# Models that think before they answer: they take no temperature, and no max_tokens by that name.
_REASONING = re.compile(r"(?:.*/)?(?:o\d|gpt-(?:[5-9]|\d\d))")
_FINISH: dict[str, Finish] = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}


def chat_params(request: Request, *, model: str, own_host: bool) -> dict[str, Any]:
    """The body of a Chat Completions request; `own_host`: for a server that is not OpenAI's."""
    reasoning = _REASONING.match(model) is not None
    # OpenAI has max_completion_tokens for all its models. Others' servers may overlook it, and the answer has no end.
    limit = "max_tokens" if own_host and not reasoning else "max_completion_tokens"
    schema = {"name": request.schema_name, "strict": True, "schema": strict(request.schema, OPENAI_WORDS)}
    messages = [{"role": "system", "content": request.system}] if request.system else []
    params: dict[str, Any] = {
        "model": model,
        limit: request.max_tokens,
        "messages": [*messages, {"role": "user", "content": request.user}],
        "response_format": {"type": "json_schema", "json_schema": schema},
    }
    if request.temperature is not None and not reasoning:
        params["temperature"] = request.temperature
    return params


def completion_of(body: Mapping[str, Any], *, request_id: str | None, request: Request | None = None) -> Completion:
    """The completion in a chat completion; if it has no usage, counted here from `request`.

    Raises ProviderUnclear: it was answered and we cannot tell what was billed.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        refusal = message.get("refusal")
        usage = _usage(body["usage"]) if body.get("usage") or request is None else _counted(request, text)
        return Completion(
            text=str(text or refusal or ""),
            finish="refusal" if refusal else _FINISH.get(choice.get("finish_reason"), "stop"),
            usage=usage,
            model=str(body.get("model") or ""),
            request_id=request_id,
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise ProviderUnclear("OpenAI's reply is no chat completion") from None


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Without overlap: OpenAI counts what came from the cache, and what went to it, among the prompt's tokens too."""
    details = usage.get("prompt_tokens_details") or {}
    prompt = int(usage["prompt_tokens"])
    read = min(prompt, int(details.get("cached_tokens") or 0))
    written = min(prompt - read, int(details.get("cache_write_tokens") or 0))
    return Usage(
        input_tokens=prompt - read - written,
        output_tokens=int(usage["completion_tokens"]),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def _counted(request: Request, text: str) -> Usage:
    return Usage(input_tokens=count_request(request), output_tokens=count_tokens(text))
