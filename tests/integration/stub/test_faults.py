"""Each fault on command is what the providers' own clients know it as, and is billed or not as it says."""

import anthropic
import openai
import orjson
import pytest

from holdfast.stub import StubProvider

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
MESSAGES = [{"role": "user", "content": "parking is too expensive"}]
REFUSED = {
    "rate_limit": (429, 429),
    "overloaded": (529, 503),
    "server_error": (500, 500),
    "auth": (401, 401),
    "quota": (402, 429),
    "bad_request": (400, 400),
}
# fault -> billed calls
UNANSWERED = {"close_on_accept": 0, "timeout_before_billing": 0, "timeout_after_billing": 1, "cut_body": 1}


def ask_claude(provider: StubProvider, seconds: float = 20) -> anthropic.types.Message:
    client = anthropic.Anthropic(base_url=provider.url, api_key="any", max_retries=0, timeout=seconds)
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return client.messages.create(model="stub-model", max_tokens=500, messages=MESSAGES, output_config=wanted)


def ask_gpt(provider: StubProvider, seconds: float = 20) -> openai.types.chat.chat_completion.Choice:
    client = openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0, timeout=seconds)
    wanted = {"type": "json_schema", "json_schema": {"name": "label", "schema": SCHEMA}}
    return client.chat.completions.create(model="stub-model", messages=MESSAGES, response_format=wanted).choices[0]


@pytest.mark.parametrize("fault", REFUSED)
def test_a_refusal_has_its_status_and_costs_nothing(provider: StubProvider, fault: str) -> None:
    provider.faults({"fault": fault, "times": 2, "retry_after": 7})

    with pytest.raises(anthropic.APIStatusError) as theirs:
        ask_claude(provider)
    with pytest.raises(openai.APIStatusError) as ours:
        ask_gpt(provider)

    assert (theirs.value.status_code, ours.value.status_code) == REFUSED[fault]
    waits = {error.response.headers.get("retry-after") for error in (theirs.value, ours.value)}
    assert waits == ({"7"} if fault in {"rate_limit", "overloaded"} else {None})
    assert provider.bill().calls == ()
    assert ask_gpt(provider).finish_reason == "stop"


@pytest.mark.parametrize("fault", UNANSWERED)
def test_a_call_without_an_answer_is_billed_as_its_fault_says(provider: StubProvider, fault: str) -> None:
    provider.faults({"fault": fault, "times": 2})

    with pytest.raises(anthropic.APIConnectionError):
        ask_claude(provider, seconds=1)
    with pytest.raises(openai.APIConnectionError):
        ask_gpt(provider, seconds=1)

    assert [call.outcome for call in provider.bill().calls] == [fault] * 2 * UNANSWERED[fault]


def test_a_slow_answer_trickles_and_is_whole(provider: StubProvider) -> None:
    provider.faults({"fault": "slow", "seconds": 0.2})

    assert orjson.loads(ask_gpt(provider).message.content)["name"]


@pytest.mark.parametrize("fault", ["truncated_json", "max_tokens"])
def test_a_cut_text_says_its_finish(provider: StubProvider, fault: str) -> None:
    provider.faults({"fault": fault, "times": 2})

    message, choice = ask_claude(provider), ask_gpt(provider)

    for text in (message.content[0].text, choice.message.content):
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(text)
    wanted = ("max_tokens", "length") if fault == "max_tokens" else ("end_turn", "stop")
    assert (message.stop_reason, choice.finish_reason) == wanted


def test_refusals_and_filters_of_a_model_are_billed(provider: StubProvider) -> None:
    provider.faults({"fault": "refusal", "times": 2}, {"fault": "content_filter"})

    assert ask_claude(provider).stop_reason == "refusal"
    assert ask_gpt(provider).message.refusal
    assert ask_gpt(provider).finish_reason == "content_filter"
    assert [call.outcome for call in provider.bill().calls] == ["refusal", "refusal", "content_filter"]


def test_a_wrong_schema_and_cached_tokens_come_where_they_are_asked_for(provider: StubProvider) -> None:
    provider.faults(
        {"fault": "wrong_schema", "match": {"nth": 2}},
        {"fault": "cached", "tokens": 3, "match": {"contains": "parking", "api": "anthropic"}},
    )

    assert ask_claude(provider).usage.cache_read_input_tokens == 3
    assert "name" not in orjson.loads(ask_gpt(provider).message.content)
    assert provider.bill().calls[0].usage.cache_read_tokens == 3


def test_a_fault_that_does_not_exist_is_refused(provider: StubProvider) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        provider.faults({"fault": "earthquake"})


def test_more_requests_than_the_limit_are_turned_away_with_a_wait(provider: StubProvider) -> None:
    provider.settings(rpm=6, burst=1)
    ask_gpt(provider)

    with pytest.raises(openai.RateLimitError) as refused:
        ask_gpt(provider)

    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 10
    assert len(provider.bill().calls) == 1
