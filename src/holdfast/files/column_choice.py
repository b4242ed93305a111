"""Which column of a table holds the answers, and which one their ids."""

import re
from collections.abc import Sequence

from holdfast.errors import BadInput
from holdfast.files.source_table import Notes, Scalar

# Names taken as the column of the answers when none is asked for, the surest first.
TEXT_NAMES = (
    "text",
    "answer",
    "answers",
    "answer_text",
    "response",
    "responses",
    "response_text",
    "comment",
    "comments",
    "verbatim",
    "verbatims",
    "feedback",
    "open_end",
    "open_ended",
    "free_text",
)
ID_NAMES = ("id", "respondent_id", "external_id", "response_id")


def unique_names(header: Sequence[str], notes: Notes) -> tuple[str, ...]:
    """The header with white space stripped, nameless columns numbered and repeated names told apart."""
    names: list[str] = []
    taken = {name.strip() for name in header}
    for number, raw in enumerate(header, start=1):
        stripped = raw.replace("\0", "").strip("\ufeff \t\r\n")
        name = stripped or f"column {number}"
        if name in names or (not stripped and name in taken):
            name = _next_free(name, taken.union(names))
        if name != stripped:
            what = f"a second column is named {stripped!r}" if stripped else f"column {number} has no name"
            notes.say(f"{what}; it is called {name!r} here")
        names.append(name)
    return tuple(names)


def choose_text(columns: Sequence[str], wanted: str | None, sample: Sequence[Sequence[Scalar]], notes: Notes) -> int:
    """The index of the column with the answers.

    The wanted one (its exact name, else the name in any case); else one named as in `TEXT_NAMES`; else the one whose
    cells hold the most letters on average, columns with words before columns of single words.
    """
    if wanted is not None:
        return find_column(columns, wanted)
    if len(columns) == 1:
        return 0
    words = [_word(name) for name in columns]
    for known in TEXT_NAMES:
        if known in words:
            return words.index(known)
    best = max(range(len(columns)), key=lambda index: _wordiness(index, sample))
    if _wordiness(best, sample) == (False, 0.0):
        raise BadInput(f"no column holds text; name the one with the answers. The columns are: {', '.join(columns)}")
    notes.say(f"the answers were taken from the column {columns[best]!r}, which holds the longest text")
    return best


def known_text(columns: Sequence[str], *, but: str) -> str | None:
    """The column, other than `but`, that is named as in `TEXT_NAMES`."""
    words = {_word(name): name for name in reversed(columns) if name != but}
    return next((words[known] for known in TEXT_NAMES if known in words), None)


def choose_id(columns: Sequence[str], wanted: str | None) -> int | None:
    """The index of the column with the ids: the wanted one, else one named as in `ID_NAMES`, else None."""
    if wanted is not None:
        return find_column(columns, wanted)
    words = [_word(name) for name in columns]
    return next((words.index(known) for known in ID_NAMES if known in words), None)


def find_column(columns: Sequence[str], wanted: str) -> int:
    """The index of the column of that name, in any case; raises BadInput."""
    if wanted in columns:
        return columns.index(wanted)
    folded = [name.casefold() for name in columns]
    key = wanted.strip().casefold()
    if folded.count(key) == 1:
        return folded.index(key)
    raise BadInput(f"there is no column {wanted!r}; the columns are: {', '.join(columns)}")


def _word(name: str) -> str:
    return re.sub(r"[\s_\-]+", "_", name.strip().casefold())


def _wordiness(index: int, sample: Sequence[Sequence[Scalar]]) -> tuple[bool, float]:
    cells = [cell for cell in (row[index] for row in sample) if isinstance(cell, str)]
    if not cells:
        return False, 0.0
    spaced = sum(" " in cell.strip() for cell in cells)
    letters = sum(sum(map(str.isalpha, cell)) for cell in cells)
    return spaced > 0.1 * len(cells), letters / len(sample)


def _next_free(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
