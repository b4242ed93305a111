"""Each code as a column of 0s and 1s, in csv, xlsx and sav: the same columns, and none that a reader mistakes."""

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import openpyxl
import pyreadstat
import pytest
import xlsxwriter

from holdfast.files import CodedFile, ExportRow, FrameRow, read_coded_file, write_table
from holdfast.files.binary_sheet import BinarySheet

NUMBERS = {
    "Kind staff": 7,
    "text": 1,
    "id": 3,
    "codes": 2,
    "=1+1": 4,
    "Clean; quiet | bright, and much else that people say here": 12,
    "Other": 995,
    "No answer": 999,
}
CODES = [("Kind staff", "=1+1"), ("Other",), (), ("No answer",), ("codes", "text", "id"), ("not in the frame",)]
EXPECTED = [
    [1, 0, 0, 0, 1, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 1],
    [0, 1, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
]


def frame_row(number: int, name: str, *, theme: bool = False) -> FrameRow:
    code = "" if theme else name
    return FrameRow(number=number, level=1, theme=name, code=code, description="", n_answers=1, share=0, quote="")


FRAME = [frame_row(1001, "A theme", theme=True), *(frame_row(number, name) for name, number in NUMBERS.items())]


def export(path: Path, columns: Sequence[str] = ("key", "said"), *, has_code_columns: bool = True) -> list[str]:
    """120 answers, each with two columns of its own, or as many as there are names."""
    rows = [
        ExportRow(
            values=(f"k{n}", f"the answer {n} in words", *["own"] * (len(columns) - 2)),
            theme="A theme",
            code=next(iter(CODES[n % 6]), ""),
            codes=CODES[n % 6],
            score=0.5,
        )
        for n in range(120)
    ]
    return write_table(
        path, columns=columns, rows=iter(rows), frame=FRAME, summary={}, has_code_columns=has_code_columns
    )


def table(path: Path) -> list[list[object]]:
    if path.suffix == ".csv":
        return [list(row) for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]
    return [list(row) for row in openpyxl.load_workbook(path)["answers"].iter_rows(values_only=True)]


@pytest.mark.parametrize(("name", "as_cell"), [("out.csv", str), ("out.xlsx", int)])
def test_each_code_is_a_column_after_ours_in_the_order_of_the_frame(
    tmp_path: Path, name: str, as_cell: Callable[[int], object]
) -> None:
    notes = export(tmp_path / name)

    header, *rows = table(tmp_path / name)
    assert header[:6] == ["key", "said", "theme", "code", "codes", "score"]
    assert header[6:] == [f"code_{number}: {code}" for code, number in NUMBERS.items()]
    assert [row[6:] for row in rows] == [list(map(as_cell, each)) for each in EXPECTED] * 20
    assert notes == []


def test_the_spss_file_has_the_same_columns_in_the_same_order(tmp_path: Path) -> None:
    export(tmp_path / "out.csv")
    export(tmp_path / "out.sav")

    values, meta = pyreadstat.read_sav(str(tmp_path / "out.sav"), output_format="dict")

    header, *rows = table(tmp_path / "out.csv")
    variables = meta.column_names[6:]
    assert [f"{each}: {meta.column_names_to_labels[each]}" for each in variables] == header[6:]
    assert [[str(int(values[each][n])) for each in variables] for n in range(120)] == [row[6:] for row in rows]


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
@pytest.mark.parametrize(
    "columns", [("key", "text"), ("id", "said"), ("id", "answer", "codes"), ("id", "text", "id_2")]
)
def test_a_table_with_these_columns_is_read_as_one_without(tmp_path: Path, name: str, columns: tuple[str, ...]) -> None:
    (tmp_path / "bare").mkdir()
    export(tmp_path / "bare" / name, columns, has_code_columns=False)
    export(tmp_path / name, columns)

    told, bare = read_coded_file(tmp_path / name), read_coded_file(tmp_path / "bare" / name)

    assert known(told) == known(bare)
    assert [row.codes for row in told.rows[:2]] == [("Kind staff", "=1+1"), ("Other",)]
    assert len(told.columns) == len(bare.columns) + len(NUMBERS)


def known(file: CodedFile) -> tuple[object, ...]:
    rows = [(row.id, row.text, row.codes) for row in file.rows]
    return file.codes_column, file.id_column, file.text_column, rows, file.stability, file.notes


def test_a_table_that_is_coded_again_keeps_its_columns_and_ours_get_a_suffix(tmp_path: Path) -> None:
    own = ("key", "said", "CODE_7: kind staff", "code_995: Other", "code_995: Other (holdfast)")

    notes = export(tmp_path / "out.csv", own)

    header = table(tmp_path / "out.csv")[0]
    assert header[:5] == list(own)
    assert [name for name in header[9:] if "(holdfast" in str(name)] == [
        "code_7: Kind staff (holdfast)",
        "code_995: Other (holdfast 2)",
    ]
    assert notes == ["the file has columns of its own called like ours of the codes; ours end in '(holdfast)'"]


def test_a_json_table_has_the_codes_as_a_list_and_no_such_columns(tmp_path: Path) -> None:
    notes = export(tmp_path / "out.json", ("key", "code_995: Other"))

    assert "code_7: " not in (tmp_path / "out.json").read_text("utf-8")
    assert notes == [], "nothing is called otherwise"


def test_a_workbook_s_0s_and_1s_look_like_the_cells_beside_them(tmp_path: Path) -> None:
    export(tmp_path / "out.xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["answers"]

    assert (sheet.dimensions, sheet.auto_filter.ref) == ("A1:N121", "A1:N121")
    assert {cell.data_type for row in sheet["G2:N121"] for cell in row} == {"n"}
    assert [sheet[cell].alignment.vertical for cell in ("F2", "G2", "N121")] == ["top"] * 3
    assert sheet["L1"].alignment.wrap_text, "names are longer than the column is wide"


def test_no_row_loses_its_0s_and_1s_unsaid_when_xlsxwriter_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    book = xlsxwriter.Workbook(io.BytesIO(), {"constant_memory": True})
    sheet, form = book.add_worksheet("answers", BinarySheet), book.add_format()
    monkeypatch.delattr(BinarySheet, "_xml_end_tag")
    put = partial(sheet.end_row, column=1, values=[0, 1], form=form)
    sheet.write_number(1, 0, 5)
    put(1)
    sheet.write_number(2, 0, 5)

    with pytest.raises(RuntimeError, match="columns would be lost"):
        put(2)
