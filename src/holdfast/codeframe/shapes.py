"""Whether a few words read as a code a person would write, told from word lists."""

from collections.abc import Sequence

from holdfast.codeframe.words import (
    ADJECTIVES,
    CALENDAR,
    LINKS,
    NOUNS_TOO,
    PRAISE,
    STOPS,
    VAGUE,
    VERBS,
    is_adjective,
    is_adverb,
    is_noun,
    root,
)

SINGLE, PHRASE, ORDER, PAIR = 0.62, 1.0, 0.85, 0.6  # a noun, a noun phrase, "Cancel reservation", "Quick and efficient"
LONGEST = 5  # words
JOINED, LOOSELY, EMPTY = (
    {"of": 0.92, "and": 0.85, "for": 0.85},
    0.7,
    0.7,
)  # what is kept after a preposition, or with a vague word
_SHORTEST = 4  # letters a lone noun must have


def readable(text: str) -> float:
    """0 (no name at all) to 1 (a good one)."""
    words = text.lower().split()
    if not 1 <= len(words) <= LONGEST or any(map(_is_odd, words)) or len(set(map(root, words))) < len(words):
        return 0.0
    if len(words) == 1:
        return SINGLE if _is_topic(words[0]) else 0.0
    if words[0] == "no":
        return PHRASE if all(map(_is_plain_noun, words[1:])) else 0.0
    if len(words) == 3 and words[1] == "and" and _is_quality(words[0]) and _is_quality(words[2]):
        return PAIR
    if len(words) > 3 and words[1] == "and" and is_adjective(words[0]) and is_adjective(words[2]):
        words = words[2:]
    return _parts(words)


def _parts(words: Sequence[str]) -> float:
    """Noun phrases joined by prepositions, perhaps after a verb in its plain form."""
    links = [word for word in words if word in LINKS]
    first, *others = _split(words)
    ordered = first[:1] != [] and first[0] in VERBS and len(words) > 1 and not _is_noun_phrase(first)
    object_ = first[1:] if ordered else first
    empty = ordered and not object_ and bool(others)
    if not (empty or _is_noun_phrase(object_)) or not all(map(_is_joined, links, others)):
        return 0.0
    fit = ORDER if ordered else PHRASE
    for link in links:
        fit *= JOINED.get(link, LOOSELY)
    return fit * (EMPTY if {*object_[:1], *words[-1:]} & VAGUE else 1.0)


def _split(words: Sequence[str]) -> list[list[str]]:
    """At the prepositions."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in LINKS:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _is_joined(link: str, part: Sequence[str]) -> bool:
    return _is_noun_phrase(part) or (link == "to" and len(part) == 1 and part[0] in VERBS)


def _is_noun_phrase(words: Sequence[str]) -> bool:
    """Adjectives, then nouns; "friendly and helpful staff" has lost its "and" before it comes here."""
    seen_noun = False
    for place, word in enumerate(words):
        if place == 0 and len(words) > 1 and word.endswith("ed") and len(word) > 4:
            continue  # "assisted suicide"
        if is_adjective(word) and not seen_noun:
            continue
        if not _is_plain_noun(word):
            return False
        seen_noun = True
    return seen_noun and not _is_clause(words)


def _is_clause(words: Sequence[str]) -> bool:
    """ "Students focus", "action helps": a subject and its verb."""
    if len(words) < 2:
        return False
    before, last = words[-2], words[-1]
    if is_adjective(before):
        return False
    if before == "people" or (before.endswith("s") and not before.endswith("ss")):
        return last in VERBS
    return last.endswith("s") and last[:-1] in VERBS and last != "needs"


def _is_plain_noun(word: str) -> bool:
    return is_noun(word) or word in NOUNS_TOO or (word.endswith("s") and word[:-1] in NOUNS_TOO)


def _is_topic(word: str) -> bool:
    return _is_plain_noun(word) and word not in VAGUE | VERBS and len(word) >= _SHORTEST


def _is_quality(word: str) -> bool:
    return word in ADJECTIVES and word not in PRAISE


def _is_odd(word: str) -> bool:
    """Masks, digits, halves of verb forms, months, adverbs."""
    stop = word in STOPS and word not in LINKS and word != "no"
    return stop or not word.replace("-", "").isalpha() or set(word) == {"x"} or word in CALENDAR or is_adverb(word)
