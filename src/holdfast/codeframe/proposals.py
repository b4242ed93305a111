"""What a model proposes for the frame as a whole: codes that are one, and the themes above them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from holdfast.codeframe.values import ClusterLabel, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Clusters that are one code."""

    clusters: tuple[int, ...]
    name: str  # empty: that of the first
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedTheme:
    """Clusters whose codes stand under one theme."""

    clusters: tuple[int, ...]
    name: str
    description: str
    group: str  # the theme above it in a frame of three levels, or empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A checked proposal: known clusters only, each at most once among the merges and once among the themes."""

    merges: tuple[Merge, ...] = ()
    themes: tuple[ProposedTheme, ...] = ()  # empty: the frame finds its own
    notes: tuple[str, ...] = ()  # what of the reply was not used

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        def parts(name: str) -> list[dict[str, Any]]:
            return [{**part, "clusters": tuple(part["clusters"])} for part in value[name]]

        return cls(
            merges=tuple(Merge(**part) for part in parts("merges")),
            themes=tuple(ProposedTheme(**part) for part in parts("themes")),
            notes=tuple(value["notes"]),
        )

    def level(self, depth: int) -> list[ProposedTheme]:
        """The themes of a level, 0 for the one right above the codes; empty where there is no such proposal."""
        if depth == 0:
            return list(self.themes)
        named = dict.fromkeys(theme.group for theme in self.themes)
        if depth > 1 or "" in named or not 1 < len(named) < len(self.themes):
            return []
        return [_group(name, [theme for theme in self.themes if theme.group == name]) for name in named]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The labels of the clusters, and what is proposed for the frame they make together."""

    labels: Mapping[int, ClusterLabel]
    proposal: Proposal = field(default_factory=Proposal)


def placed(themes: Sequence[ProposedTheme], centroids: Vectors) -> list[int]:
    """Cluster -> place of its theme; a cluster in none goes where the one most like it went."""
    of = {k: place for place, theme in enumerate(themes) for k in theme.clusters}
    known = sorted(of)
    nearest = np.argmax(centroids @ centroids[known].T, axis=1)
    return [of.get(k, of[known[int(nearest[k])]]) for k in range(len(centroids))]


def _group(name: str, themes: Sequence[ProposedTheme]) -> ProposedTheme:
    clusters = tuple(k for theme in themes for k in theme.clusters)
    return ProposedTheme(clusters=clusters, name=name, description="", group="")
