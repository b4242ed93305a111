"""Two tables of coded answers brought together, and how far they agree, as a person reads it."""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.codeframe import Codes, Evaluation
from holdfast.codeframe import evaluate as compare
from holdfast.errors import BadInput
from holdfast.files import CodedFile, CodedRow, read_coded_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The two files and which columns count; None: guessed."""

    coded: Path
    against: Path
    codes_column: str | None
    against_column: str | None
    id_column: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The answers that both sides coded, and what was left out, in words."""

    ours: list[Codes]
    theirs: list[Codes]
    by: str  # id or text
    notes: list[str]


def show_evaluation(sides: Sides, *, match: bool, as_json: bool) -> int:
    """`holdfast evaluate`. Raises BadInput where nothing can be compared."""
    coded = read_coded_file(sides.coded, codes_column=sides.codes_column, id_column=sides.id_column)
    against = read_coded_file(sides.against, codes_column=sides.against_column, id_column=sides.id_column)
    pairs = paired(coded, against, names=(sides.coded.name, sides.against.name))
    result = compare(pairs.ours, pairs.theirs, match=match)
    console = screen()
    if as_json:
        told = result.to_json() | {"stability": coded.stability, "matched_by": pairs.by, "notes": pairs.notes}
        console.print(json.dumps(told, ensure_ascii=False), soft_wrap=True)
    else:
        _show(console, result, pairs)
        if coded.stability is not None:
            console.print(f"stability {coded.stability:.2f}: how far its clusters come out again, 0 chance, 1 the same")
    return 0


def paired(coded: CodedFile, against: CodedFile, *, names: tuple[str, str]) -> Pairs:
    """Each answer the person coded beside ours of the same id, else of the same text."""
    by_id = coded.id_column is not None and against.id_column is not None
    if not by_id and (coded.text_column is None or against.text_column is None):
        raise BadInput("the two files have neither ids nor answers in common columns; name the ids with --id-column")
    ours = _by_key(coded, by_id=by_id)
    theirs = {key: row for key, row in _by_key(against, by_id=by_id).items() if row.codes}
    if not theirs:
        raise BadInput(f"{names[1]} has no row with a code in {against.codes_column!r}; name the column that has them")
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        by = f"an id ({coded.id_column!r}, {against.id_column!r})" if by_id else "a text"
        raise BadInput(f"no answer of {names[0]} has {by} that is in {names[1]}; are they of the same survey?")
    numbers = {str(row.number): row.code for row in (*coded.frame, *against.frame) if row.code}
    missing, uncoded = len(theirs) - len(both), len(against.rows) - len(theirs)
    notes = [f"{counted(missing, 'answer')} only in {names[1]}: left out"] if missing else []
    notes += [f"{counted(len(ours) - len(both), 'answer')} of {names[0]} without a person's code"] * (
        len(ours) > len(both)
    )
    notes += [f"{counted(uncoded, 'row')} of {names[1]} with no code, or the same answer again"] * (uncoded > 0)
    return Pairs(
        ours=[_named(ours[key], numbers) for key in both],
        theirs=[_named(theirs[key], numbers) for key in both],
        by="id" if by_id else "text",
        notes=notes,
    )


def _by_key(file: CodedFile, *, by_id: bool) -> dict[str, CodedRow]:
    """The rows by id or by text; of rows that say the same the first one that was coded."""
    found: dict[str, CodedRow] = {}
    for row in file.rows:
        key = (row.id or "") if by_id else " ".join(row.text.split()).casefold()
        if key and (key not in found or not found[key].codes):
            found[key] = row
    return found


def _named(row: CodedRow, numbers: dict[str, str]) -> Codes:
    return tuple(numbers.get(code, code) for code in row.codes)


def _show(console: Console, result: Evaluation, pairs: Pairs) -> None:
    for note in pairs.notes:
        console.print(f"note: {plain(note)}")
    console.print(f"{counted(result.n, 'answer')} compared, matched by {pairs.by}")
    figures = result.all_codes
    console.print(
        f"micro-F1 {figures.f1:.3f} (precision {figures.precision:.3f}, recall {figures.recall:.3f}); "
        f"best code the same {result.accuracy:.1%}"
    )
    console.print(
        f"Cohen's kappa {_figure(result.kappa)}, Krippendorff's alpha {_figure(result.alpha)} (best codes), "
        f"{_figure(result.alpha_sets)} (all codes, MASI)"
    )
    if result.matching is not None:
        console.print("codes were matched by the answers they share:")
        for ours, theirs in result.matching.items():
            console.print(f"  {plain(ours)} = {plain(theirs)}")
    table = Table("code", "n", "found", "precision", "recall", "F1")
    for code, each in result.by_code.items():
        cells = (f"{figure:.2f}" for figure in (each.precision, each.recall, each.f1))
        table.add_row(plain(code), str(each.n), str(each.found), *cells)
    console.print(table)
    if result.confused:
        console.print("most often confused:")
    for pair in result.confused:
        console.print(f"  {pair.n} x ours {plain(pair.ours)}, theirs {plain(pair.theirs)}")


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
