"""Batches through the providers' own clients: half the price, and a kill neither loses nor bills again."""

import io
from pathlib import Path

import anthropic
import openai
import orjson

from holdfast.stub import StubProvider

BODY = {"model": "stub-model", "max_tokens": 500, "messages": [{"role": "user", "content": "parking is too expensive"}]}
NAMES = ["mark-label-1", "mark-label-2", "mark-label-3"]


def claude(provider: StubProvider) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=provider.url, api_key="any", max_retries=0, timeout=20)


def gpt(provider: StubProvider) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0, timeout=20)


def submit(client: openai.OpenAI) -> str:
    lines = [{"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": BODY} for name in NAMES]
    data = io.BytesIO(b"\n".join(map(orjson.dumps, lines)))
    file = client.files.create(file=("batch.jsonl", data), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"holdfast": "mark"}
    )
    return batch.id


async def test_a_message_batch_is_billed_at_half_the_price(provider: StubProvider) -> None:
    client = claude(provider)
    client.messages.create(**BODY)
    batch = client.messages.batches.create(requests=[{"custom_id": name, "params": BODY} for name in NAMES])
    await provider.ended(batch.id)

    results = list(client.messages.batches.results(batch.id))

    assert [each.custom_id for each in results] == NAMES
    assert {each.result.type for each in results} == {"succeeded"}
    alone, *together = provider.bill().calls
    assert [call.custom_id for call in together] == NAMES
    assert all(alone.usd / 2 <= call.usd < alone.usd * 6 / 10 for call in together)
    assert [found.id for found in client.messages.batches.list()] == [batch.id]


async def test_a_chat_batch_is_found_by_its_metadata_and_read_from_its_file(provider: StubProvider) -> None:
    client = gpt(provider)
    batch_id = submit(client)
    await provider.ended(batch_id)

    [found] = [each for each in client.batches.list() if each.metadata == {"holdfast": "mark"}]

    assert (found.id, found.status, found.request_counts.completed) == (batch_id, "completed", 3)
    lines = [orjson.loads(line) for line in client.files.content(found.output_file_id).text.splitlines()]
    assert [line["custom_id"] for line in lines] == NAMES
    assert lines[0]["response"]["body"]["object"] == "chat.completion"


async def test_a_batch_goes_on_after_a_kill_and_nothing_is_billed_again(
    provider: StubProvider, own_folder: Path
) -> None:
    provider.hold({"api": "chat_batches"})
    batch_id = submit(gpt(provider))
    await provider.waiting(1)

    provider.kill()
    for done in (own_folder / "stub provider" / "batches").glob("*.done"):
        done.write_bytes(b'["mark-label-1",')  # killed between the bill's lines and the results'
    provider.start()
    await provider.ended(batch_id)

    assert gpt(provider).batches.retrieve(batch_id).status == "completed"
    assert sorted(provider.bill().by_custom_id.items()) == [(name, 1) for name in NAMES]


async def test_requests_of_a_batch_fail_and_expire_on_command(provider: StubProvider) -> None:
    provider.faults(
        {"fault": "batch_item_error", "match": {"custom_id": "label-1"}},
        {"fault": "batch_expire", "match": {"custom_id": "label-3"}},
    )
    client = claude(provider)
    batch = client.messages.batches.create(requests=[{"custom_id": name, "params": BODY} for name in NAMES])
    await provider.ended(batch.id)

    kinds = [each.result.type for each in client.messages.batches.results(batch.id)]

    assert kinds == ["errored", "succeeded", "expired"]
    assert [call.custom_id for call in provider.bill().calls] == ["mark-label-2"]


async def test_a_cancelled_batch_ends_without_what_was_not_begun(provider: StubProvider) -> None:
    provider.hold(before_billing=True)
    client = gpt(provider)
    batch_id = submit(client)
    await provider.waiting(1)

    assert client.batches.cancel(batch_id).status == "cancelling"
    provider.release()
    await provider.ended(batch_id)

    assert client.batches.retrieve(batch_id).status == "cancelled"
    assert provider.bill().calls == ()
