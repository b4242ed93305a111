"""Which codes belong together, and what the themes above them are called."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.grammar import PROPER
from holdfast.codeframe.naming import Candidate, identity, rank, sentence_case, stems
from holdfast.codeframe.shapes import PAIR, readable
from holdfast.codeframe.topics import PLACES, THEME_NAMES, THEMES, TOPICS
from holdfast.codeframe.trees import branches, ward_tree
from holdfast.codeframe.values import Brief, Floats, Hierarchy, Vectors
from holdfast.codeframe.words import NOUNS_TOO, VERBS


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


FLAT_UP_TO = 7  # codes an adaptive frame keeps without themes
NOT_LARGEST = 0.6  # what a name keeps that does not hold for the largest code
SHARED, MOST, FEW_CODES = 0.2, 0.5, 0.3  # a theme's name is said by SHARED of the answers of most of its codes
LEADING = 0.35  # share of a code's answers that makes it a code of a theme
PAIR_FIT, TOPIC_FIT, WORD_FIT, SPARE = 0.85, 0.8, 0.8, 0.1
CONSIDERED = 14
SPARE_WORDS = 4
LISTED = 0.25  # what a name loses that only lists two codes
ENGLISH, ANY_LANGUAGE = " and ", " / "  # what joins two names
REST, LAST = "…", -9.0  # ends the name of a theme that is left without any other
AND = re.compile(r" and | / ")
EXTRA_THEMES = 3  # one more theme for every so many, where themes would not hold
TOPICAL = 1.5  # weight of the themes beside the meaning, for the tree of a survey that is all about known themes


def levels_of(hierarchy: Hierarchy, n_codes: int) -> int:
    """How many levels of themes stand above the codes."""
    if hierarchy == "adaptive":
        return 0 if n_codes <= FLAT_UP_TO else 1
    return {"flat": 0, "two_level": 1, "three_level": 2}[hierarchy]


def theme_sizes(levels: int, n_codes: int) -> list[int]:
    """How many themes each level has, from the top."""
    if levels == 0:
        return []
    if levels == 1:
        return [max(1, min(n_codes - 1, round(1.5 * math.sqrt(n_codes))))]
    top = max(1, min(n_codes - 1, round(0.8 * math.sqrt(n_codes))))
    return [top, max(top, min(n_codes - 1, round(2.2 * math.sqrt(n_codes))))]


def theme_tree(centroids: Vectors, briefs: Sequence[Brief]) -> Floats:
    """Ward linkage over what the clusters mean and which general themes their answers are about."""
    if len(briefs) < 2:
        return np.zeros((0, 4))
    shares = _said(briefs)
    profile = np.array([[shares[theme, "theme"].get(brief.k, 0.0) for theme in THEMES] for brief in briefs])
    mass = np.array([brief.n_answers for brief in briefs], dtype=np.float64)
    profile -= mass @ profile / mass.sum()
    return ward_tree(np.hstack([centroids.astype(np.float64), TOPICAL * _known(briefs) * profile]))


def _known(briefs: Sequence[Brief]) -> float:
    """The share of the answers whose codes are about a general theme: 1 for patients, little for requests to a bank."""
    known = sum(b.n_answers for b in briefs if any(p.kind == "theme" and p.share >= LEADING for p in b.phrases))
    return known / max(sum(b.n_answers for b in briefs), 1)


def cut(tree: Floats, n_clusters: int, n_themes: int) -> list[int]:
    """Cluster -> theme, from one tree, so that finer cuts nest in coarser ones."""
    if n_clusters <= 1 or n_themes <= 1:
        return [0] * n_clusters
    return [int(label) for label in branches(tree, n_themes)]


def cut_to_hold(tree: Floats, briefs: Sequence[Brief], n_themes: int) -> list[int]:
    """As `cut`, but a theme of known topics that most of its answers do not share is split further, a few times."""
    themes = cut(tree, len(briefs), n_themes)
    for _ in range(max(1, n_themes // EXTRA_THEMES)):
        loose = [theme for theme in set(themes) if _is_loose([b for b in briefs if themes[b.k] == theme])]
        if not loose:
            break
        worst = max(loose, key=lambda theme: (sum(b.n_answers for b in briefs if themes[b.k] == theme), -theme))
        themes = _split(tree, themes, worst)
    return themes


def _is_loose(own: Sequence[Brief]) -> bool:
    shares = [[phrase.share for phrase in brief.phrases if phrase.kind == "theme"] for brief in own]
    known = any(share >= LEADING for part in shares for share in part)
    return len(own) > 1 and known and max(option.broad for option in _shared(own, own)) < MOST


def _split(tree: Floats, themes: list[int], theme: int) -> list[int]:
    """At the theme's own top branch."""
    for finer in range(2, len(themes) + 1):
        parts = cut(tree, len(themes), finer)
        inside = [parts[k] for k, own in enumerate(themes) if own == theme]
        if len(set(inside)) > 1:
            return [max(themes) + 1 if own == theme and parts[k] == inside[0] else own for k, own in enumerate(themes)]
    return themes


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


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a theme's answers say: one share for each of its codes, and over all of them."""

    text: str
    kind: str
    shares: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]  # of the codes, 1 in all
    elsewhere: float
    fit: float = 1.0

    @property
    def share(self) -> float:
        return float(self.shares @ self.mass)

    @property
    def broad(self) -> float:
        """The share of the answers whose codes say it often."""
        return float(self.mass[self.shares >= SHARED].sum())

    @property
    def strength(self) -> float:
        """By counting; less where it does not hold for the largest code."""
        kept = math.sqrt(self.share) * self.share / max(self.share + self.elsewhere, 1e-9)
        largest = float(self.shares[np.argmax(self.mass)])
        return kept * (1.0 if largest >= SHARED else NOT_LARGEST)


