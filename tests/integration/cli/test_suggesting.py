"""`holdfast suggest`: a table that a person fills in, and that is read back as it is."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from tests.service_worker import working

from holdfast.cli.coding import read_examples
from holdfast.cli.suggesting import Asked, write_suggestions
from holdfast.errors import BadInput
from holdfast.service import FileToImport, GenerationConfig, GenerationRequest, Service


async def generated(service: Service, answers: Path) -> UUID:
    source = FileToImport(path=answers, text_column="answer")
    category, _ = await service.imports.import_as_category(source, at_least=10)
    config = GenerationConfig(n_clusters=4, hierarchy="flat")
    request = GenerationRequest(category_id=category.id, config=config)
    async with working(service), asyncio.timeout(60):
        id_ = (await service.generations.start(request)).generation.id
        while not (await service.generations.status(id_)).ended:
            await asyncio.sleep(0.05)  # how often the status is sampled
    return id_


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are counted: quick, and an embedder that has to see codes and answers together."""
    monkeypatch.setattr("holdfast.codeframe.model_files.find_model", lambda **_: None)


async def test_what_a_person_fills_in_is_read_back_and_not_asked_about_again(
    service: Service, real_answers: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generation_id, first, second = await generated(service, real_answers(60)), tmp_path / "1.xlsx", tmp_path / "2.csv"

    await write_suggestions(service.settings, Asked(generation_id=generation_id, out=first, number=8, examples=()))

    assert read_examples(first) == []  # nothing is confirmed before a person has said so
    book = openpyxl.load_workbook(first)
    assert "codeframe" in book.sheetnames
    sheet = book["answers"]
    head = [cell.value for cell in sheet[1]]
    assert head == ["answer", "rows", "theme", "code", "codes", "score"]
    asked = [sheet.cell(row, 1).value for row in range(2, 10)]
    assert (len(set(asked)), sheet.max_row) == (8, 9)
    for row in range(2, 10):
        sheet.cell(row, 5).value = sheet.cell(row, 4).value if row < 9 else "Other"
    book.save(first)
    read = read_examples(first)
    assert [text for text, _ in read] == asked
    assert read[-1][1] == ("Other",)

    strange = tmp_path / "strange.csv"
    strange.write_text("answer,codes\nnobody of them said this,Other\n", encoding="utf-8")
    again = Asked(generation_id=generation_id, out=second, number=8, examples=(first, strange))
    await write_suggestions(service.settings, again)

    assert "8 answers to confirm; confirmed so far: 9" in (said := capsys.readouterr().out)
    assert "1 example with a text that no answer of this generation has" in said
    with pytest.raises(BadInput, match="between 1 and 500"):
        await write_suggestions(
            service.settings, Asked(generation_id=generation_id, out=second, number=501, examples=())
        )
    lines = second.read_text("utf-8-sig").splitlines()
    assert lines[0] == "answer,rows,theme,code,codes,score"
    assert not any(line.startswith(text) for line in lines[1:] for text in asked)
    with pytest.raises(BadInput, match="filled in"):
        await write_suggestions(
            service.settings, Asked(generation_id=generation_id, out=first, number=8, examples=(first,))
        )
