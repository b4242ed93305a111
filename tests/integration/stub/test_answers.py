"""The providers' own clients are satisfied by what the stub answers."""

from pathlib import Path

import anthropic
import openai
import orjson
import pytest

from holdfast.stub import StubOptions, StubProvider, prompt_digest

SYSTEM = "Label the cluster."
USER = "Answers:\n[7] no parking near the hospital\n[9] parking is far too expensive\n"
QUOTE = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}, "quote": {"type": "string"}},
    "required": ["answer", "quote"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 60},
        "description": {"type": "string"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "quotes": {"type": "array", "items": QUOTE, "maxItems": 5},
    },
    "required": ["name", "description", "confidence", "quotes"],
    "additionalProperties": False,
}
FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "label", "schema": SCHEMA, "strict": True}}
ASKED = {"model": "stub-model", "max_tokens": 500, "system": SYSTEM, "messages": [{"role": "user", "content": USER}]}
CHAT = {
    "model": "stub-model",
    "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}],
}


@pytest.fixture
def claude(provider: StubProvider) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=provider.url, api_key="any", max_retries=0, timeout=20)


@pytest.fixture
def gpt(provider: StubProvider) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0, timeout=20)


def test_a_message_fits_the_schema_and_quotes_the_prompt(provider: StubProvider, claude: anthropic.Anthropic) -> None:
    message = claude.messages.create(**ASKED, output_config=FORMAT)

    said = orjson.loads(message.content[0].text)
    assert said["name"].startswith("Parking ")
    assert said["quotes"][0] == {"answer": 7, "quote": "no parking near the hospital"}
    assert message.stop_reason == "end_turn"
    [billed] = provider.bill().calls
    assert billed.request_id == message._request_id
    assert billed.prompt_digest == prompt_digest(SYSTEM, USER)
    assert billed.usage.output_tokens == message.usage.output_tokens


def test_a_streamed_message_is_the_same_message(claude: anthropic.Anthropic) -> None:
    whole = claude.messages.create(**ASKED, output_config=FORMAT)

    with claude.messages.stream(**ASKED, output_config=FORMAT) as stream:
        streamed = stream.get_final_message()

    assert streamed.content[0].text == whole.content[0].text
    assert streamed.usage.output_tokens == whole.usage.output_tokens


def test_a_forced_tool_is_called_with_what_its_schema_wants(claude: anthropic.Anthropic) -> None:
    tool = {"name": "label", "input_schema": SCHEMA}

    message = claude.messages.create(**ASKED, tools=[tool], tool_choice={"type": "tool", "name": "label"})

    assert message.stop_reason == "tool_use"
    assert set(message.content[0].input) == set(SCHEMA["required"])


def test_tokens_are_counted_as_they_are_billed(provider: StubProvider, claude: anthropic.Anthropic) -> None:
    told = claude.messages.count_tokens(model="stub-model", system=SYSTEM, messages=ASKED["messages"])

    message = claude.messages.create(**ASKED)

    assert told.input_tokens == message.usage.input_tokens == provider.bill().calls[0].usage.input_tokens


def test_a_chat_completion_fits_the_schema(provider: StubProvider, gpt: openai.OpenAI) -> None:
    done = gpt.chat.completions.create(**CHAT, response_format=RESPONSE_FORMAT)

    assert set(orjson.loads(done.choices[0].message.content)) == set(SCHEMA["required"])
    assert done.choices[0].finish_reason == "stop"
    [billed] = provider.bill().calls
    assert (billed.api, billed.request_id, billed.outcome) == ("chat", done._request_id, "ok")
    assert done.usage.total_tokens == billed.usage.input_tokens + billed.usage.output_tokens


def test_a_streamed_chat_completion_is_the_same_and_ends_with_its_usage(gpt: openai.OpenAI) -> None:
    whole = gpt.chat.completions.create(**CHAT)

    chunks = list(gpt.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_a_call_with_a_wrong_key_is_refused_and_not_billed(own_folder: Path) -> None:
    with StubProvider(own_folder / "strict", StubOptions(key="right")) as provider:
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(base_url=f"{provider.url}/v1", api_key="wrong", max_retries=0).chat.completions.create(**CHAT)
        with pytest.raises(anthropic.AuthenticationError):
            anthropic.Anthropic(base_url=provider.url, api_key="wrong", max_retries=0).messages.create(**ASKED)

        assert provider.bill().calls == ()
