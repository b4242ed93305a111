"""What is refused, and whether the message says what to do."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.errors import BadInput
from holdfast.files.answer_files import open_answer_file

Write = Callable[..., Path]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(BadInput) as caught:
        list(open_answer_file(path, **options).rows())
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b" \r\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(csv_file: Write, content: bytes) -> None:
    assert "is empty" in refusal(csv_file(content))


def test_a_header_without_rows_is_refused(csv_file: Write, workbook_file: Write, spss_file: Write) -> None:
    assert "no rows" in refusal(csv_file("id,text\n"))
    assert "no rows" in refusal(workbook_file(s=[["id", "text"]]))
    assert "no rows" in refusal(spss_file([]))


def test_a_column_that_is_not_there_is_refused_with_the_ones_that_are(csv_file: Write) -> None:
    path = csv_file("id,Verbatim\n1,x\n")

    assert "no column 'answer'; the columns are: id, Verbatim" in refusal(path, text_column="answer")
    assert "the columns are: id, Verbatim" in refusal(path, id_column="respondent")


def test_a_table_of_numbers_is_refused_until_a_column_is_named(workbook_file: Write) -> None:
    path = workbook_file(s=[["a", "b"], [1, 2]])

    assert "no column holds text" in refusal(path)
    assert [row.text for row in open_answer_file(path, text_column="b").rows()] == ["2"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"%PDF-1.7 ...", "answers.pdf", "a PDF"),
        (bytes(range(256)) * 8, "answers.csv", "not a table"),
        (OLE + b"\0" * 600, "answers.xls", "old Office format"),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "answers.xlsx", "password"),
        (b"id,text\n1,a\n", "answers.xlsx", "rename it to .csv"),
        (b"id,text\n1,a\n", "answers.sav", "SPSS file but is none"),
        (b"id,text\n1,a\n", "answers.csv.gz", "take off the .gz"),
        (b"PK\x03\x04 and then nothing of a zip", "answers.xlsx", "damaged"),
        (b"\x1f\x8b and then nothing of a gzip", "answers.csv.gz", "damaged"),
        (gzip.compress(b"id,text\n" + b"1,some words\n" * 999, mtime=0)[:-20], "answers.csv.gz", "damaged"),
        (b"$FL2@(#) nothing of an SPSS file", "answers.sav", "cannot be read as an SPSS file"),
    ],
)
def test_what_is_no_table_is_refused_by_name(csv_file: Write, content: bytes, name: str, said: str) -> None:
    message = refusal(csv_file(content, name))

    assert said in message
    assert name in message


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "there is no file nowhere.csv" in refusal(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(("inside", "said"), [(["a.csv"], "unpack it"), (["mimetype", "content.xml"], "OpenDocument")])
def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path, inside: list[str], said: str) -> None:
    path = tmp_path / "answers.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in inside:
            archive.writestr(name, "x")

    assert said in refusal(path)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"])
def test_a_workbook_with_a_damaged_part_is_refused(workbook_file: Write, tmp_path: Path, part: str) -> None:
    whole, broken = workbook_file(s=[["id", "text"], [1, "a"]]), tmp_path / "broken.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name)[:60] if name == part else source.read(name))

    assert "damaged" in refusal(broken)


def test_a_sheet_that_is_not_there_is_refused_with_the_ones_that_are(workbook_file: Write) -> None:
    path = workbook_file(wave1=[["text"], ["x"]], empty=[])

    assert "no sheet 'wave3'; its sheets are: wave1, empty" in refusal(path, sheet="wave3")
    assert "is empty" in refusal(path, sheet="empty")


def test_a_quote_that_swallows_the_rest_of_a_large_file_is_refused(
    csv_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.files.csv_reader.LONGEST_CELL", 5_000)
    path = csv_file('id,text\n1,ok\n2,"never closed\n' + "3,fine\n" * 2_000)

    assert "a quote that is never closed" in refusal(path)


def test_the_message_uses_the_name_the_user_knows(csv_file: Write) -> None:
    assert refusal(csv_file("", "tmp8f3a"), name="wave 3.csv").startswith("wave 3.csv is empty")
