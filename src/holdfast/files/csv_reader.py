"""Tables in text: csv and tsv, plain or gzipped, read in one pass with bounded memory."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from holdfast.errors import BadInput
from holdfast.files.source_table import HEAD, Notes, empty
from holdfast.files.text_encoding import TextForm, find_form

LONGEST_CELL = 16_000_000  # characters; a cell beyond this is a quote that nobody closed
_SUSPICIOUS_LINES = 200  # one record over so many lines is said to the user
_SAMPLE = 1 << 18  # characters that decide the delimiter
_DELIMITERS = ",;\t|"
_NONE = "\x1f"  # the delimiter of a file with one column: its commas are text
_SEP_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n", re.IGNORECASE)  # what Excel writes to say the delimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """A csv or tsv file: its encoding and delimiter are known, its records are not in memory."""

    path: Path
    name: str
    zipped: bool
    form: TextForm
    delimiter: str
    told: bool  # the first line only says the delimiter
    header: Sequence[str]
    head: Sequence[Sequence[str]]
    notes: Notes
    blank: str = ""

    @property
    def encoding(self) -> str:
        return self.form.encoding

    @property
    def joiner(self) -> str:
        return self.delimiter

    def records(self) -> Iterator[list[str]]:
        with _readable(self.name), _open(self.path, zipped=self.zipped) as raw:
            yield from islice(self._parse(raw), 1, None)

    def _parse(self, raw: BinaryIO) -> Iterator[list[str]]:
        lines = self.form.mend(_text(raw, self.form))
        if self.told:
            next(lines)
        yield from _records(lines, self.delimiter, self.notes)


def open_csv(path: Path, *, name: str, zipped: bool, notes: Notes) -> CsvTable:
    """Find out encoding, delimiter and header; one cheap pass over the bytes, then a sample of the text."""
    with _readable(name), _open(path, zipped=zipped) as raw:
        form = find_form(raw, name)
    with _readable(name), _open(path, zipped=zipped) as raw:
        sample = "".join(form.mend([_text(raw, form).read(_SAMPLE)]))
    told = _SEP_LINE.match(sample)
    body = sample[told.end() :] if told else sample
    if not body.strip("\ufeff\0 \t\r\n"):
        raise empty(name)
    delimiter = told[1] if told else _find_delimiter(body, whole=len(sample) < _SAMPLE, tabs=".tsv" in name.lower())
    with _readable(name):
        header, *head = islice(_records(io.StringIO(body, newline=""), delimiter, Notes()), HEAD + 1)
    if form.note:
        notes.say(form.note)
    return CsvTable(
        path=path,
        name=name,
        zipped=zipped,
        form=form,
        delimiter=delimiter,
        told=told is not None,
        header=header,
        head=head,
        notes=notes,
    )


def _records(lines: Iterator[str], delimiter: str, notes: Notes) -> Iterator[list[str]]:
    """The records of the lines; lines with nothing on them are no records."""
    reader = csv.reader(_without_nul(lines, notes), delimiter=delimiter)
    blank = line = 0
    for record in reader:
        if reader.line_num - line > _SUSPICIOUS_LINES:
            notes.say(f"the record at line {line + 1:,} runs over {reader.line_num - line:,} lines: is a quote open?")
        line = reader.line_num
        if not record:
            blank += 1
            continue
        if blank:
            notes.say("blank lines were skipped")
            blank = 0
        yield record


def _without_nul(lines: Iterator[str], notes: Notes) -> Iterator[str]:
    """The lines without NUL characters, which neither a database nor a workbook can hold."""
    for line in lines:
        if "\0" in line:
            notes.say("NUL characters were removed")
            yield line.replace("\0", "")
        else:
            yield line


def _find_delimiter(body: str, *, whole: bool, tabs: bool) -> str:
    """The delimiter under which the records fit the header best; none of them: the file has one column."""
    order = "\t,;|" if tabs else _DELIMITERS
    scores = {delimiter: _fit(body, delimiter, whole=whole) for delimiter in order}
    best = max(order, key=lambda delimiter: scores[delimiter])
    return best if scores[best][0] >= 0.5 else _NONE


def _fit(body: str, delimiter: str, *, whole: bool) -> tuple[float, int]:
    """How well the records fit the header: 1 for as many cells, half for more; and the header's width."""
    records: list[list[str]] = []
    with suppress(csv.Error):  # reading the records will meet it again and say it
        records.extend(filter(None, csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)))
    if not whole and len(records) > 2:
        records.pop()  # the sample ends inside it
    widths = [len(record) for record in records]
    if not widths or widths[0] < 2:
        return 0.0, 0
    rest = widths[1:] or widths
    return sum(1.0 if n == widths[0] else 0.5 if n > widths[0] else 0.0 for n in rest) / len(rest), widths[0]


def _open(path: Path, *, zipped: bool) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")


def _text(raw: BinaryIO, form: TextForm) -> io.TextIOWrapper:
    return io.TextIOWrapper(raw, encoding=form.encoding, errors=form.errors, newline="")


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turns what can go wrong with a file's bytes into words for the user."""
    csv.field_size_limit(LONGEST_CELL)  # one limit for the whole process, 131,072 characters unless set
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{name} is damaged or cut off and cannot be unpacked ({error}); get it again") from error
    except csv.Error as error:
        raise BadInput(f"{name} cannot be read as a table ({error}); look for a quote that is never closed") from error
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror or error}") from error