def _shared(own: Sequence[Brief], every: Sequence[Brief]) -> list[_Shared]:
    """All that is said in a theme's codes."""
    inside, outside = _said(own), _said(every)
    fits: dict[tuple[str, str], float] = {(p.text, p.kind): p.fit for brief in own for p in brief.phrases}
    mass = np.array([brief.n_answers for brief in own], dtype=np.float64)
    answers = {brief.k: brief.n_answers for brief in every}
    rest = sum(answers.values()) - mass.sum()
    shared = []
    for (text, kind), shares in inside.items():
        given = np.array([shares.get(brief.k, 0.0) for brief in own])
        total = sum(share * answers[k] for k, share in outside[text, kind].items())
        away = float((total - given @ mass) / rest) if rest > 0 else 0.0
        shared.append(_Shared(text, kind, given, mass / mass.sum(), max(away, 0.0), fits[text, kind]))
    return shared


def _options(own: Sequence[Brief], every: Sequence[Brief]) -> list[Candidate]:
    """General themes, two of them together, and nouns and phrases that the codes share."""
    shared = _shared(own, every)
    themes = [part for part in shared if part.kind == "theme"]
    trust = math.sqrt(_known(every))  # where general themes say little about the survey, they name little of it
    options = [Candidate(part.text, trust * _held(part), part.share) for part in themes]
    options += [Candidate(pair.text, trust * PAIR_FIT * pair.strength, pair.share) for pair in _pairs(themes)]
    for part in shared:
        if part.kind != "theme" and part.broad >= MOST and (fit := _broad(part)) > 0:
            fit *= trust if part.kind == "topic" else 1.0
            options.append(Candidate(part.text, fit * part.strength, part.share))
    return sorted(options, key=lambda o: (-o.strength, o.text))[:CONSIDERED]


def _held(part: _Shared) -> float:
    """A general theme that holds for few of the codes is still better than no name."""
    return part.strength * (1.0 if part.broad >= MOST else FEW_CODES)


def _apart(option: Candidate, codes: frozenset[frozenset[str]]) -> Candidate:
    """A theme whose usual name is one of the codes' names has another."""
    other = THEME_NAMES.get(option.text)
    return replace(option, text=other) if other and identity(option.text) in codes else option


def _said(briefs: Sequence[Brief]) -> dict[tuple[str, str], dict[int, float]]:
    """What is said -> cluster -> share of its answers."""
    found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for brief in briefs:
        for phrase in brief.phrases:
            found[phrase.text, phrase.kind][brief.k] = phrase.share
    return found


def _pairs(themes: Sequence[_Shared]) -> list[_Shared]:
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
        pairs.append(_Shared(text, "theme", both, first.mass, away))
    return pairs


def _spare(name: str) -> Candidate:
    """Two codes' names together hold for both; what one code could have been called may hold for it alone."""
    if name.endswith(REST):
        return Candidate(name, LAST, 0.0)
    return Candidate(name, SPARE - LISTED, 1.0) if AND.search(name) else Candidate(name, SPARE, 0.05)


def _broad(part: _Shared) -> float:
    if part.kind == "topic":
        return TOPIC_FIT * (0.5 if TOPICS[PLACES[part.text]].judgement else 1.0)
    if part.fit in {0.0, PAIR, PROPER} or " and " in part.text or part.text.split()[0] in VERBS - NOUNS_TOO:
        return 0.0
    return WORD_FIT * max(part.fit, 0.75)


def _first_free(ranked: Sequence[tuple[float, Candidate]], taken: set[frozenset[str]], *, fallback: str) -> str:
    for _, option in ranked:
        if identity(option.text) not in taken:
            return option.text
    return fallback
