"""Tables written: read back by the programs our users read them with."""

import csv
import errno
import json
import os
import re
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import BadInput
from holdfast.files.answer_files import open_answer_file
from holdfast.files.exporting import ExportRow, FrameRow, check_table_path, write_table

FRAME = [
    FrameRow(number=1001, level=1, theme="Staff", code="", description="d", n_answers=2, share=1.0, quote="kind"),
    FrameRow(number=1, level=2, theme="Staff", code="Kind", description="=d", n_answers=1, share=1 / 3, quote="=q"),
]
SUMMARY = {"answers": "2", "model": "offline"}


def coded(*rows: Sequence[Any], codes: tuple[str, ...] = ("Kind", "Quick")) -> Iterator[ExportRow]:
    for values in rows:
        yield ExportRow(values=tuple(values), theme="Staff", code=codes[0], codes=codes, score=0.75)


def written(path: Path, columns: Sequence[str], *rows: Sequence[Any], **options: Any) -> list[str]:
    return write_table(path, columns=columns, rows=coded(*rows, **options), frame=FRAME, summary=SUMMARY)


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def sheets(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(path).worksheets}


def test_csv_has_one_line_an_answer_with_its_own_columns_first(tmp_path: Path) -> None:
    notes = written(tmp_path / "out.csv", ["id", "text"], [1, "kind, quick"], [2.5, None])

    assert lines(tmp_path / "out.csv") == [
        ["id", "text", "theme", "code", "codes", "score", "code_1: Kind"],
        ["1", "kind, quick", "Staff", "Kind", "Kind|Quick", "0.75", "1"],
        ["2.5", "", "Staff", "Kind", "Kind|Quick", "0.75", "1"],
    ]
    assert notes == []
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel reads UTF-8 only with the mark"


@pytest.mark.parametrize(
    "text", ["=1+1", "@sum(a1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "- good", "\t=1", "\r=1", "\uff1d1"]
)
def test_csv_defuses_what_a_spreadsheet_would_run(tmp_path: Path, text: str) -> None:
    written(tmp_path / "out.csv", [text], [text], codes=(text,))

    assert {cell for line in lines(tmp_path / "out.csv") for cell in (line[0], line[2], line[3]) if text in cell} == {
        f"'{text}"
    }


@pytest.mark.parametrize("text", ["-5", "+3.2", "-1.234,5", "-.5", "-1e5", "-12 %", "a=b", "'=1", "1-2"])
def test_csv_leaves_numbers_and_harmless_texts_as_they_are(tmp_path: Path, text: str) -> None:
    written(tmp_path / "out.csv", ["a", "b"], [text, -5])

    assert lines(tmp_path / "out.csv")[1][:2] == [text, "-5"]


CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\r\n\t"), max_size=20)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_what_csv_wrote_our_own_reader_reads_back(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    written(tmp_path / "out.csv", ["id", "text"], *rows)

    read = [row.values[:2] for row in open_answer_file(tmp_path / "out.csv").rows()]

    assert [tuple(str(cell).removeprefix("'") for cell in values) for values in read] == [
        tuple(cell.removeprefix("'") for cell in values) for values in rows
    ]


def test_xlsx_has_answers_codeframe_and_summary_on_sheets_of_their_own(tmp_path: Path) -> None:
    notes = written(tmp_path / "out.xlsx", ["id", "text"], [7, "=1+1"], [None, "https://example.org"])

    book = sheets(tmp_path / "out.xlsx")

    assert book["answers"] == [
        ("id", "text", "theme", "code", "codes", "score", "code_1: Kind"),
        (7, "=1+1", "Staff", "Kind", "Kind|Quick", 0.75, 1),
        (None, "https://example.org", "Staff", "Kind", "Kind|Quick", 0.75, 1),
    ]
    assert book["codeframe"][0] == ("number", "level", "theme", "code", "description", "answers", "share", "quote")
    assert book["codeframe"][2] == (1, 2, "Staff", "Kind", "=d", 1, 0.3333, "=q")
    assert book["summary"][1:] == [("answers", 2), ("model", "offline")]
    assert notes == []


def test_xlsx_can_be_read_without_dragging_columns(tmp_path: Path) -> None:
    long = "The staff were kind, but I waited for three hours and nobody said why. " * 3
    written(tmp_path / "out.xlsx", ["id", "text"], [7, long], [8, "short"])

    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    answers, frame = book["answers"], book["codeframe"]

    assert [sheet.freeze_panes for sheet in book.worksheets] == ["A2"] * 3
    assert [sheet.auto_filter.ref for sheet in book.worksheets] == ["A1:G3", "A1:H3", "A1:B3"]
    widths = [answers.column_dimensions[name].width for name in "AB"]
    assert widths == [pytest.approx(8, abs=1), pytest.approx(62, abs=1)]
    assert [answers[cell].alignment.wrap_text for cell in ("A2", "B2", "B3")] == [None, True, True]
    assert [frame[cell].number_format for cell in ("F2", "G2")] == ["#,##0", "0.0%"]
    assert [frame[cell].alignment.wrap_text for cell in ("E2", "H2")] == [True, True]
    assert [frame[cell].font.bold for cell in ("C2", "D3")] == [True, False]  # themes stand out
    assert [sheet["A1"].font.bold for sheet in book.worksheets] == [True] * 3


def test_xlsx_holds_no_formula_and_no_link(tmp_path: Path) -> None:
    written(tmp_path / "out.xlsx", ["=a"], ["=1+1"], ["@x"], ["https://example.org"], ["<r>x</r>"])

    cells = [cell for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["answers"].iter_rows() for cell in row]

    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert [cell.hyperlink for cell in cells if cell.hyperlink] == []
    assert [cell.value for cell in cells if str(cell.value).startswith("<r>")] == ["<r>x</r> "]


def test_xlsx_cuts_what_a_cell_cannot_hold_and_says_so(tmp_path: Path) -> None:
    emoji = "\N{SPARKLES}\N{WHITE HEAVY CHECK MARK}\N{GRINNING FACE}" * 15_000
    notes = written(tmp_path / "out.xlsx", ["text"], ["x" * 32_767], ["y" * 50_000], [emoji])

    texts = [str(row[0]) for row in sheets(tmp_path / "out.xlsx")["answers"][1:]]

    assert [len(text.encode("utf-16-le")) // 2 for text in texts] == [32_767, 32_767, 32_766]  # not half an emoji
    assert texts[0] == "x" * 32_767
    assert len(notes) == 1
    assert notes[0].startswith("2 cells were cut")


@pytest.mark.parametrize("value", [10**17, "9" * 17, True, "007", "a\x0bb", float("nan"), ["x"], "\ud800"])
def test_xlsx_keeps_odd_values_readable(tmp_path: Path, value: object) -> None:
    written(tmp_path / "out.xlsx", ["v", "text"], [value, "x"])

    back = next(open_answer_file(tmp_path / "out.xlsx").rows()).values[0]

    assert back == {"[": '["x"]', "\ud800": "\ufffd", "n": None, "1": "1" + "0" * 17}.get(str(value)[0], value)


def test_xlsx_refuses_more_rows_than_a_sheet_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.files.export_workbook.MOST_ROWS", 3)

    with pytest.raises(BadInput, match="as csv or json"):
        written(tmp_path / "out.xlsx", ["a"], *([n] for n in range(3)))

    assert list(tmp_path.iterdir()) == []


def test_json_has_codeframe_answers_and_summary(tmp_path: Path) -> None:
    written(tmp_path / "out.json", ["id", "text"], [1, "=1"], [float("nan"), "ü\ud800"])

    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))

    assert list(document) == ["codeframe", "answers", "summary"]
    assert document["answers"] == [
        {"id": 1, "text": "=1", "theme": "Staff", "code": "Kind", "codes": ["Kind", "Quick"], "score": 0.75},
        {"id": None, "text": "ü\ufffd", "theme": "Staff", "code": "Kind", "codes": ["Kind", "Quick"], "score": 0.75},
    ]
    assert document["codeframe"][0]["theme"] == "Staff"
    assert document["summary"] == SUMMARY


