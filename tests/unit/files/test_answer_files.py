"""What is read from a good file, or one that can be mended."""

import csv
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import BadInput
from holdfast.files.answer_files import AnswerFile, open_answer_file

Write = Callable[..., Path]


def texts(file: AnswerFile) -> list[str]:
    return [row.text for row in file.rows()]


def noted(file: AnswerFile) -> str:
    return "\n".join(file.notes)


def test_every_row_comes_in_order_with_its_own_columns(csv_file: Write) -> None:
    file = open_answer_file(csv_file("id,answer,age\n7,Great staff,44\n8,,61\n"))

    rows = list(file.rows())

    assert file.columns == ("id", "answer", "age")
    assert [(row.position, row.external_id, row.text) for row in rows] == [(0, "7", "Great staff"), (1, "8", "")]
    assert rows[0].values == ("7", "Great staff", "44")
    assert file.notes == []


def test_guessed_ids_that_repeat_are_not_taken_for_ids_and_asked_for_ones_are(csv_file: Write) -> None:
    path = csv_file("id,answer\n7,Great staff\n8,Good food\n7,Kind\n,\n,\n")

    guessed, asked_for = open_answer_file(path), open_answer_file(path, id_column="id")

    assert [row.external_id for row in guessed.rows()] == [None] * 5
    assert "column 'id' repeats" in noted(guessed)
    assert [row.external_id for row in asked_for.rows()] == ["7", "8", "7", None, None]
    assert asked_for.notes == []


def test_a_file_is_read_as_often_as_one_asks_and_its_notes_are_said_once(csv_file: Write) -> None:
    file = open_answer_file(csv_file("text,age\ngood\0,4\nshort\n"))

    assert texts(file) == texts(file) == ["good", "short"]
    assert len(file.notes) == len(set(file.notes)) == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(csv_file: Write, delimiter: str) -> None:
    lines = [["nr", "comment", "x"], ["1", "good, but; slow", ""], ["2", "fine", "y"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(lines)

    assert [list(row.values) for row in open_answer_file(csv_file(out.getvalue())).rows()] == lines[1:]


def test_a_file_with_one_column_keeps_the_commas_of_its_answers(csv_file: Write) -> None:
    file = open_answer_file(csv_file('answer\nGood, really, "nice" staff\nSlow; dirty\n'))

    assert texts(file) == ['Good, really, "nice" staff', "Slow; dirty"]
    assert file.notes == []


def test_the_line_with_which_excel_names_the_delimiter_is_no_row(csv_file: Write) -> None:
    file = open_answer_file(csv_file("sep=;\r\nid;text\r\n1;a,b\r\n"))

    assert [row.values for row in file.rows()] == [("1", "a,b")]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-32", ""), ("utf-16-le", "UTF-16"), ("cp1252", "cp1252")],
)
def test_the_encoding_is_found_and_a_guess_is_said(csv_file: Write, encoding: str, said: str) -> None:
    file = open_answer_file(csv_file("id,text\n1,Café naïve “gut” €\n".encode(encoding)))

    assert texts(file) == ["Café naïve “gut” €"]
    assert said in noted(file)
    assert bool(file.notes) == bool(said)


def test_a_file_that_stops_being_utf8_after_its_first_megabytes_is_read_to_the_end(csv_file: Write) -> None:
    start = "text,n\n" + "Schön war es,1\n" * 150_000
    file = open_answer_file(csv_file(start.encode() + "Café,2\n".encode("cp1252")))

    rows = texts(file)

    assert len(rows) == 150_001
    assert (rows[0], rows[-1]) == ("Schön war es", "Café")
    assert "UTF-8 but for 1 byte;" in noted(file)


def test_nul_characters_are_removed_and_said(csv_file: Write) -> None:
    file = open_answer_file(csv_file("t\0ext,n\ngo\0od\0,1\n"))

    assert file.columns == ("text", "n")
    assert texts(file) == ["good"]
    assert "NUL characters were removed" in noted(file)


def test_answers_of_many_lines_and_of_many_characters_stay_whole(csv_file: Write) -> None:
    long = "word " * 60_000
    file = open_answer_file(csv_file(f'text,n\n"one\r\ntwo\n""three""",1\n"{long}",2\n'))

    assert texts(file) == ['one\r\ntwo\n"three"', long]


def test_a_row_with_too_many_cells_loses_nothing_and_one_with_too_few_is_filled(csv_file: Write) -> None:
    file = open_answer_file(csv_file("id,text\n1,slow, but good\n2\n3,fine,,\n4,ok\n"))

    assert [row.values for row in file.rows()] == [("1", "slow, but good"), ("2", ""), ("3", "fine"), ("4", "ok")]
    assert "1 row had more cells" in noted(file)
    assert "1 row had fewer cells" in noted(file)


def test_blank_lines_are_skipped_and_said_but_not_the_ones_at_the_end(csv_file: Write) -> None:
    ended = open_answer_file(csv_file("id,text\n1,a\n\n\n"))
    broken = open_answer_file(csv_file("id,text\n1,a\n\n2,b\n", "broken.csv"))

    assert (texts(ended), ended.notes) == (["a"], [])
    assert (texts(broken), broken.notes) == (["a", "b"], ["blank lines were skipped"])


def test_a_quote_that_stays_open_for_long_is_said(csv_file: Write) -> None:
    file = open_answer_file(csv_file('id,text\n1,"never closed\n' + "2,fine\n" * 300))

    assert len(texts(file)) == 1
    assert "is a quote open?" in noted(file)


def test_repeated_and_missing_column_names_are_told_apart(csv_file: Write) -> None:
    file = open_answer_file(csv_file("text,x,x,,x (2)\na,b,c,d,e\n"))

    assert file.columns == ("text", "x", "x (3)", "column 4", "x (2)")
    assert "'x (3)'" in noted(file)
    assert "'column 4'" in noted(file)


def test_the_column_is_found_in_any_case_but_an_exact_name_wins(csv_file: Write) -> None:
    path = csv_file("Text,text,Respondent\nA,b,1\n")

    assert open_answer_file(path, text_column="text").text_column == "text"
    assert open_answer_file(path, text_column="Text").text_column == "Text"
    assert open_answer_file(path, id_column="respondent").id_column == "Respondent"


@pytest.mark.parametrize("header", ["Verbatim", "Free text", "ANSWER", "response_text", "Comments"])
def test_a_column_with_a_known_name_is_taken_without_a_word(csv_file: Write, header: str) -> None:
    file = open_answer_file(csv_file(f"about,{header}\nA very long description of the respondent,ok\n"))

    assert (file.text_column, file.notes) == (header, [])


def test_without_a_known_name_the_column_with_the_most_words_is_taken_and_said(csv_file: Write) -> None:
    row = "6f1e2d3c-aaaa-bbbb-cccc-ddddeeeeffff,2026-01-01 10:00:00,Nice staff,Hospital"
    file = open_answer_file(csv_file("key,when,q7,place\n" + f"{row}\n" * 3))

    assert file.text_column == "q7"
    assert "'q7'" in noted(file)


def test_an_id_column_is_used_when_its_name_says_so_and_empty_ids_are_none(csv_file: Write) -> None:
    file = open_answer_file(csv_file("Respondent ID,text\n a1 ,x\n,y\n"))

    assert [row.external_id for row in file.rows()] == ["a1", None]
    assert open_answer_file(csv_file("number,text\n1,x\n")).id_column is None


def test_a_gzipped_file_is_read_whatever_it_is_called(csv_file: Write) -> None:
    packed = gzip.compress(b"id\ttext\n1\tgood, fine\n")

    assert texts(open_answer_file(csv_file(packed, "answers.tsv.gz"))) == ["good, fine"]
    assert texts(open_answer_file(csv_file(packed, "upload-17"), name="mine.tsv")) == ["good, fine"]


def test_numbers_and_dates_of_a_workbook_keep_their_type_where_json_can_hold_it(workbook_file: Write) -> None:
    path = workbook_file(
        survey=[
            ["id", "text", "n", "share", "day", "at", "ok", None],
            [1, "good_x000D_\n", 5, 0.5, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5), True],  # noqa: DTZ001
            [None],
            [2.0, 17, None, None, None, None, False],
        ]
    )
    file = open_answer_file(path)

    first, second = file.rows()

    assert file.columns == ("id", "text", "n", "share", "day", "at", "ok")
    assert first.values == (1, "good\r\n", 5, 0.5, "2026-01-02", "2026-01-02T03:04:05", True)
    assert (second.external_id, second.text, second.values[2]) == ("2", "17", None)
    assert file.notes == ["blank rows were skipped"]


