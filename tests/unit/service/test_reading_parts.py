"""The label of a large cluster, where replies about some of its parts cannot be used."""

from typing import Any
from uuid import UUID

import pytest

from holdfast.codeframe import Brief, ClusterLabel, MapPoint
from holdfast.errors import BadReply
from holdfast.service import GenerationConfig
from holdfast.service.asking import Asking, Question, first_usable
from holdfast.service.labelling import Labelling
from holdfast.store.units import OwedUnit, UnitRef

BRIEF = Brief(k=3, n_answers=8, n_distinct=8, cohesion=0.5, exemplars=(), outsiders=(), neighbours=(), phrases=())
LABEL = ClusterLabel(k=3, name="Parking", description="", confidence=1.0, keyphrases=(), exemplars=(0,))
MAPS = [f"label/3/map/{place}" for place in range(4)]


class Journal(Asking):
    """Replies as they were recorded: a step is bought once, and some of them are of no use."""

    def __init__(self, *bad: str) -> None:
        self.bad, self.bought, self.shown = set(bad), list[str](), ""

    async def ask(self, unit: OwedUnit, worker: str, asked: Question[Any]) -> Any:
        self.shown = asked.request.user
        return await first_usable(unit, asked.step, lambda step: self.ask_step(unit, worker, asked, step))

    async def ask_step(self, unit: OwedUnit, worker: str, asked: Question[Any], step: str) -> Any:
        if step not in self.bought:
            self.bought.append(step)
        if step in self.bad:
            raise BadReply("no use", kind="wrong_schema")
        name = f"point of {step}"
        return (MapPoint(name=name, description="", n=1, of=2, examples=(1,)),) if "/map/" in step else LABEL


async def label(journal: Journal, *, retries: int = 0) -> ClusterLabel:
    unit = OwedUnit(
        ref=UnitRef(id=1, generation_id=UUID(int=1), stage="label", ordinal=3, round=retries),
        input={"parts": [[{"distinct": n, "text": f"answer {n}", "weight": 1}] for n in range(4)]},
        config=GenerationConfig(model="openai:m").to_json(),
        category_id=1,
        retries=retries,
        resumes=0,
    )
    return await Labelling(journal).by_parts(unit, "w", BRIEF, question=None)


async def test_a_label_is_made_of_the_parts_that_could_be_read_if_these_are_half_of_them() -> None:
    journal = Journal(MAPS[1], MAPS[2])

    found = await label(journal)

    assert (found.name, found.unread) == ("Parking", 2)
    assert journal.bought == [*MAPS, "label/3"]
    assert [f"point of {step}" in journal.shown for step in MAPS] == [True, False, False, True]


async def test_of_fewer_parts_no_label_is_made_and_a_retry_buys_only_the_bad_ones() -> None:
    journal = Journal(*MAPS[:3], f"{MAPS[1]}/again-1")
    with pytest.raises(BadReply):
        await label(journal)
    first = list(journal.bought)

    found = await label(journal, retries=1)

    assert first == MAPS
    assert journal.bought == [*MAPS, *(f"{step}/again-1" for step in MAPS[:3]), "label/3"]
    assert found.unread == 1


async def test_a_retry_of_the_label_asks_for_no_part_again() -> None:
    journal = Journal(MAPS[0], "label/3")
    with pytest.raises(BadReply):
        await label(journal)

    found = await label(journal, retries=1)

    assert journal.bought == [*MAPS, "label/3", "label/3/again-1"]
    assert found.unread == 1
