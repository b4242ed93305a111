"""`holdfast evaluate`: which rows are compared, what is said of the others, what is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.app import app
from holdfast.errors import BadInput
from holdfast.files import ExportRow, FrameRow, write_table

OURS = (("1", "Kind staff", "Staff", "Staff|Food"), ("2", "Cold soup", "Food", "Food"), ("3", "Nice", "Staff", "Staff"))


@pytest.fixture(params=["ours.csv", "ours.xlsx", "ours.json"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A table as `holdfast generate` writes it."""
    path = tmp_path / request.param
    frame = [
        FrameRow(number=n, level=1, theme=name, code=name, description="", n_answers=1, share=0.3, quote="")
        for n, name in ((1, "Staff"), (2, "Food"))
    ]
    rows = [
        ExportRow(values=(key, text), theme=code, code=code, codes=tuple(codes.split("|")), score=0.9)
        for key, text, code, codes in OURS
    ]
    write_table(path, columns=["id", "answer"], rows=rows, frame=frame, summary={"stability": "0.66"})
    return path


def written(folder: Path, text: str) -> Path:
    path = folder / "human.csv"
    path.write_text(text, encoding="utf-8")
    return path


def told(ours: Path, human: Path, *options: str) -> dict[str, object]:
    done = CliRunner().invoke(app, ["evaluate", str(ours), "--against", str(human), "--json", *options])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_our_own_export_is_compared_by_id_and_what_is_left_out_is_said(ours: Path, tmp_path: Path) -> None:
    human = written(tmp_path, "id,codes\n3,\n9,Food\n2,Food; Price\n1,staff |Food\n")

    found = told(ours, human)

    assert (found["n"], found["matched_by"]) == (2, "id")
    assert found["micro_precision"] == 1.0
    assert found["micro_recall"] == pytest.approx(3 / 4)
    assert found["notes"] == [
        "1 answer only in human.csv: left out",
        f"1 answer of {ours.name} without a person's code",
        "1 row of human.csv with no code, or the same answer again",
    ]


def test_without_ids_the_answers_texts_bring_the_rows_together(ours: Path, tmp_path: Path) -> None:
    found = told(ours, written(tmp_path, "answer,code\nkind  STAFF,Staff\nNice,Food\n"))

    assert (found["n"], found["matched_by"], found["accuracy"]) == (2, "text", 0.5)


def test_codes_of_other_names_are_matched_when_asked(ours: Path, tmp_path: Path) -> None:
    human = written(tmp_path, "id,label\n1,people\n2,meals\n3,people\n")

    assert told(ours, human)["accuracy"] == 0.0
    matched = told(ours, human, "--match")
    assert matched["accuracy"] == 1.0
    assert matched["matching"] == {"Food": "meals", "Staff": "people"}


@pytest.mark.parametrize("ours", ["ours.json"], indirect=True)  # the other tables do not hold the codes' numbers
def test_numbers_stand_for_the_codes_of_our_json(tmp_path: Path, ours: Path) -> None:
    assert told(ours, written(tmp_path, "id,code\n1,1\n2,2\n3,1\n"))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("human", "message"),
    [
        ("id,codes\n7,Food\n", "same survey"),
        ("id,codes\n1,\n", "no row with a code"),
        ("id,verdict\n1,Food\n", "no column called codes"),
        ("number,codes\n1,Food\n", "neither a column with ids"),
    ],
)
def test_what_cannot_be_compared_is_refused(ours: Path, tmp_path: Path, human: str, message: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(ours), "--against", str(written(tmp_path, human))])

    assert isinstance(done.exception, BadInput)
    assert message in str(done.exception)


def test_a_person_reads_the_figures_as_a_table(ours: Path, tmp_path: Path) -> None:
    human = written(tmp_path, "id,codes\n1,Staff\n2,Price\n3,Staff\n")

    done = CliRunner().invoke(app, ["evaluate", str(ours), "--against", str(human)])

    assert "3 answers compared, matched by id" in done.stdout
    assert "1 x ours Food, theirs Price" in done.stdout
    assert ("stability 0.66: how far" in done.stdout) == (ours.suffix != ".csv")  # which has no summary


@pytest.mark.parametrize("ours", ["ours.json", "ours.xlsx"], indirect=True)
def test_the_stability_of_the_codeframe_is_told_where_the_file_has_it(ours: Path, tmp_path: Path) -> None:
    human = written(tmp_path, "id,codes\n1,Staff\n")

    assert told(ours, human)["stability"] == 0.66
    assert told(human, ours)["stability"] is None  # the person's file has none, and theirs is not asked for
