"""How a request and an answer look in each provider's format."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.llm.wire import CHAT, MESSAGE, REQUEST

from holdfast.llm import chats, messages
from holdfast.llm.schemas import ANTHROPIC_WORDS, OPENAI_WORDS, strict


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "max_tokens"),
        ("model_context_window_exceeded", "max_tokens"),
        ("refusal", "refusal"),
        (None, "stop"),
    ],
)
def test_why_a_message_ended(reason: str | None, finish: str) -> None:
    assert messages.completion_of({**MESSAGE, "stop_reason": reason}, request_id=None).finish == finish


@pytest.mark.parametrize(
    ("reason", "refusal", "finish"),
    [
        ("stop", None, "stop"),
        ("length", None, "max_tokens"),
        ("content_filter", None, "content_filter"),
        ("stop", "I cannot help with that", "refusal"),
        (None, None, "stop"),
    ],
)
def test_why_a_chat_completion_ended(reason: str | None, refusal: str | None, finish: str) -> None:
    message = {"content": None if refusal else "{}", "refusal": refusal}
    chat = {**CHAT, "choices": [{"finish_reason": reason, "message": message}]}

    completion = chats.completion_of(chat, request_id=None)

    assert completion.finish == finish
    assert completion.text == (refusal or "{}")


@pytest.mark.parametrize(
    ("details", "split"),
    [
        (None, (150, 0, 0)),
        ({"cached_tokens": None}, (150, 0, 0)),
        ({"cached_tokens": 100}, (50, 100, 0)),
        ({"cached_tokens": 100, "cache_write_tokens": 30}, (20, 100, 30)),
        ({"cached_tokens": 999}, (0, 150, 0)),
    ],
)
def test_cached_tokens_are_not_counted_twice(details: Any, split: tuple[int, int, int]) -> None:
    usage = {"prompt_tokens": 150, "completion_tokens": 20, "prompt_tokens_details": details}

    found = chats.completion_of({**CHAT, "usage": usage}, request_id=None).usage

    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == split
    assert found.total == 170


@pytest.mark.parametrize(
    ("model", "own_host", "limit", "warm"),
    [
        ("gpt-4o-mini", False, "max_completion_tokens", True),
        ("gpt-5-mini", False, "max_completion_tokens", False),
        ("gpt-6.1-sol", False, "max_completion_tokens", False),
        ("o4-mini", False, "max_completion_tokens", False),
        ("openai/gpt-5", True, "max_completion_tokens", False),
        ("llama3.1:8b", True, "max_tokens", True),
        ("qwen/qwen3-32b", True, "max_tokens", True),
        ("olmo-2", True, "max_tokens", True),
    ],
)
def test_the_end_of_an_answer_is_asked_for_in_the_word_the_model_knows(
    model: str, *, own_host: bool, limit: str, warm: bool
) -> None:
    params = chats.chat_params(replace(REQUEST, temperature=0.2), model=model, own_host=own_host)

    assert {name for name in params if name.startswith("max")} == {limit}
    assert ("temperature" in params) is warm


def test_a_temperature_goes_to_anthropic_only_if_one_is_asked_for() -> None:
    assert "temperature" not in messages.message_params(REQUEST, model="m")
    assert messages.message_params(replace(REQUEST, temperature=0.0), model="m")["temperature"] == 0.0


def test_a_request_without_a_system_text_has_none() -> None:
    request = replace(REQUEST, system="")

    assert "system" not in messages.message_params(request, model="m")
    assert [message["role"] for message in chats.chat_params(request, model="m", own_host=False)["messages"]] == [
        "user"
    ]


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 60, "default": "x"},
        "codes": {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "items": {"$ref": "#/$defs/code"},
        },
        "mood": {"anyOf": [{"type": "string", "enum": ["good", "bad"]}, {"type": "null"}]},
    },
    "required": ["title"],
    "$defs": {"code": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}},
}


def test_a_schema_keeps_its_structure_and_closes_its_objects() -> None:
    fitted = strict(SCHEMA, ANTHROPIC_WORDS)

    assert fitted == {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "codes": {"type": "array", "items": {"$ref": "#/$defs/code"}},
            "mood": {"anyOf": [{"type": "string", "enum": ["good", "bad"]}, {"type": "null"}]},
        },
        "$defs": {
            "code": {
                "type": "object",
                "properties": {"n": {"type": "integer"}},
                "additionalProperties": False,
                "required": ["n"],
            }
        },
        "additionalProperties": False,
        "required": ["title", "codes", "mood"],
    }


def test_openai_is_told_the_limits_it_enforces() -> None:
    fitted = strict(SCHEMA, OPENAI_WORDS)

    assert fitted["properties"]["codes"]["maxItems"] == 8
    assert fitted["$defs"]["code"]["properties"]["n"]["minimum"] == 0
    assert "maxLength" not in fitted["properties"]["title"]