def test_the_first_sheet_with_rows_is_read_or_the_one_asked_for(workbook_file: Write) -> None:
    path = workbook_file(empty=[], wave1=[["text"], ["one"]], Wave2=[["text"], ["two"]])

    guessed = open_answer_file(path, name="upload.bin")

    assert (texts(guessed), texts(open_answer_file(path, sheet="wave2"))) == (["one"], ["two"])
    assert "'wave1'" in noted(guessed)


def test_a_row_of_a_workbook_that_is_longer_than_the_header_loses_nothing(workbook_file: Write) -> None:
    file = open_answer_file(workbook_file(s=[["id", "text"], [1, "a", "b"]]))

    assert [row.values for row in file.rows()] == [(1, "a b")]


def test_an_spss_file_is_read_in_chunks(spss_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.files.spss_reader._CELLS", 1)
    rows = [(n, 1 + n, f"Ärger {n}") for n in range(2_500)]
    file = open_answer_file(spss_file([*rows, (None, 0, "")]))

    read = list(file.rows())

    assert (file.columns, file.text_column, file.id_column) == (("ID", "DAY", "ANSWER"), "ANSWER", "ID")
    assert len(read) == 2_501
    assert read[2_499].values == (2_499, str(date(1582, 10, 14) + timedelta(days=2_500)), "Ärger 2499")
    assert (read[-1].external_id, read[-1].text) == (None, "")


CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\r\n\t\v\x85"), max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_whatever_a_csv_writer_wrote_is_read_back(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("a", "text", "c"), *rows])

    assert [row.values for row in open_answer_file(path).rows()] == rows


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=300))
def test_no_bytes_make_the_reader_fail_in_a_way_the_user_cannot_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(b"text,n\n" + content)

    rows = -1
    with suppress(BadInput):
        rows = sum(1 for _ in open_answer_file(path).rows())

    assert rows != 0


READ_ALL = """
import resource, sys
from pathlib import Path
from holdfast.files.answer_files import open_answer_file

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)

before = peak()
print(sum(1 for _ in open_answer_file(Path(sys.argv[1])).rows()), peak() - before)
"""


def test_300_000_rows_are_read_without_holding_them(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("id,text,group\n")
        out.writelines(
            f'{n},"Answer number {n} with some words, été, and a bit more",g{n % 7}\n' for n in range(300_000)
        )
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run([sys.executable, "-c", READ_ALL, path], env=here, capture_output=True, text=True, check=True)

    count, grown_kb = map(int, done.stdout.split())
    assert count == 300_000
    assert grown_kb < 40_000, f"{grown_kb:,} KB for a file of {path.stat().st_size // 1024:,} KB"
