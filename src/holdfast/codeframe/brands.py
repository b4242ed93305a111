"""Brand coding: the brands that short answers name, each with the evidence why it is thought to be one."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from holdfast.codeframe.brand_coder import as_read
from holdfast.codeframe.brand_mentions import Mentions, collect
from holdfast.codeframe.brand_variants import Variants, find_variants
from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.mentions import is_sentence, key_of, tidy, words_known

Group: TypeAlias = Literal["verified", "review"]

SHOWN = 6  # spellings told in the evidence
_FILLERS = frozenset(
    {"the", "a", "an", "and", "or", "also", "then", "maybe", "please", "some", "etc", "all", "of", "from"}
)
_SURE, _SLIP, _UNSURE, _IN_SENTENCE = 1.0, 0.8, 0.5, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """One brand."""

    name: str
    group: Group
    evidence: str  # why it is in its group, and how it is spelled
    n_rows: int
    spellings: tuple[tuple[str, int], ...]  # as written, and by how many rows; the most frequent first
    listed: str | None  # the name in the user's list
    is_unsure: bool  # may be another brand's misspelling


@dataclass(frozen=True, kw_only=True)
class BrandCoding:
    """The brands, and each distinct text's."""

    brands: tuple[Brand, ...]  # verified first, then review; the most frequent first
    coded: Mapping[str, tuple[tuple[int, float], ...]]  # text -> (place in brands, score), in the order of mention
    spam: Mapping[str, str]  # text without a brand -> key of the rule code that it is


def code_brands(
    texts: Sequence[str],
    *,
    listed: Sequence[str] = (),
    many: int = 5,
    asked: Sequence[str] = (),
    read: Mapping[str, Reading] | None = None,
) -> BrandCoding:
    """The brands of the answers; the same for shuffled rows.

    `listed`: brands the user knows, each maybe with other names in brackets: `Coca-Cola (Coke, Cola)`. `many`: answers
    that name a brand before it is thought to be one without being listed. `read`: what a model has read in the texts
    it was `asked` about.
    """
    weights = Counter(texts)
    mentions = collect(weights, listed=listed)
    if read is not None:
        mentions = as_read(mentions, asked, read, weights)
    variants = find_variants(mentions.counts, listed=frozenset(mentions.listed), many=many)
    reading = _Reading(mentions, variants, many)
    found = {text: reading.of(text) for text in sorted(weights)}
    writer = _Writer(mentions, variants, found, weights, many)
    brands, place = writer.write()
    coded = {
        text: tuple((place[head], score) for head, score in heads.items() if head in place)
        for text, heads in found.items()
    }
    spam = {text: rule for text, rule in mentions.spam.items() if not coded[text]}
    return BrandCoding(brands=brands, coded=coded, spam=spam)


class _Reading:
    """Which heads a text names, once it is known what the brands are."""

    def __init__(self, mentions: Mentions, variants: Variants, many: int) -> None:
        self._mentions, self._variants, self._many = mentions, variants, many
        rows: Counter[str] = Counter()
        for key, n in mentions.counts.items():
            rows[variants.head_of(key)] += n
        self._solid = {
            head for head in variants.heads if head in mentions.listed or (rows[head] >= many and len(head) > 1)
        }
        self._known = {key: head for key in mentions.counts if (head := variants.head_of(key)) in self._solid}
        self._known |= {key: variants.head_of(target) for key, target in mentions.aliases.items()}
        self._known |= {head: head for head in mentions.listed}

    def of(self, text: str) -> dict[str, float]:
        """Head -> score, in the order of mention."""
        found: dict[str, float] = {}
        for mention in self._mentions.of_text[text]:
            for head, score in self._heads(mention):
                found[head] = max(score, found.get(head, 0.0))
        return found

    def _heads(self, mention: str) -> list[tuple[str, float]]:
        key = self._mentions.key(mention)
        head = self._variants.head_of(key)
        words = [word for part in mention.split() if (word := tidy(part).casefold()) and word not in _FILLERS]
        if is_sentence(mention):
            named, _ = words_known([word for word in words if len(key_of(word)) > 2], self._known)
            return [(name, _IN_SENTENCE) for name in named]
        if key == head and head not in self._solid and len(words) > 1:
            named, unknown = words_known(words, self._known)
            if named and not unknown:  # coke pepsi fanta, without a comma
                return [(name, _SLIP) for name in named]
        return [(head, self._score(key, head))] if key else []

    def _score(self, key: str, head: str) -> float:
        if head in self._variants.unsure:
            return _UNSURE
        joined = self._variants.joined.get(key)
        return _SLIP if joined and joined.edits else _SURE


