"""What `/metrics` says is what happened, and what the database and Redis hold."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx
import pytest
import redis.asyncio
from sqlalchemy import text
from tests.integration.service.measured import MODEL, Scrape, begun, ended, scraped
from tests.service_worker import working

from holdfast.api import create_app
from holdfast.embedded import RedisServer
from holdfast.service import Service, last_scrape, open_service
from holdfast.service.scraping import Kept
from holdfast.settings import Settings
from holdfast.stub import StubProvider


async def test_a_paid_generation_s_figures_are_the_ledger_s_and_the_bill_s(
    paying: Service, provider: StubProvider
) -> None:
    generation_id = await begun(paying, model=MODEL, budget="5")
    async with working(paying):
        await ended(paying, generation_id)

    scrape = await scraped(paying)

    bill = provider.bill()
    assert bill.usd > 0
    assert scrape.value("cost_usd_total", model=MODEL, outcome="replied") == pytest.approx(float(bill.usd))
    assert scrape.value("ledger_calls_total", model=MODEL, outcome="replied") == 4
    assert scrape.total("tokens_total", kind="output") > 0
    assert scrape.value("budget_usd", cap="month") == 100
    assert scrape.value("budget_left_usd", cap="month") == pytest.approx(100 - float(bill.usd))
    assert scrape.value("call_seconds_count", model=MODEL, outcome="answered") == 4
    assert scrape.value("steps_total", step="label", outcome="made") == 4
    assert scrape.value("throttle_open", credential=paying_key(scrape)) == 0


def paying_key(scrape: Scrape) -> str:
    (found,) = [dict(labels)["credential"] for (name, labels) in scrape._samples if name == "holdfast_throttle_open"]
    return found


async def test_units_generations_and_jobs_are_counted_as_redis_and_the_database_have_them(service: Service) -> None:
    generation_id = await begun(service)
    before = await scraped(service)
    async with working(service):
        await ended(service, generation_id)
    forget_figures(service)

    after = await scraped(service)

    queue = service.queue.name
    assert (before.value("queue_jobs", queue=queue, state="wait"), before.value("generations", state="active")) == (
        1,
        1,
    )
    assert before.value("units", stage="prepare", state="pending") == 1
    assert (before.value("unit_owed_seconds", stage="prepare") or 0) > 0
    assert (before.value("queue_oldest_seconds", queue=queue, state="wait") or 0) > 0
    assert before.value("workers", queue=queue) == 0
    assert after.value("generations", state="completed") == 1
    assert after.value("units", stage="label", state="done") == 4
    sql = "SELECT count(*) FROM holdfast.units WHERE state = 'done'"
    n_done = (await service.database.run(lambda c: c.execute(text(sql)))).scalar_one()
    assert after.total("units", state="done") == n_done
    assert after.total("unit_seconds_count", outcome="done") == n_done
    assert after.total("attempts_total", outcome="completed") == n_done
    assert after.value("queue_jobs", queue=queue, state="completed") == n_done
    assert after.value("unit_owed_seconds", stage="prepare") is None


def forget_figures(service: Service) -> None:
    """Figures are kept for a moment; the test wants those of now."""
    for kept in (service.scrapes._redis, service.scrapes._work, service.scrapes._money):
        kept._kept = None


async def test_a_call_in_doubt_is_shown_with_its_money(paying: Service, provider: StubProvider) -> None:
    generation_id = await begun(paying, model=MODEL, in_doubt="hold")
    provider.faults({"fault": "cut_body", "times": 1})
    async with working(paying):
        async with asyncio.timeout(60):
            while not (await paying.generations.status(generation_id)).ledger.n_in_doubt:
                await asyncio.sleep(0.05)  # how often the status is sampled

        scrape = await scraped(paying)

    ledger = (await paying.generations.status(generation_id)).ledger
    assert scrape.value("in_doubt_calls", model=MODEL) == ledger.n_in_doubt == 1
    assert scrape.value("in_doubt_usd", model=MODEL) == pytest.approx(float(ledger.in_doubt))


async def test_what_the_reconciler_put_back_and_a_cut_connection_are_counted(service: Service, redis_url: str) -> None:
    await begun(service)
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.flushall()
        stopping = asyncio.Event()
        reconciling = asyncio.create_task(service.run_reconciler(stopping))
        async with asyncio.timeout(20):
            while not (await service.queue.counts())["wait"]:
                await asyncio.sleep(0.05)  # how often the queue is looked at
        await client.client_kill_filter(_type="normal", skipme=True)
        async with asyncio.timeout(20):
            while not (await scraped(service)).value("reconnects_total", queue=service.queue.name):
                await asyncio.sleep(0.05)  # how often it is scraped
        stopping.set()
        await reconciling

    assert (await scraped(service)).value("reconciler_enqueued_total") == 1


async def test_a_scrape_succeeds_and_says_so_while_redis_is_away(
    own_redis: RedisServer, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(redis_url_given=own_redis.url, database_url=database_url, home=tmp_path)
    async with open_service(settings) as service:
        assert (await scraped(service)).value("up", server="redis") == 1
        own_redis.kill()
        forget_figures(service)
        began = monotonic()

        scrape = await scraped(service)

        assert monotonic() - began < 5
        assert (scrape.value("up", server="redis"), scrape.value("up", server="database")) == (0, 1)
        assert scrape.value("queue_jobs", queue=service.queue.name, state="wait") is None
        assert scrape.value("generations", state="active") == 0


async def test_a_scrape_leaves_its_time_for_the_doctor(service: Service) -> None:
    assert await last_scrape(service.queue) is None
    await scraped(service)

    found = await last_scrape(service.queue)

    assert found is not None
    assert datetime.now(UTC) - found < timedelta(seconds=30)


async def test_keys_guard_metrics_as_everything_that_tells_of_money(service: Service) -> None:
    locked = service.settings.model_copy(update={"api_keys": ("secret",)})
    transport = httpx.ASGITransport(create_app(_with(service, locked)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        without = await client.get("/metrics")
        with_key = await client.get("/metrics", headers={"Authorization": "Bearer secret"})
        foreign = await client.get("/metrics", headers={"Host": "evil.example.org", "X-API-Key": "secret"})

    assert [without.status_code, with_key.status_code, foreign.status_code] == [401, 200, 403]


async def test_many_scrapers_at_once_cost_one_reading() -> None:
    readings = 0

    async def read() -> int:
        nonlocal readings
        readings += 1
        await asyncio.sleep(0)
        return readings

    kept = Kept(read, fresh=60.0)

    assert await asyncio.gather(*(kept.get() for _ in range(20))) == [1] * 20


async def test_no_text_of_an_answer_is_in_a_scrape(service: Service) -> None:
    generation_id = await begun(service)
    async with working(service):
        await ended(service, generation_id)

    body = (await service.scrapes.text()).decode()

    assert "Parking" not in body
    assert str(generation_id) not in body  # one series a generation would never end
    assert json.dumps(body)


def _with(service: Service, settings: Settings) -> Service:
    fields = {name: getattr(service, name) for name in service.__dataclass_fields__}
    return Service(**{**fields, "settings": settings})
