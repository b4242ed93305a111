"""Scrapes read as Prometheus reads them, of generations that run in this process."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import httpx
from prometheus_client.parser import text_string_to_metric_families

from holdfast.api import create_app
from holdfast.service import GenerationConfig, GenerationRequest, IncomingRow, Service

MODEL = "anthropic:stub-model"
TOPICS = (
    "The waiting time was far too long, {n} minutes",
    "Staff were friendly and very kind to me {n}",
    "Parking is expensive, I paid {n} pounds",
    "The food was cold and had no taste {n}",
)


class Scrape:
    """One scrape, read as Prometheus reads it."""

    def __init__(self, body: str) -> None:
        self._samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        }

    def names(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Each series' name and the names of its labels."""
        for name, labels in self._samples:
            yield name, frozenset(label for label, _ in labels)

    def value(self, name: str, **labels: str) -> float | None:
        return self._samples.get((f"holdfast_{name}", tuple(sorted(labels.items()))))

    def total(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(v for (n, found), v in self._samples.items() if n == f"holdfast_{name}" and wanted <= set(found))


async def scraped(service: Service) -> Scrape:
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        reply = await client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Scrape(reply.text)


async def begun(service: Service, *, budget: str | None = None, **config: str) -> UUID:
    category = await service.imports.add_category(name="measured")
    await service.imports.import_rows(category.id, [IncomingRow(text=TOPICS[n % 4].format(n=n)) for n in range(60)])
    request = GenerationRequest(
        category_id=category.id,
        config=GenerationConfig(n_clusters=4, **config),
        budget=None if budget is None else Decimal(budget),
    )
    return (await service.generations.start(request)).generation.id


async def ended(service: Service, generation_id: UUID) -> None:
    async with asyncio.timeout(60):
        while not (await service.generations.status(generation_id)).ended:
            await asyncio.sleep(0.05)  # how often the status is sampled
