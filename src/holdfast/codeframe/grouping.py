"""Which codes belong together: a tree over what they mean and are about, cut where its themes still hold."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.topics import PLACES, THEMES, TOPICS
from holdfast.codeframe.trees import branches, ward_tree
from holdfast.codeframe.values import Brief, Floats, Hierarchy, Vectors

FLAT_UP_TO = 7  # codes an adaptive frame keeps without themes
NOT_LARGEST = 0.6  # what a name keeps that does not hold for the largest code
SHARED, MOST = 0.2, 0.5  # a theme's name is said by SHARED of the answers of most of its codes
LEADING = 0.35  # share of a code's answers that makes it a code of a theme
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
    shares = said(briefs)
    profile = np.array([[shares[theme, "theme"].get(brief.k, 0.0) for theme in THEMES] for brief in briefs])
    mass = np.array([brief.n_answers for brief in briefs], dtype=np.float64)
    profile -= mass @ profile / mass.sum()
    return ward_tree(np.hstack([centroids.astype(np.float64), TOPICAL * known(briefs) * profile]))


def known(briefs: Sequence[Brief]) -> float:
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
    return len(own) > 1 and known and max(option.broad for option in shared(own, own)) < MOST


def at_home(themes: Sequence[int], briefs: Sequence[Brief], names: Mapping[int, str]) -> list[int]:
    """As `themes`, but clusters whose name is a known topic are in the theme that is most about its general theme.

    Nearness alone puts "Medication" beside "Waiting times", for whoever waits for it says both.
    """
    about = {k: TOPICS[PLACES[name]].theme for k, name in names.items() if name in PLACES}
    inside = {theme: [brief for brief in briefs if themes[brief.k] == theme] for theme in sorted(set(themes))}
    leading = {theme: _leading(own, briefs) for theme, own in inside.items()}
    size = {t: sum(b.n_answers for b in own if about.get(b.k) == leading[t]) for t, own in inside.items()}
    homes = {leading[theme]: theme for theme in sorted(inside, key=lambda theme: (size[theme], -theme))}
    mixed = {theme for theme, own in inside.items() if any(about.get(b.k) != leading[theme] for b in own)}
    found = list(themes)
    for k, wanted in about.items():
        stays = leading[themes[k]] == wanted and themes[k] in mixed
        if wanted in homes and not stays:
            found[k] = homes[wanted]
    return found


def _leading(own: Sequence[Brief], every: Sequence[Brief]) -> str:
    """The general theme that a group of clusters is about, if it is about one."""
    themes = [part for part in shared(own, every) if part.kind == "theme" and part.broad >= MOST]
    return max(themes, key=lambda part: (part.strength, part.text)).text if themes else ""


def _split(tree: Floats, themes: list[int], theme: int) -> list[int]:
    """At the theme's own top branch."""
    for finer in range(2, len(themes) + 1):
        parts = cut(tree, len(themes), finer)
        inside = [parts[k] for k, own in enumerate(themes) if own == theme]
        if len(set(inside)) > 1:
            return [max(themes) + 1 if own == theme and parts[k] == inside[0] else own for k, own in enumerate(themes)]
    return themes


@dataclass(frozen=True, slots=True)
class Shared:
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


def shared(own: Sequence[Brief], every: Sequence[Brief]) -> list[Shared]:
    """All that is said in a theme's codes."""
    inside, outside = said(own), said(every)
    fits: dict[tuple[str, str], float] = {(p.text, p.kind): p.fit for brief in own for p in brief.phrases}
    mass = np.array([brief.n_answers for brief in own], dtype=np.float64)
    answers = {brief.k: brief.n_answers for brief in every}
    rest = sum(answers.values()) - mass.sum()
    found = []
    for (text, kind), shares in inside.items():
        given = np.array([shares.get(brief.k, 0.0) for brief in own])
        total = sum(share * answers[k] for k, share in outside[text, kind].items())
        away = float((total - given @ mass) / rest) if rest > 0 else 0.0
        found.append(Shared(text, kind, given, mass / mass.sum(), max(away, 0.0), fits[text, kind]))
    return found


def said(briefs: Sequence[Brief]) -> dict[tuple[str, str], dict[int, float]]:
    """What is said -> cluster -> share of its answers."""
    found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for brief in briefs:
        for phrase in brief.phrases:
            found[phrase.text, phrase.kind][brief.k] = phrase.share
    return found
