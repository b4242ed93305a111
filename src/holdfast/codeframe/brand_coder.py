"""Brands read by a model: each with the words of the answer that name it, or it does not count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.codeframe.brand_mentions import Mentions, collect
from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.mentions import MOST_CHARACTERS, is_sentence, key_of
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.replies import line, plain

VERSION = "brands-1"
MOST_LISTED = 300  # names of the user's list that are shown

_TEXT: Mapping[str, Any] = {"type": "string"}
_NAMED: Mapping[str, Any] = {
    "type": "object",
    "properties": {"written": _TEXT, "name": _TEXT},
    "required": ["written", "name"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandCoder:
    """Reads `[[name, as written], …]` in a text, in the order of mention; an empty list where no brand is named."""

    listed: Sequence[str] = ()  # the user's brands, each maybe with other names in brackets
    version: str = VERSION

    @property
    def properties(self) -> Mapping[str, Any]:
        return {"brands": {"type": "array", "items": _NAMED}}

    def material(self) -> Mapping[str, Any]:
        return {"known_brands": list(self.listed[:MOST_LISTED])}

    def tokens(self, text: str) -> int:
        return 60 + 2 * len(text)

    def read(self, entry: Mapping[str, Any], text: str) -> Reading | None:
        said = entry.get("brands")
        if not isinstance(said, list):
            return None
        found = [named for part in said if (named := _named(part, text))]
        # A model that names brands, and none that the answer has, has read another answer: no reading at all.
        return None if said and not found else found


def _named(part: Any, text: str) -> list[str] | None:
    """Name and spelling of a brand that the text has; of one that it does not have, nothing."""
    if not isinstance(part, dict):
        return None
    name, written = line(part.get("name"), MOST_CHARACTERS), line(part.get("written"), MOST_CHARACTERS)
    name = name or written
    if not key_of(name) or is_sentence(name):
        return None
    if not written or plain(written) not in plain(text):
        if key_of(name) not in key_of(text):
            return None
        written = name
    return [name, written]


def asked_brands(prepared: Prepared, listed: Sequence[str]) -> tuple[str, ...]:
    """The distinct texts a model has to read: not those that are no name, and not those of listed names alone."""
    found = collect(dict.fromkeys(prepared.distinct, 1), listed=listed)
    known = found.listed.keys()
    return tuple(
        text
        for text in prepared.distinct
        if text not in found.spam and not _is_known(found.of_text[text], found, frozenset(known))
    )


def _is_known(mentions: Sequence[str], found: Mentions, known: frozenset[str]) -> bool:
    return bool(mentions) and all(found.key(mention) in known for mention in mentions)


def as_read(
    offline: Mentions, asked: Sequence[str], read: Mapping[str, Reading], weights: Mapping[str, int]
) -> Mentions:
    """The mentions with the model's in the place of those that were found by rule, for the texts it was asked about."""
    of_text = dict(offline.of_text) | {text: tuple(name for name, _ in read.get(text, ())) for text in asked}
    written = {text: dict(read.get(text, ())) for text in asked}
    counts: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    names: dict[str, Counter[str]] = {}
    for text, mentions in of_text.items():
        counts.update(dict.fromkeys((key for each in mentions if (key := offline.key(each))), weights[text]))
        for name in dict.fromkeys(mentions):
            spelled = written.get(text, {}).get(name, name)
            spellings.setdefault(offline.key(name), Counter())[spelled] += weights[text]
            names.setdefault(offline.key(name), Counter())[name] += weights[text]
    return replace(offline, of_text=of_text, counts=counts, spellings=spellings, names=names, by_model=True)
