"""The bill and the gate: what was paid is on disk before the reply, whatever dies."""

import asyncio

import openai
import pytest

from holdfast.errors import Unavailable
from holdfast.stub import StubProvider

ASKED = {"model": "stub-model", "messages": [{"role": "user", "content": "parking parking"}]}


def client(provider: StubProvider) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0, timeout=30)


async def test_a_call_is_billed_before_its_reply_and_stays_billed_when_the_stub_is_killed(
    provider: StubProvider,
) -> None:
    provider.hold()
    async with client(provider) as gpt, asyncio.TaskGroup() as tg:
        asked = tg.create_task(refused(gpt))
        await provider.waiting(1)

        provider.kill()

        assert await asked
    assert len(provider.calls_for("parking")) == 1
    provider.start()
    async with client(provider) as gpt:
        await gpt.chat.completions.create(**ASKED)
    assert [call.n for call in provider.bill().calls] == [1, 2]
    assert list(provider.bill().paid_twice.values()) == [2]


async def refused(gpt: openai.AsyncOpenAI) -> bool:
    with pytest.raises(openai.APIConnectionError):
        await gpt.chat.completions.create(**ASKED)
    return True


async def test_held_calls_are_let_go_one_by_one(provider: StubProvider) -> None:
    provider.hold({"contains": "parking"})
    async with client(provider) as gpt, asyncio.TaskGroup() as tg:
        calls = [tg.create_task(gpt.chat.completions.create(**ASKED)) for _ in range(3)]
        await provider.waiting(3)

        assert provider.release(1) == 1
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)

        assert sum(call.done() for call in calls) == 1
        assert provider.state()["held"] == 2
        assert provider.release() == 2


async def test_a_held_call_whose_client_left_is_not_held_any_more(provider: StubProvider) -> None:
    provider.hold()
    async with client(provider) as gpt:
        asked = asyncio.ensure_future(gpt.chat.completions.create(**ASKED))
        await provider.waiting(1)

        asked.cancel()
        await asyncio.wait([asked])
        async with client(provider) as other, asyncio.TaskGroup() as tg:
            tg.create_task(other.chat.completions.create(**ASKED))
            await provider.billed(2)
            await provider.waiting(1)

            assert provider.release() == 1


async def test_a_call_whose_client_leaves_before_the_bill_is_not_billed(provider: StubProvider) -> None:
    provider.hold(before_billing=True)
    async with client(provider) as gpt:
        asked = asyncio.ensure_future(gpt.chat.completions.create(**ASKED))
        await provider.waiting(1)

        asked.cancel()
        await asyncio.wait([asked])
        provider.release()
        await gpt.chat.completions.create(**ASKED)

    assert len(provider.bill().calls) == 1


async def test_a_wait_that_is_not_fulfilled_ends_with_its_time(provider: StubProvider) -> None:
    with pytest.raises(TimeoutError):
        await provider.waiting(1, within=0.1)


def test_a_stub_that_is_dead_says_so(provider: StubProvider) -> None:
    provider.kill()

    with pytest.raises(Unavailable):
        provider.state()
