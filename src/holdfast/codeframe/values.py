"""The values that travel between the stages; every one can be stored and read by another process."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.packing import pack, unpack

Vectors: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]
Hierarchy: TypeAlias = Literal["flat", "two_level", "three_level", "adaptive"]
NodeType: TypeAlias = Literal["theme", "code"]
PhraseKind: TypeAlias = Literal["phrase", "topic", "theme"]
Kind: TypeAlias = Literal["content", "other", "rule"]

OTHER_NUMBER, FIRST_THEME, APART_NUMBER = 995, 1001, 1999  # of every frame's Other, themes, and theme of no content


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameConfig:
    """What the user asked for."""

    n_clusters: int | None = None  # None: estimated
    hierarchy: Hierarchy = "adaptive"
    min_cluster_size: int = 5  # answers a cluster must have when the number of clusters is estimated
    min_samples: int = 3  # different answers it must have then
    existing_codes: tuple[str, ...] = ()
    target_language: str = "en"  # for model labels; offline names keep the answers' own language
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "existing_codes": list(self.existing_codes)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "existing_codes": tuple(value.get("existing_codes", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What answers of a cluster say: in their own words, or as one of the topics people talk about in surveys."""

    text: str
    count: float  # answers of the cluster that say it
    share: float  # of the cluster's answers
    elsewhere: float  # share of all other clusters' answers that say it
    score: float  # how well it tells this cluster from its neighbours
    kind: PhraseKind = "phrase"
    fit: float = 1.0  # how well it reads as a name, 0 (not at all) to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A typical answer of a cluster."""

    distinct: int  # index into Prepared.distinct
    text: str  # cut to a readable length
    weight: int  # rows that say exactly this


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that is needed to label one cluster, so that a label unit reads nothing else."""

    k: int
    n_answers: int
    n_distinct: int
    cohesion: float  # mean cosine of the answers to the centroid
    exemplars: tuple[Exemplar, ...]  # typical first, then diverse
    outsiders: tuple[str, ...]  # nearest answers of neighbour clusters, for contrast
    neighbours: tuple[int, ...]  # nearest clusters
    phrases: tuple[Phrase, ...]  # best first

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **value,
                "exemplars": tuple(Exemplar(**part) for part in value["exemplars"]),
                "outsiders": tuple(value["outsiders"]),
                "neighbours": tuple(value["neighbours"]),
                "phrases": tuple(Phrase(**part) for part in value["phrases"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class ClusterResult:
    """The clusters of the distinct texts, their tree, and a brief for each."""

    labels: Ints  # distinct text -> cluster
    nearest: Ints  # distinct text -> its three nearest clusters, best first (-1: there are fewer)
    affinity: Vectors  # cosine to each of these, after smoothing
    centroids: Vectors  # unit rows, in the space of the plain vectors
    tree: Floats  # Ward linkage over the centroids (scipy's layout)
    briefs: tuple[Brief, ...]
    automatic: bool  # the number of clusters was estimated
    notes: tuple[str, ...]  # what the user must know, e.g. why there are fewer clusters than asked

    @property
    def n_clusters(self) -> int:
        return len(self.briefs)

    def to_bytes(self) -> bytes:
        meta = {"automatic": self.automatic, "notes": list(self.notes), "briefs": [asdict(b) for b in self.briefs]}
        small = self.affinity.astype(np.float16)
        arrays: dict[str, npt.NDArray[Any]] = {"labels": self.labels, "nearest": self.nearest, "affinity": small}
        return pack(meta, {**arrays, "centroids": self.centroids, "tree": self.tree})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        meta, arrays = unpack(data)
        briefs = tuple(Brief.from_json(part) for part in meta["briefs"])
        arrays["affinity"] = arrays["affinity"].astype(np.float32)
        return cls(briefs=briefs, automatic=meta["automatic"], notes=tuple(meta["notes"]), **arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLabel:
    """What a cluster is called, by whoever labelled it (offline words or a model)."""

    k: int
    name: str  # 2-5 words
    description: str
    confidence: float  # 0..1
    keyphrases: tuple[str, ...]
    exemplars: tuple[int, ...]  # distinct texts, most typical first
    alternatives: tuple[str, ...] = ()  # next best names, used when two clusters want the same one
    unread: int = 0  # parts of its cluster that the label was made without: no reply for them could be used

    def to_json(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("keyphrases", "exemplars", "alternatives")}
        return {**asdict(self), **lists}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        lists = {name: tuple(value.get(name, ())) for name in ("keyphrases", "exemplars", "alternatives")}
        return cls(**{**value, **lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A theme or a code of the codeframe."""

    key: str  # unique in the frame, e.g. "theme/2", "code/17", "other", "rule/nothing"
    parent: str | None  # key of the node above
    node_type: NodeType
    kind: Kind  # "rule" and "other" stand apart from the content
    level: int  # 1 at the top
    position: int  # among its siblings, 0 first
    number: int  # stable numeric id; codes 1.., themes 1001.., 9xx for Other and the rule codes
    name: str
    description: str
    confidence: float  # 0..1
    keyphrases: tuple[str, ...]
    exemplars: tuple[int, ...]  # rows
    n_answers: int  # rows that have this code, or any code below this theme
    share: float  # of all rows
    existing: str | None = None  # the existing code it was linked to
    clusters: tuple[int, ...] = ()  # clusters it stands for

    def to_json(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("keyphrases", "exemplars", "clusters")}
        return {**asdict(self), **lists}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, **{name: tuple(value[name]) for name in ("keyphrases", "exemplars", "clusters")}})


