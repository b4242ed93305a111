"""A whole generation, from rows to a coded table, with a worker in this process."""

import asyncio
import csv
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.service_worker import working

from holdfast.errors import BadInput, Conflict, NotFound
from holdfast.service import FileToImport, GenerationConfig, GenerationRequest, Service, Status

TOPICS = (
    "The waiting time was far too long, {n} minutes",
    "Staff were friendly and very kind to me {n}",
    "Parking is expensive, I paid {n} pounds",
    "The food was cold and had no taste {n}",
)


async def ended(service: Service, generation_id: UUID) -> Status:
    async with asyncio.timeout(60):
        while not (status := await service.generations.status(generation_id)).ended:
            await asyncio.sleep(0.05)  # how often the status is sampled
    return status


async def imported(service: Service, folder: Path, rows: list[str]) -> int:
    path = folder / "answers.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "what they said"])
        writer.writerows([f"p{n}", row] for n, row in enumerate(rows))
    category, _ = await service.imports.import_as_category(
        FileToImport(path=path, text_column="what they said"), at_least=10
    )
    return category.id


async def test_every_answer_of_a_file_is_coded_in_its_order(service: Service, tmp_path: Path) -> None:
    rows = [TOPICS[n % 4].format(n=n) for n in range(80)] + ["", "don't know", "???"]
    category_id = await imported(service, tmp_path, rows)

    async with working(service):
        request = GenerationRequest(category_id=category_id, config=GenerationConfig(n_clusters=4, hierarchy="flat"))
        generation_id = (await service.generations.start(request)).generation.id
        status = await ended(service, generation_id)

    assert (status.status, status.progress, status.n_clusters, status.n_completed) == ("completed", 100, 4, 4)
    hierarchy = await service.generations.hierarchy(generation_id)
    assert hierarchy.n_assigned == len(rows)
    await service.tables.write(generation_id, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["who"] for row in table] == [f"p{n}" for n in range(len(rows))]
    assert [row["what they said"] for row in table[:80]] == rows[:80]
    assert all(row["theme"] and row["code"] and row["code"] in row["codes"].split("|") for row in table)
    # Four topics that share no words are four codes.
    assert [len({row["code"] for row in table[topic:80:4]}) for topic in range(4)] == [1, 1, 1, 1]
    assert len({row["code"] for row in table[:80]}) == 4


async def test_answers_that_the_model_cannot_read_are_told_of_with_what_to_do(service: Service, tmp_path: Path) -> None:
    said = ("Das Personal war sehr freundlich zu mir", "Ich musste viel zu lange warten", "Das Essen war leider kalt")
    category_id = await imported(service, tmp_path, [f"{text} {n}" for n in range(8) for text in said])

    async with working(service):
        request = GenerationRequest(category_id=category_id, config=GenerationConfig(n_clusters=3, hierarchy="flat"))
        generation_id = (await service.generations.start(request)).generation.id
        await ended(service, generation_id)

    notes = ((await service.generations.get(generation_id)).result or {})["notes"]
    assert any("not seem to be in English" in note and "HOLDFAST_EMBEDDER" in note for note in notes)


async def test_the_order_of_the_rows_does_not_change_the_codes(service: Service, tmp_path: Path) -> None:
    rows = [TOPICS[n % 4].format(n=n) for n in range(60)]
    found: list[dict[str, str]] = []

    async with working(service):
        for turn, order in enumerate((rows, rows[::-1])):
            (tmp_path / str(turn)).mkdir()
            category_id = await imported(service, tmp_path / str(turn), order)
            request = GenerationRequest(category_id=category_id, config=GenerationConfig(n_clusters=4))
            generation_id = (await service.generations.start(request)).generation.id
            await ended(service, generation_id)
            out = tmp_path / f"{turn}.csv"
            await service.tables.write(generation_id, out)
            with out.open(encoding="utf-8-sig", newline="") as file:
                found.append({row["what they said"]: row["codes"] for row in csv.DictReader(file)})

    assert found[0] == found[1]


async def test_answers_without_content_make_a_frame_without_clusters(service: Service, tmp_path: Path) -> None:
    category_id = await imported(service, tmp_path, ["n/a", "don't know", "", "-"] * 5)

    async with working(service):
        request = GenerationRequest(category_id=category_id)
        generation_id = (await service.generations.start(request)).generation.id
        status = await ended(service, generation_id)

    assert (status.status, status.n_clusters) == ("completed", 0)
    assert (await service.generations.hierarchy(generation_id)).n_assigned == 20


async def test_a_cancelled_generation_stays_cancelled_and_has_no_codeframe(service: Service, tmp_path: Path) -> None:
    category_id = await imported(service, tmp_path, [TOPICS[n % 4].format(n=n) for n in range(40)])
    generation_id = (await service.generations.start(GenerationRequest(category_id=category_id))).generation.id

    await service.steering.cancel(generation_id)
    async with working(service):
        async with asyncio.timeout(30):
            while (await service.queue.counts())["completed"] == 0:  # its job ends, as a job without a unit to do
                await asyncio.sleep(0.05)
        status = await service.generations.status(generation_id)

    assert (status.status, status.n_running) == ("cancelled", 0)
    with pytest.raises(Conflict):
        await service.generations.hierarchy(generation_id)
    with pytest.raises(Conflict):
        await service.tables.write(generation_id, tmp_path / "out.csv")


async def test_an_input_that_was_changed_fails_with_the_reason(service: Service, tmp_path: Path) -> None:
    category_id = await imported(service, tmp_path, [f"answer {n}" for n in range(20)])
    generation_id = (await service.generations.start(GenerationRequest(category_id=category_id))).generation.id
    await service.database.run(lambda c: c.execute(text("DELETE FROM holdfast.answers WHERE external_id IS NULL")))

    async with working(service):
        status = await ended(service, generation_id)

    assert status.status == "failed"
    assert status.error is not None
    assert "unchanged input" in status.error["message"]


async def test_what_cannot_be_asked_for_is_refused_with_every_reason(service: Service) -> None:
    config = GenerationConfig(n_clusters=1, hierarchy="deep", model="oracle", min_samples=0)

    with pytest.raises(BadInput) as caught:
        await service.generations.start(GenerationRequest(category_id=1, config=config))

    assert {problem.path for problem in caught.value.problems} == {"n_clusters", "hierarchy", "model", "min_samples"}
    with pytest.raises(NotFound):
        await service.generations.start(GenerationRequest(category_id=1))
