"""Which codes belong together, and what the themes above them are called."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.naming import Candidate, rank, sentence_case, stems
from holdfast.codeframe.values import Brief, Floats, Hierarchy, Phrase, Vectors
from holdfast.codeframe.words import is_adjective, is_noun


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that will be one theme."""

    clusters: tuple[int, ...]
    spare_names: tuple[str, ...]  # what the largest codes could also have been called


FLAT_UP_TO = 7  # codes an adaptive frame keeps without themes
LEAST_TELLING = 0.05  # below it the best word says too little to be trusted
SAID_OFTEN = 0.12  # share of the theme's answers above which a word need not be said more often to name it
PHRASES = 12  # of one code, that may name its theme


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
        return [max(1, min(n_codes - 1, round(1.25 * math.sqrt(n_codes))))]
    top = max(1, min(n_codes - 1, round(0.8 * math.sqrt(n_codes))))
    return [top, max(top, min(n_codes - 1, round(2.2 * math.sqrt(n_codes))))]


def cut(tree: Floats, n_clusters: int, n_themes: int) -> list[int]:
    """Cluster -> theme, from one tree, so that finer cuts nest in coarser ones."""
    if n_clusters <= 1 or n_themes <= 1:
        return [0] * n_clusters
    return [int(label) - 1 for label in fcluster(tree, n_themes, "maxclust")]


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
    for place in sorted(range(len(groups)), key=lambda g: (-_size(groups[g], briefs), groups[g].clusters)):
        group = groups[place]
        options = _options([briefs[k] for k in group.clusters], briefs)
        options += [Candidate(name, 0.35, 0.0) for name in group.spare_names[:8]]
        ranked = rank(options, _centre(group.clusters, briefs, centroids), centroids[:0], embedder)
        name = _first_free(ranked, taken, fallback=f"Theme {place + 1}")
        taken.add(stems(name) or frozenset({name.lower()}))
        names[place] = sentence_case(name)
    return names


def _size(group: Group, briefs: Sequence[Brief]) -> int:
    return sum(briefs[k].n_answers for k in group.clusters)


def _centre(group: Sequence[int], briefs: Sequence[Brief], centroids: Vectors) -> Vectors:
    mass = np.array([briefs[k].n_answers for k in group], dtype=np.float32)
    mean = mass @ centroids[list(group)]
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def _options(own: Sequence[Brief], every: Sequence[Brief]) -> list[Candidate]:
    """Phrases that many codes of the theme share and few others do; single nouns are welcome, and pairs of them."""
    inside, outside = _shares(own), _shares(every)
    n_own, n_all = sum(b.n_answers for b in own), sum(b.n_answers for b in every)
    scored = []
    for text, (count, breadth) in inside.items():
        share = count / max(n_own, 1)
        away = (outside[text][0] - count + 0.5) / (n_all - n_own + 1)
        telling = share * math.log(max(share / away, 1.0)) * (breadth / len(own)) ** 0.5 * min(1.0, share / SAID_OFTEN)
        scored.append((telling * _broad(text), text, share))
    scored.sort(key=lambda part: (-part[0], part[1]))
    best = max(scored[0][0] if scored else 0.0, LEAST_TELLING)
    singles = [Candidate(text, math.sqrt(max(value, 0) / best), share) for value, text, share in scored[:12]]
    nouns = [option for option in singles if len(option.text.split()) == 1 and is_noun(option.text.lower())][:5]
    pairs = [
        Candidate(f"{a.text} and {b.text}", 0.9 * math.sqrt((a.strength**2 + b.strength**2) / 1.3), a.share + b.share)
        for n, a in enumerate(nouns)
        for b in nouns[n + 1 :]
        if not stems(a.text) & stems(b.text)
    ]
    return singles + pairs


def _shares(briefs: Sequence[Brief]) -> dict[str, tuple[float, int]]:
    """Phrase -> (answers that say it, codes that have it)."""
    found: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for brief in briefs:
        for phrase in _usable(brief.phrases):
            count, breadth = found[phrase.text]
            scaled = phrase.share * brief.n_answers
            found[phrase.text] = (count + scaled, breadth + 1)
    return found


def _usable(phrases: Sequence[Phrase]) -> list[Phrase]:
    singles = [phrase for phrase in phrases if " " not in phrase.text]
    longer = [phrase for phrase in phrases if " " in phrase.text]
    return [phrase for phrase in singles + longer[:PHRASES] if "'" not in phrase.text and len(phrase.text) > 2]


def _broad(text: str) -> float:
    words = text.lower().split()
    if len(words) == 1:
        return 1.0 if is_noun(words[0]) else 0.03 if is_adjective(words[0]) else 0.1
    return 0.9 if is_noun(words[-1]) else 0.3


def _first_free(ranked: Sequence[tuple[float, Candidate]], taken: set[frozenset[str]], *, fallback: str) -> str:
    for _, option in ranked:
        own = stems(option.text)
        if own and own not in taken:
            return option.text
    return fallback