@dataclass(frozen=True, kw_only=True)
class Assignments:
    """Every row's codes, by the nodes' numbers."""

    best: Ints  # row -> number of its best code (Other's and rule codes' numbers included)
    score: Vectors  # row -> 0..1; rule codes have 1
    offsets: Ints  # codes of row r are numbers[offsets[r]:offsets[r + 1]], the best first
    numbers: Ints
    scores: Vectors  # parallel to numbers

    def codes(self, row: int) -> tuple[int, ...]:
        """All codes of a row, the best first."""
        return tuple(int(n) for n in self.numbers[self.offsets[row] : self.offsets[row + 1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class MeceIssue:
    """Something about the frame a person should look at."""

    kind: Literal["overlap", "double_coded", "coverage"]
    severity: Literal["error", "warning"]
    message: str
    nodes: tuple[str, ...]  # keys
    value: float  # the figure that was too high or too low


@dataclass(frozen=True, slots=True, kw_only=True)
class Mece:
    """How mutually exclusive and collectively exhaustive the frame is."""

    score: float  # 0..100
    exclusivity: float  # 0..1
    exhaustiveness: float  # 0..1
    issues: tuple[MeceIssue, ...]
    stability: float | None = None  # how far the clusters come out again, up to 1; no part of the score

    def to_json(self) -> dict[str, Any]:
        issues = [{**asdict(issue), "nodes": list(issue.nodes)} for issue in self.issues]
        return {**asdict(self), "issues": issues}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        issues = tuple(MeceIssue(**{**part, "nodes": tuple(part["nodes"])}) for part in value["issues"])
        return cls(**{**value, "issues": issues})


@dataclass(frozen=True, kw_only=True)
class AssembledFrame:
    """The finished codeframe: nodes in reading order, every row's codes, and the check."""

    nodes: tuple[Node, ...]  # a parent before its children
    assignments: Assignments
    mece: Mece
    notes: tuple[str, ...]

    @cached_property
    def by_number(self) -> dict[int, Node]:
        return {node.number: node for node in self.nodes}

    def to_bytes(self) -> bytes:
        meta = {"nodes": [n.to_json() for n in self.nodes], "mece": self.mece.to_json(), "notes": list(self.notes)}
        return pack(meta, asdict(self.assignments))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        meta, arrays = unpack(data)
        nodes = tuple(Node.from_json(part) for part in meta["nodes"])
        mece = Mece.from_json(meta["mece"])
        return cls(nodes=nodes, assignments=Assignments(**arrays), mece=mece, notes=tuple(meta["notes"]))
