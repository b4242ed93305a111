"""From raw answers to the distinct texts that are worth reading; the raw answers stay untouched."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from holdfast.codeframe.rules import RULES, rule_of
from holdfast.codeframe.values import Ints

_SPACE = re.compile(r"\s+")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Cf", "Co", "Cn"})
_ASCII = re.compile(r"[\x20-\x7e]*")
_EDGES = " .,;:!?\"'-\u2013\u2014\u2026"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The corpus as the stages see it: distinct texts in an order of their own, whatever the order of the rows."""

    distinct: tuple[str, ...]  # normalised; sorted, so that chunks are the same for shuffled rows
    weights: Ints  # rows that say each distinct text
    index: Ints  # row -> distinct text, or -1 for a row with a rule code
    rules: tuple[str | None, ...]  # row -> key of its rule code, or None
    first_row: Ints  # distinct text -> the first row that says it

    @property
    def n_rows(self) -> int:
        return len(self.rules)

    @cached_property
    def digest(self) -> str:
        """Same for the same distinct texts and weights."""
        hashed = hashlib.sha256(self.weights.tobytes())
        for text in self.distinct:
            hashed.update(text.encode() + b"\0")
        return hashed.hexdigest()

    @cached_property
    def rule_counts(self) -> dict[str, int]:
        """Rows of each rule code, in the order of RULES; only those that occur."""
        counts = {key: self.rules.count(key) for key in RULES}
        return {key: n for key, n in counts.items() if n}


def normalise(text: str) -> str:
    """NFKC, control characters out, white space collapsed."""
    if not _ASCII.fullmatch(text):
        text = unicodedata.normalize("NFKC", text)
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_printable(char))
    return _SPACE.sub(" ", text).strip()


def _is_printable(char: str) -> bool:
    return (char.isascii() and char.isprintable()) or unicodedata.category(char) not in _UNPRINTABLE


def prepare(texts: Sequence[str]) -> Prepared:
    """Fold identical answers (whatever their case and final punctuation) and set rule codes aside; loses no row."""
    spelled: dict[str, dict[str, int]] = {}  # folded text -> its spellings and how often each is used
    folded: list[str | None] = []
    rules: list[str | None] = []
    known: dict[str, tuple[str | None, str | None]] = {}
    for text in texts:
        if text not in known:
            known[text] = _read(text)
        key, rule = known[text]
        folded.append(key)
        rules.append(rule)
        if key is not None:
            spellings = spelled.setdefault(key, {})
            normal = normalise(text)
            spellings[normal] = spellings.get(normal, 0) + 1
    return _number(folded, rules, spelled)


def spelled_alike(texts: Sequence[str], prepared: Prepared) -> list[str]:
    """Each row's distinct text; of a row with a rule code its own."""
    return [prepared.distinct[n] if n >= 0 else text for text, n in zip(texts, prepared.index.tolist(), strict=True)]


def _read(text: str) -> tuple[str | None, str | None]:
    normal = normalise(text)
    rule = rule_of(normal)
    if rule is not None:
        return None, rule.key
    return normal.casefold().strip(_EDGES), None


def _number(folded: list[str | None], rules: list[str | None], spelled: dict[str, dict[str, int]]) -> Prepared:
    chosen = {key: min(uses, key=lambda spelling: (-uses[spelling], spelling)) for key, uses in spelled.items()}
    order = sorted(chosen, key=lambda key: (chosen[key], key))
    place = {key: n for n, key in enumerate(order)}
    index = np.array([-1 if key is None else place[key] for key in folded], dtype=np.int32)
    rows = np.flatnonzero(index >= 0)
    first = np.zeros(len(order), dtype=np.int32)
    first[index[rows][::-1]] = rows[::-1]
    return Prepared(
        distinct=tuple(chosen[key] for key in order),
        weights=np.bincount(index[rows], minlength=len(order)).astype(np.int32),
        index=index,
        rules=tuple(rules),
        first_row=first,
    )
