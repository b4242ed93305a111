"""Which spellings are one brand: by key, plural, and few enough edits for how often each is written.

The most frequent spelling of a brand is its head; a rarer one joins the head it is nearest to. One that is as near to
two heads joins neither, and one that many people write is a name of its own until it is far rarer than its neighbour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.codeframe.spelling import Neighbourhood, is_plural

OWN_NAME = 4  # times the answers that make a brand: written that often, a near name needs no second look
RARE = 10  # times rarer than its neighbour is a misspelling that many people make


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A spelling that is read as a head's."""

    head: str
    edits: int  # 0: the same but for an s


@dataclass(frozen=True, kw_only=True)
class Variants:
    """Every key's head."""

    heads: tuple[str, ...]  # in the order they were found: listed first, then by rows
    joined: Mapping[str, Joined]  # keys that are no heads
    near: Mapping[str, tuple[str, ...]]  # heads that may be a misspelling of others
    unsure: frozenset[str] = field(default_factory=frozenset)  # those of them a person should look at

    def head_of(self, key: str) -> str:
        found = self.joined.get(key)
        return found.head if found else key


def find_variants(counts: Mapping[str, int], *, listed: frozenset[str], many: int) -> Variants:
    """`counts`: rows of each key. `listed`: keys the user knows to be brands; they come first, however rare."""
    finder = _Finder(counts, listed, many)
    order = sorted(set(counts) | listed, key=lambda key: (key not in listed, -counts.get(key, 0), key))
    for key in order:
        finder.place(key)
    return Variants(heads=tuple(finder.heads), joined=finder.joined, near=finder.near, unsure=frozenset(finder.unsure))


class _Finder:
    def __init__(self, counts: Mapping[str, int], listed: frozenset[str], many: int) -> None:
        self._counts, self._listed, self._many = counts, listed, many
        self._index = Neighbourhood()
        self.heads: dict[str, None] = {}
        self.joined: dict[str, Joined] = {}
        self.near: dict[str, tuple[str, ...]] = {}
        self.unsure: set[str] = set()

    def place(self, key: str) -> None:
        if key in self._listed:
            self._found(key)
            return
        head = self._singular(key)
        if head is not None:
            self.joined[key] = Joined(head=head, edits=0)
            return
        near = [(edits, other) for edits, other in self._index.near(key) if _may_slip(key, other)]
        best = tuple(other for edits, other in near if edits == near[0][0])
        if len(best) == 1 and self._is_slip(key, best[0], near[0][0]):
            self.joined[key] = Joined(head=best[0], edits=near[0][0])
            return
        if best:
            self.near[key] = best
            if self._needs_a_look(key, best):
                self.unsure.add(key)
        self._found(key)

    def _found(self, key: str) -> None:
        self.heads[key] = None
        if key not in self.unsure:
            self._index.add(key)

    def _singular(self, key: str) -> str | None:
        """The one head that is this key with an s more or less."""
        near = {key + "s", key + "es", key.removesuffix("s"), key.removesuffix("es")} - {key}
        found = [other for other in near if other in self.heads and is_plural(key, other)]
        if len(found) != 1 or found[0] in self.unsure:
            return None
        n, others = self._counts.get(key, 0), self._counts.get(found[0], 0)
        return found[0] if n < self._many or others >= 2 * n else None

    def _is_slip(self, key: str, head: str, edits: int) -> bool:
        """Whether so rare a spelling, so near to so frequent a name, is that name misspelt."""
        n, heads = self._counts.get(key, 0), self._counts.get(head, 0)
        if n >= self._many:
            return heads >= RARE * edits * n
        shorter = min(len(key), len(head))
        times = (8 if shorter == 4 else 3 if shorter == 5 else 2) * edits
        return head in self._listed or heads >= times * n

    def _needs_a_look(self, key: str, best: tuple[str, ...]) -> bool:
        n = self._counts.get(key, 0)
        largest = max(self._counts.get(other, 0) for other in best)
        return n < OWN_NAME * self._many and (n < self._many or len(best) > 1 or largest >= 3 * n)


def _may_slip(key: str, other: str) -> bool:
    """In a short name the first letter is seldom the wrong one: Nike is not Mike."""
    if min(len(key), len(other)) >= 8 or key[0] == other[0]:
        return True
    return key[:2] == other[1::-1]