def test_json_of_no_answers_is_still_json(tmp_path: Path) -> None:
    written(tmp_path / "out.json", ["id"])

    assert json.loads((tmp_path / "out.json").read_text())["answers"] == []


def test_a_column_of_the_file_named_like_ours_stays_and_ours_gets_a_suffix(tmp_path: Path) -> None:
    notes = written(tmp_path / "out.csv", ["Code", "theme", "theme (holdfast)"], ["a", "b", "c"])

    assert lines(tmp_path / "out.csv")[0] == [
        "Code",
        "theme",
        "theme (holdfast)",
        "theme (holdfast 2)",
        "code (holdfast)",
        "codes",
        "score",
        "code_1: Kind",
    ]
    assert len(notes) == 2


def test_a_bar_in_the_name_of_a_code_does_not_make_two_codes(tmp_path: Path) -> None:
    written(tmp_path / "out.csv", ["a"], ["x"], codes=("A|B", "C"))

    assert lines(tmp_path / "out.csv")[1][2:4] == ["A|B", "A/B|C"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.txt", ".csv, .html, .json, .sav, .xlsx"),
        ("out", ".csv, .html, .json, .sav, .xlsx"),
        ("no/out.csv", "no folder"),
        ("d.csv", "folder"),
    ],
)
def test_a_path_that_will_not_do_is_refused_before_the_work(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "d.csv").mkdir()

    with pytest.raises(BadInput, match=re.escape(said)):
        check_table_path(tmp_path / name)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_a_crash_on_the_way_leaves_the_file_that_was_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_text("what was there")

    def breaking() -> Iterator[ExportRow]:
        yield from coded(["x"])
        raise ConnectionResetError("the database went away")

    with pytest.raises(ConnectionResetError):
        write_table(path, columns=["a"], rows=breaking(), frame=FRAME, summary=SUMMARY)

    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "what was there"


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))  # writing beyond it fails like a full disk
    try:
        with pytest.raises(BadInput, match="cannot be written"):
            written(tmp_path / "out.csv", ["a"], *(["word " * 100] for _ in range(1_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden parts count


def test_a_folder_that_takes_no_file_is_refused_before_the_work(tmp_path: Path) -> None:
    for path in (Path("/proc/o.csv"), tmp_path / f"{'n' * 300}.csv"):
        with pytest.raises(BadInput, match="choose another path"):
            check_table_path(path)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOENT, errno.ESTALE])
def test_a_file_system_that_fails_on_the_way_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def failing(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)

    with pytest.raises(BadInput, match=f"out.csv cannot be written: {os.strerror(number)}; choose another path"):
        written(tmp_path / "out.csv", ["a"], ["x"])

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden parts count


def test_a_link_keeps_pointing_at_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "real.csv").touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")

    written(tmp_path / "link.csv", ["a"], ["x"])

    assert (tmp_path / "link.csv").is_symlink()
    assert lines(tmp_path / "real.csv")[1][0] == "x"
