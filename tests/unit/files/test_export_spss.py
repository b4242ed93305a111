"""Tables written for SPSS: read back by ReadStat, which many programs read these files with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.files.coded_files import read_coded_file
from holdfast.files.exporting import ExportRow, FrameRow, write_table
from holdfast.files.spss_format import Variable, case, variable_names


def frame_row(number: int, level: int, theme: str, code: str) -> FrameRow:
    return FrameRow(
        number=number, level=level, theme=theme, code=code, description="", n_answers=1, share=0.5, quote=""
    )


FRAME = [
    frame_row(1001, 1, "Staff", ""),
    frame_row(1, 2, "Staff", "Kind staff"),
    frame_row(7, 2, "Staff", "Größe der Räume"),
    frame_row(995, 1, "Other", "Other"),
]


def written(path: Path, columns: Sequence[str], *rows: tuple[Sequence[Any], tuple[str, ...]]) -> list[str]:
    themes = {row.code: row.theme for row in FRAME if row.code}
    told = [
        ExportRow(values=tuple(values), theme=themes.get(codes[0], ""), code=codes[0], codes=codes, score=0.25)
        for values, codes in rows
    ]
    return write_table(path, columns=columns, rows=told, frame=FRAME, summary={"generation": "g-1"})


def read(path: Path) -> tuple[dict[str, list[Any]], Any]:
    found: tuple[dict[str, list[Any]], Any] = pyreadstat.read_sav(str(path), output_format="dict")
    return found


def test_each_code_is_a_variable_of_one_response_set_and_the_numbers_have_their_names(tmp_path: Path) -> None:
    notes = written(
        tmp_path / "out.sav",
        ["id", "What went well?"],
        ([17, "kind ä"], ("Kind staff", "Größe der Räume")),
        ([2.5, None], ("Other",)),
        ([None, "…"], ("",)),
    )

    values, meta = read(tmp_path / "out.sav")
    assert (notes, meta.number_rows, meta.file_label) == ([], 3, "Holdfast g-1")
    assert values == {
        "id": [17, 2.5, None],
        "What_went_well": ["kind ä", "", "…"],
        "theme": [1001, 995, None],
        "code": [1, 995, None],
        "codes": ["Kind staff|Größe der Räume", "Other", ""],
        "score": [0.25, 0.25, 0.25],
        "code_1": [1, 0, 0],
        "code_7": [1, 0, 0],
        "code_995": [0, 1, 0],
    }
    assert meta.column_names_to_labels["What_went_well"] == "What went well?"
    assert meta.column_names_to_labels["code_7"] == "Größe der Räume"
    assert meta.variable_value_labels["code"] == {1: "Kind staff", 7: "Größe der Räume", 995: "Other"}
    assert meta.variable_value_labels["theme"] == {1001: "Staff", 995: "Other"}
    assert meta.variable_value_labels["code_995"] == {0: "No", 1: "Yes"}
    assert (meta.variable_measure["code"], meta.variable_measure["id"]) == ("nominal", "scale")
    assert meta.mr_sets == {
        "codes": {
            "type": "D",
            "is_dichotomy": True,
            "counted_value": 1,
            "label": "Codes",
            "variable_list": ["code_1", "code_7", "code_995"],
        }
    }


@pytest.mark.parametrize("n", [1, 8, 9, 252, 255, 256, 257, 504, 510, 511, 765, 766, 4096, 32_766, 32_767])
def test_a_text_of_any_length_comes_back_whole(tmp_path: Path, n: int) -> None:
    text = ("abcdefghijklmnopqrstuvwxyz0123456789" * (n // 36 + 1))[: n - 1] + "."

    notes = written(tmp_path / "out.sav", ["text", "after"], ([text, 5], ("Other",)), (["short", -7], ("Other",)))

    values, _ = read(tmp_path / "out.sav")
    assert (values["text"], values["after"], notes) == ([text, "short"], [5, -7], [])


def test_a_text_that_spss_cannot_hold_is_cut_between_characters_and_the_user_told(tmp_path: Path) -> None:
    notes = written(tmp_path / "out.sav", ["text"], (["é" * 20_000], ("Other",)))

    values, _ = read(tmp_path / "out.sav")
    assert values["text"] == ["é" * 16_383]
    assert notes == ["1 cell was cut: SPSS holds 32,767 bytes in one; csv and json keep all"]


def test_a_column_with_one_text_and_ids_too_long_for_a_double_are_text(tmp_path: Path) -> None:
    mixed = ["n", "id", "yes"]

    written(tmp_path / "out.sav", mixed, ([1, 10**17 + 1, True], ("Other",)), (["x", 2, False], ("Other",)))

    values, _ = read(tmp_path / "out.sav")
    assert [values[name] for name in mixed] == [["1", "x"], ["100000000000000001", "2"], [1, 0]]


def test_our_own_reader_takes_the_file_as_answers_and_as_coded_ones(tmp_path: Path) -> None:
    codes = [("Kind staff", "Other"), ("Other",), ("Größe der Räume",)] * 10
    rows = [([n, f"the answer {n} is long enough to be one", "own"], codes[n]) for n in range(30)]
    written(tmp_path / "out.sav", ["id", "answer", "codes"], *rows)

    coded = read_coded_file(tmp_path / "out.sav")

    assert [(row.text, row.codes) for row in coded.rows] == [(values[1], told) for values, told in rows]
    assert coded.id_column == "id"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("age", "age"),
        ("Größe in cm", "Größe_in_cm"),
        ("2024 wave", "v_2024_wave"),
        ("_x", "v__x"),
        ("", "v"),
        ("?!", "v"),
        ("with", "with_2"),
        ("end.", "end"),
        ("a\tb=c", "a_b_c"),
        ("ü" * 40, "ü" * 32),
        ("質問一", "質問一"),
    ],
)
def test_names_are_such_as_spss_takes(wanted: str, name: str) -> None:
    assert variable_names([wanted]) == [name]


@given(st.lists(st.text(max_size=70), max_size=12))
@settings(max_examples=60, deadline=None)
def test_no_two_names_are_the_same_in_any_case(wanted: list[str]) -> None:
    names = variable_names([*wanted, *(text.upper() for text in wanted)])

    assert len({name.upper() for name in names}) == 2 * len(wanted)
    assert all(0 < len(name.encode()) <= 64 and name[0].isalpha() for name in names)


def test_a_row_of_codes_takes_a_byte_a_code() -> None:
    variables = [Variable(name=f"code_{n}") for n in range(16)]

    assert case(variables, [0, 1] * 8) == bytes([100, 101] * 8)
