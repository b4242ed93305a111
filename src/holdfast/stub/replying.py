"""From a prompt to a reply: the same prompt gets the same reply, and a content fault spoils it in its own way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import orjson

from holdfast.stub.bill import prompt_digest
from holdfast.stub.coding import coded, framed, pointed, with_invented, without_some
from holdfast.stub.faults import Fault
from holdfast.stub.filling import Filler
from holdfast.stub.material import count_tokens, gather, grouped
from holdfast.stub.prices import Usage

Finish: TypeAlias = Literal["stop", "max_tokens", "refusal", "content_filter"]

SPOILT = {"missing_ids": without_some, "invented_ids": with_invented}  # of a reply with an entry for each answer
REVIEW = {"merges", "themes"}  # what a reply over all codes has
REFUSAL = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question, as either provider's API brings it."""

    model: str
    system: str
    user: str
    schema: Mapping[str, Any] | None  # None: plain text is asked for
    schema_name: str | None  # also the name of the tool that must be called
    tool: bool  # the schema is a tool's
    max_tokens: int | None
    stream: bool
    usage_in_stream: bool = True
    dimensions: int | None = None  # of the vectors that are asked for

    @property
    def text(self) -> str:
        return f"{self.system}\n{self.user}"

    @property
    def digest(self) -> str:
        return prompt_digest(self.system, self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model says."""

    text: str  # JSON, where the prompt brings a schema
    finish: Finish
    usage: Usage


def compose(prompt: Prompt, fault: Fault | None = None) -> Reply:
    """The reply to a prompt, spoilt by the fault if it is one of content."""
    name = fault.fault if fault else ""
    text, finish = _spoilt(prompt, name)
    if fault is not None and name == "says":
        text = fault.text
    most = prompt.max_tokens
    if name == "max_tokens":
        text, finish = text[: max(1, len(text) // 2)], "max_tokens"
    elif most is not None and finish == "stop" and count_tokens(text) > most:
        text, finish = text.encode()[: 4 * most].decode(errors="ignore"), "max_tokens"
    asked = count_tokens(prompt.text)
    usage = Usage(input_tokens=asked, output_tokens=count_tokens(text))
    if name == "cached" and fault is not None:
        read = min(asked, fault.tokens)
        usage = replace(usage, input_tokens=asked - read, cache_read_tokens=read)
    return Reply(text=text, finish=finish, usage=usage)


def _spoilt(prompt: Prompt, fault: str) -> tuple[str, Finish]:
    if fault == "refusal":
        return REFUSAL, "refusal"
    if fault == "content_filter":
        return "", "content_filter"
    if fault == "wrong_schema":
        return '{"unexpected":["not what was asked for"]}', "stop"
    entries = coded(prompt.user, prompt.schema)
    if entries is not None and fault in SPOILT:
        return orjson.dumps({"answers": SPOILT[fault](entries)}).decode(), "stop"
    text = _fitting(prompt) if entries is None else orjson.dumps({"answers": entries}).decode()
    return (text[: max(1, len(text) // 2)] if fault == "truncated_json" else text), "stop"


def _is_review(prompt: Prompt) -> bool:
    """Whether a whole codeframe is to be looked at; Anthropic's requests bear no schema's name."""
    return set((prompt.schema or {}).get("properties", ())) >= REVIEW


def _fitting(prompt: Prompt) -> str:
    if _is_review(prompt) and (themes := grouped(prompt.user)):
        return orjson.dumps({"merges": [], "themes": themes}).decode()
    if (codes := framed(prompt.user, prompt.schema)) is not None:
        return orjson.dumps({"codes": codes}).decode()
    if (points := pointed(prompt.user, prompt.schema)) is not None:
        return orjson.dumps({"points": points}).decode()
    material = gather(prompt.user)
    if prompt.schema is not None:
        return orjson.dumps(Filler(prompt.schema, material).value(prompt.schema)).decode()
    return f"The answers speak of {', '.join(material.words[:6])}."
