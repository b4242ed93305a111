"""What themes are called: broader than their codes' names, and held by most of them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.grammar import PROPER
from holdfast.codeframe.grouping import LEADING, MOST, Shared, known, shared
from holdfast.codeframe.naming import Candidate, identity, rank, sentence_case, stems
from holdfast.codeframe.shapes import PAIR, readable
from holdfast.codeframe.topics import THEME_NAMES, is_judgement
from holdfast.codeframe.values import Brief, Vectors
from holdfast.codeframe.words import NOUNS_TOO, VERBS

FEW_CODES = 0.3  # what a general theme keeps that holds for few of the codes
PAIR_FIT, TOPIC_FIT, WORD_FIT, SPARE = 0.85, 0.8, 0.8, 0.1
CONSIDERED = 14
SPARE_WORDS = 4
LISTED = 0.25  # what a name loses that only lists two codes
ENGLISH, ANY_LANGUAGE = " and ", " / "  # what joins two names
REST, LAST = "…", -9.0  # ends the name of a theme that is left without any other
AND = re.compile(r" and | / ")


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that will be one theme."""

    clusters: tuple[int, ...]
    spare_names: tuple[str, ...]  # the two largest codes together, or what a lone one could also have been called


def spare_names(names: Sequence[str], others: Sequence[str], *, joiner: str) -> tuple[str, ...]:
    """`names` of the codes, the largest first; `others` that the first one could have."""
    things = [thing for thing in map(_thing, names) if not AND.search(thing) and len(thing.split()) <= SPARE_WORDS]
    for first, second in combinations(things, 2):
        if stems(first) and stems(second) and not stems(first) & stems(second):
            lower = second[:1].lower() + second[1:] if second[1:].islower() and joiner == ENGLISH else second
            return (f"{first}{joiner}{lower}",)
    nouns = [other for other in others if readable(other.lower()) != PAIR]  # "helpful and useful": what is?
    return (*nouns, f"{names[0]}{joiner}{REST}")


def joiner_of(briefs: Sequence[Brief]) -> str:
    """Only answers in English have known topics."""
    return ENGLISH if any(phrase.kind == "topic" for brief in briefs for phrase in brief.phrases) else ANY_LANGUAGE


def _thing(name: str) -> str:
    """ "Alarm" of "Set alarm": two things together need no verbs."""
    verb, _, rest = name.partition(" ")
    return sentence_case(rest) if verb.lower() in VERBS and readable(rest.lower()) else name


def name_themes(
    groups: Sequence[Group],
    briefs: Sequence[Brief],
    centroids: Vectors,
    *,
    taken: set[frozenset[str]],
    embedder: Embedder | None,
) -> list[str]:
    """A name for each group, broader than its codes' names and like no other in the frame.

    `taken` holds the stems of the names in use and grows.
    """
    names = [""] * len(groups)
    codes = frozenset(taken)
    for place in sorted(range(len(groups)), key=lambda g: (-_size(groups[g], briefs), groups[g].clusters)):
        group = groups[place]
        options = _options([briefs[k] for k in group.clusters], briefs)
        options = [_apart(option, codes) for option in options]
        options += [_spare(name) for name in group.spare_names]
        ranked = rank(options, 0, _centre(group.clusters, briefs, centroids)[None, :], embedder)
        name = _first_free(ranked, taken, fallback=f"Theme {place + 1}")
        taken.add(identity(name))
        names[place] = sentence_case(name)
    return names


def _size(group: Group, briefs: Sequence[Brief]) -> int:
    return sum(briefs[k].n_answers for k in group.clusters)


def _centre(group: Sequence[int], briefs: Sequence[Brief], centroids: Vectors) -> Vectors:
    mass = np.array([briefs[k].n_answers for k in group], dtype=np.float32)
    mean = mass @ centroids[list(group)]
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def _options(own: Sequence[Brief], every: Sequence[Brief]) -> list[Candidate]:
    """General themes, two of them together, and nouns and phrases that the codes share."""
    everything = shared(own, every)
    themes = [part for part in everything if part.kind == "theme"]
    trust = math.sqrt(known(every))  # where general themes say little about the survey, they name little of it
    options = [Candidate(part.text, trust * _held(part), part.share) for part in themes]
    options += [Candidate(pair.text, trust * PAIR_FIT * pair.strength, pair.share) for pair in _pairs(themes)]
    for part in everything:
        if part.kind != "theme" and part.broad >= MOST and (fit := _broad(part)) > 0:
            fit *= trust if part.kind == "topic" else 1.0
            options.append(Candidate(part.text, fit * part.strength, part.share))
    return sorted(options, key=lambda o: (-o.strength, o.text))[:CONSIDERED]


def _held(part: Shared) -> float:
    """A general theme that holds for few of the codes is still better than no name."""
    return part.strength * (1.0 if part.broad >= MOST else FEW_CODES)


def _apart(option: Candidate, codes: frozenset[frozenset[str]]) -> Candidate:
    """A theme whose usual name is one of the codes' names has another."""
    other = THEME_NAMES.get(option.text)
    return replace(option, text=other) if other and identity(option.text) in codes else option


def _pairs(themes: Sequence[Shared]) -> list[Shared]:
    """ "Food and environment": two themes of which each has a code that is mostly about it."""
    short = [t for t in themes if " " not in t.text and (t.shares >= LEADING).any()]
    pairs = []
    for first, second in combinations(sorted(short, key=lambda t: (-t.share, t.text)), 2):
        leads = first.shares >= second.shares
        if leads.all() or not leads.any():
            continue
        text = f"{first.text} and {second.text[:1].lower()}{second.text[1:]}"
        both = 1 - (1 - first.shares) * (1 - second.shares)
        away = 1 - (1 - first.elsewhere) * (1 - second.elsewhere)
        pairs.append(Shared(text, "theme", both, first.mass, away))
    return pairs


def _spare(name: str) -> Candidate:
    """Two codes' names together hold for both; what one code could have been called may hold for it alone."""
    if name.endswith(REST):
        return Candidate(name, LAST, 0.0)
    return Candidate(name, SPARE - LISTED, 1.0) if AND.search(name) else Candidate(name, SPARE, 0.05)


def _broad(part: Shared) -> float:
    if part.kind == "topic":
        return TOPIC_FIT * (0.5 if is_judgement(part.text) else 1.0)
    if part.fit in {0.0, PAIR, PROPER} or " and " in part.text or part.text.split()[0] in VERBS - NOUNS_TOO:
        return 0.0
    return WORD_FIT * max(part.fit, 0.75)


def _first_free(ranked: Sequence[tuple[float, Candidate]], taken: set[frozenset[str]], *, fallback: str) -> str:
    for _, option in ranked:
        if identity(option.text) not in taken:
            return option.text
    return fallback