class _Writer:
    """Names the heads, groups them and says why."""

    def __init__(
        self,
        mentions: Mentions,
        variants: Variants,
        found: Mapping[str, Mapping[str, float]],
        weights: Mapping[str, int],
        many: int,
    ) -> None:
        self._mentions, self._variants, self._many = mentions, variants, many
        self._rows: Counter[str] = Counter()
        for text, heads in found.items():
            for head in heads:
                self._rows[head] += weights[text]
        self._spellings: dict[str, Counter[str]] = {}
        for key, spelled in mentions.spellings.items():
            self._spellings.setdefault(variants.head_of(key), Counter()).update(spelled)
        self._names = {head: self._name(head) for head in variants.heads if self._rows[head] or head in mentions.listed}

    def write(self) -> tuple[tuple[Brand, ...], dict[str, int]]:
        """The brands that are named, and the place of each head."""
        written = [(head, self._brand(head)) for head in self._names]
        written.sort(key=lambda pair: (pair[1].group != "verified", -pair[1].n_rows, pair[1].name, pair[0]))
        return tuple(brand for _, brand in written), {head: place for place, (head, _) in enumerate(written)}

    def _name(self, head: str) -> str:
        named = self._mentions.names or self._mentions.spellings
        return self._mentions.listed.get(head) or display_name(named[head])

    def _brand(self, head: str) -> Brand:
        n, listed = self._rows[head], self._mentions.listed.get(head)
        spelled = sorted(self._spellings.get(head, Counter()).items(), key=lambda item: (-item[1], item[0]))
        why, group = self._why(head, n, listed)
        return Brand(
            name=self._names[head],
            group=group,
            evidence=f"{why} {_told(spelled)}".strip(),
            n_rows=n,
            spellings=tuple(spelled),
            listed=listed,
            is_unsure=head in self._variants.unsure,
        )

    def _why(self, head: str, n: int, listed: str | None) -> tuple[str, Group]:
        answers = "1 answer" if n == 1 else f"{n:,} answers"
        if listed:
            return f"In your list; named in {answers}.", "verified"
        near = " and ".join(f"“{self._names.get(other, other)}”" for other in self._variants.near.get(head, ()))
        if head in self._variants.unsure:
            which = "it may be any of them" if " and " in near else "it may be that one misspelt"
            return f"Named in {answers}, but spelled nearly as {near}: {which}.", "review"
        if n < self._many:
            return f"Named in {answers} only.", "review"
        also = f" Spelled nearly as {near}, but by so many that it is taken for a name of its own." if near else ""
        how = "as a model reads them" if self._mentions.by_model else "spelled consistently"
        return f"Named in {answers}, {how}.{also}", "verified"


def display_name(spelled: Mapping[str, int]) -> str:
    """The most frequent spelling at its best: with capitals where some write it so, else with a first capital."""
    folded: Counter[str] = Counter()
    for text, n in spelled.items():
        folded[_folded(text)] += n
    most = min(folded, key=lambda text: (-folded[text], text))
    forms = [text for text in spelled if _folded(text) == most]
    cased = [text for text in forms if not text.islower() and (not text.isupper() or len(text) <= 4)]
    if cased:
        return min(cased, key=lambda text: (-spelled[text], text))
    best = min(forms, key=lambda text: (-spelled[text], text)).casefold()
    return best.upper() if len(best) <= 3 else " ".join(word[:1].upper() + word[1:] for word in best.split())


def _folded(text: str) -> str:
    return re.sub("['\u2019]", "", text.casefold())


def _told(spelled: Sequence[tuple[str, int]]) -> str:
    if not spelled:
        return ""
    more = f" and {len(spelled) - SHOWN} more spellings" if len(spelled) > SHOWN else ""
    return "Written " + ", ".join(f"“{text}” {n:,}" for text, n in spelled[:SHOWN]) + more + "."
