"""New answers coded with last wave's frame: files in, a table and a report out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.codeframe import (
    OTHER_NAME,
    OTHER_NUMBER,
    RULES,
    KnownCode,
    Taught,
    Wave,
    code_wave,
    compared_with,
    drift,
    open_embedder,
    weak_examples,
)
from holdfast.errors import BadInput
from holdfast.files import (
    AnswerFile,
    AnswerRow,
    CodedFile,
    ExportRow,
    FrameRow,
    open_answer_file,
    read_coded_file,
    write_table,
)
from holdfast.settings import Settings

SURE = 0.05  # a share moved when chance would do it less often than this
RESERVED = frozenset({OTHER_NUMBER, *(rule.number for rule in RULES.values())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """What `holdfast code` was asked for."""

    file: Path
    frame: Path
    examples: Path | None
    out: Path
    text_column: str | None


class Frame:
    """Last wave's codes, by number and by name, and what its answers were coded to."""

    def __init__(self, file: CodedFile, name: str) -> None:
        if not file.frame:
            raise BadInput(f"{name} has no codeframe; write it with `holdfast table ID --out FRAME.json`")
        self.rows = {row.number: row for row in file.frame if row.code and row.number not in RESERVED}
        if not self.rows:
            raise BadInput(f"the codeframe in {name} has no codes")
        self.shown = file.frame
        self.answers = file.rows
        self._numbers = {row.code.replace("|", "/").casefold(): number for number, row in self.rows.items()}
        self._numbers |= {row.code.casefold(): number for number, row in self.rows.items()}

    @property
    def codes(self) -> list[KnownCode]:
        return [KnownCode(number=n, name=row.code, description=row.description) for n, row in self.rows.items()]

    def numbers(self, codes: Iterable[str]) -> tuple[int, ...]:
        """Those of these codes, given as names or numbers; raises BadInput for one the frame does not have."""
        found = []
        for code in codes:
            number = int(code) if code.isdecimal() else self._numbers.get(code.casefold(), -1)
            if number in self.rows:
                found.append(number)
            elif number not in RESERVED and code.casefold() not in _SET_ASIDE:
                raise BadInput(f"the frame has no code {plain(code)!r}; use its names or numbers, or Other")
        return tuple(found)


_SET_ASIDE = {OTHER_NAME.casefold(), *(rule.name.casefold() for rule in RULES.values())}


def code_file(settings: Settings, asked: Coding) -> int:
    """`holdfast code`. Raises BadInput."""
    console = screen()
    frame = Frame(_frame_file(asked.frame), asked.frame.name)
    file = open_answer_file(asked.file, text_column=asked.text_column)
    confirmed = _confirmed(asked.examples, frame)
    rows = list(file.rows())
    for note in file.notes:
        console.print(f"note: {plain(note)}")
    embedder = open_embedder(settings.embedder, models=settings.models, cache=settings.cache / "models")
    coded = (Taught(text=row.text, numbers=frame.numbers(row.codes)) for row in frame.answers)
    taught = [*confirmed, *weak_examples(coded, confirmed)]
    before = compared_with([row.text for row in frame.answers])
    wave = code_wave([row.text for row in rows], frame.codes, taught, embedder, before=before)
    _write(asked.out, file, rows, wave, frame)
    _tell(console, wave, frame)
    console.print(f"{counted(len(rows), 'answer')} coded, {counted(len(confirmed), 'confirmed example')}")
    console.print(f"written to {asked.out}", soft_wrap=True)
    return 0


def _frame_file(path: Path) -> CodedFile:
    if path.suffix.lower() != ".json":
        raise BadInput(f"{path.name} must be the .json of a codeframe: `holdfast table ID --out FRAME.json`")
    return read_coded_file(path)


def read_examples(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Texts and codes of the rows that a person filled in. Raises BadInput."""
    file = read_coded_file(path)
    if file.text_column is None:
        raise BadInput(f"{path.name} has no column of answers, called text or answer; examples need their texts")
    return [(_kept(row.text), tuple(map(_kept, row.codes))) for row in file.rows if row.codes]


def _kept(text: str) -> str:
    """The text as a database keeps it: only a .json can hold more."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _confirmed(path: Path | None, frame: Frame) -> list[Taught]:
    if path is None:
        return []
    return [Taught(text=text, numbers=frame.numbers(codes)) for text, codes in read_examples(path)]


def _write(path: Path, file: AnswerFile, rows: Sequence[AnswerRow], wave: Wave, frame: Frame) -> None:
    coded, now = wave.now.complete, wave.now
    names = {OTHER_NUMBER: OTHER_NAME} | {rule.number: rule.name for rule in RULES.values()}
    names |= {number: row.code for number, row in frame.rows.items()}
    themes = {number: row.theme for number, row in frame.rows.items()}
    exported = [
        ExportRow(
            values=row.values,
            theme=themes.get(numbers[0], names[numbers[0]]),
            code=names[numbers[0]],
            codes=tuple(names[number] for number in numbers),
            score=1.0 if rule else round(scores[0], 4) if scores else 0.0,
        )
        for row, numbers, scores, rule in zip(rows, coded, now.scores, now.rules, strict=True)
    ]
    table = _frame_rows(frame, coded, names, [row.theme for row in exported])
    summary = {"answers": str(len(rows)), "codes": str(len(frame.rows)), "status": "completed"}
    write_table(path, columns=file.columns, rows=exported, frame=table, summary=summary)


def _frame_rows(
    frame: Frame, coded: Sequence[tuple[int, ...]], names: dict[int, str], themes: Sequence[str]
) -> list[FrameRow]:
    """Last wave's rows with this wave's counts; Other and rule codes that only occur now are added."""
    counts = Counter(number for numbers in coded for number in set(numbers))
    per_theme = Counter(themes)
    rows = [_counted(row, counts[row.number] if row.code else per_theme[row.theme], len(coded)) for row in frame.shown]
    known = {row.number for row in frame.shown}
    fresh = [
        FrameRow(number=n, level=1, theme=names[n], code=names[n], description="", n_answers=0, share=0, quote="")
        for n in sorted(counts.keys() - known)
    ]
    return [*rows, *(_counted(row, counts[row.number], len(coded)) for row in fresh)]


def _counted(row: FrameRow, n: int, total: int) -> FrameRow:
    return replace(row, n_answers=n, share=n / total if total else 0.0)


def _tell(console: Console, wave: Wave, frame: Frame) -> None:
    moved = drift(wave.then.complete, wave.now.complete)
    table = Table("number", "code", "last wave", "now", "p")
    for each in moved:
        name = frame.rows[each.number].code if each.number in frame.rows else _name(each.number)
        mark = " *" if each.p < SURE else ""
        table.add_row(str(each.number), plain(name), f"{each.then:.1%}", f"{each.now:.1%}", f"{each.p:.3f}{mark}")
    console.print(table)
    console.print(f"* moved more than chance would (p < {SURE}, two proportions, Holm's correction)")
    console.print(f"last wave: {counted(len(wave.then.numbers), 'answer')} of it, coded anew like the new ones")
    if wave.themes:
        console.print("in Other, answers that say the same; a new code may be needed:")
    for theme in wave.themes:
        console.print(f"  {plain(theme.name)} ({theme.n_answers}): {plain('; '.join(theme.quotes), 160)}")


def _name(number: int) -> str:
    return next((rule.name for rule in RULES.values() if rule.number == number), OTHER_NAME)
