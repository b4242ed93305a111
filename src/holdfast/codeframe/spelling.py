"""How far two spellings are apart, and which of many are near one: bounded, and without comparing all with all."""

import re
from collections.abc import Iterable, Iterator

LONGEST = 40  # characters; a longer key is compared as it stands
_PREFIX = 20  # characters whose deletions are indexed
_DIGITS = re.compile(r"\d+")


def reach(length: int) -> int:
    """How many edits a misspelling of a name of that many characters may have; none for a short one: LG is not HP."""
    return 0 if length < 4 else 1 if length < 8 else 2


def distance(a: str, b: str, *, most: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) from a to b; most + 1 for more than `most`.

    Optimal string alignment: no part is edited twice.
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


def apart(a: str, b: str) -> int | None:
    """Edits between two spellings of what may be one name; None if they are no such pair.

    Digits must be the same: iPhone 12 is no misspelling of iPhone 13.
    """
    shorter = min(len(a), len(b))
    most = reach(shorter)
    if not most or max(len(a), len(b)) > LONGEST or _DIGITS.findall(a) != _DIGITS.findall(b):
        return None
    found = distance(a, b, most=most)
    return found if found <= most else None


def is_plural(a: str, b: str) -> bool:
    """Whether one is the other with an s: plurals and possessives."""
    short, long = sorted((a, b), key=len)
    return len(short) >= 4 and long in {short + "s", short + "es"}


class Neighbourhood:
    """Keys by what is left of them when characters are deleted: near keys leave the same, others seldom do."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._places: dict[str, list[str]] = {}
        for key in keys:
            self.add(key)

    def add(self, key: str) -> None:
        for left in _leftovers(key):
            self._places.setdefault(left, []).append(key)

    def near(self, key: str) -> list[tuple[int, str]]:
        """(edits, key) of every other key that may be the same name, the nearest first."""
        candidates = {other for left in _leftovers(key) for other in self._places.get(left, ())} - {key}
        found = ((apart(key, other), other) for other in candidates)
        return sorted((edits, other) for edits, other in found if edits is not None)


def _leftovers(key: str) -> Iterator[str]:
    if len(key) > LONGEST:
        return
    start, most = key[:_PREFIX], reach(len(key))
    seen = {start}
    once = {start[:n] + start[n + 1 :] for n in range(len(start))} if most else set()
    seen |= once
    if most > 1:
        seen.update(left[:n] + left[n + 1 :] for left in once for n in range(len(left)))
    yield from seen
