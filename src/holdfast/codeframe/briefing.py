"""A brief for every cluster: exemplars, contrast and telling phrases, counted once for all clusters together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.clustering import Clustering
from holdfast.codeframe.evidence import Evidence
from holdfast.codeframe.exemplars import choose, exemplar_of, typicality
from holdfast.codeframe.grammar import Grammar
from holdfast.codeframe.keyphrases import PhraseCounts, Spellings, count_phrases, rank_phrases
from holdfast.codeframe.points import what_is_said
from holdfast.codeframe.preprocess import Prepared
from holdfast.codeframe.values import Brief, Phrase, Vectors

EXEMPLARS = 24  # a model may read them all; a person sees the first few
WITNESSES = 30  # phrases and topics for which the brief holds an answer that says them
OUTSIDERS = 6
MOST_EXEMPLARS = EXEMPLARS + WITNESSES
NEIGHBOURS = 3
COUNTED = 400  # distinct texts of a cluster whose phrases are counted


def write_briefs(prepared: Prepared, vectors: Vectors, found: Clustering) -> tuple[Brief, ...]:
    """One brief a cluster, in the order of the clusters."""
    if found.n_clusters == 0:
        return ()
    order = np.argsort(found.labels, kind="stable")
    sizes = np.bincount(found.labels, minlength=found.n_clusters)
    members = np.split(order, np.cumsum(sizes)[:-1])
    spellings = Spellings()
    sampled = [rows[:: -(-len(rows) // COUNTED)] for rows in members]  # evenly spread over a large cluster
    counted = [count_phrases(_weighted(prepared, rows), spellings) for rows in sampled]
    rest = _total(counted)
    near = _neighbours(found.centroids)
    writer = _BriefWriter(prepared, vectors, found, members, _evidence(prepared, found, sampled), spellings.grammar)
    briefs = []
    for k in range(found.n_clusters):
        beside = [counted[n] for n in near[k]]
        briefs.append(writer.write(k, near[k], rank_phrases(counted[k], beside, rest, spellings)))
    return tuple(briefs)


@dataclass(frozen=True, slots=True)
class _Sampled:
    """An index of the sampled answers, and which distinct texts they are."""

    evidence: Evidence
    rows: npt.NDArray[np.intp]


def _evidence(prepared: Prepared, found: Clustering, sampled: list[npt.NDArray[np.intp]]) -> _Sampled:
    rows = np.concatenate(sampled)
    texts = [prepared.distinct[row] for row in rows]
    return _Sampled(Evidence(texts, prepared.weights[rows], found.labels[rows], found.n_clusters), rows)


class _BriefWriter:
    """Chooses the answers a brief shows."""

    def __init__(
        self,
        prepared: Prepared,
        vectors: Vectors,
        found: Clustering,
        members: list[npt.NDArray[np.intp]],
        sampled: _Sampled,
        grammar: Grammar,
    ) -> None:
        self._sampled, self._grammar = sampled, grammar
        self._prepared, self._vectors, self._found, self._members = prepared, vectors, found, members
        self._lengths = np.array([len(text.split()) for text in prepared.distinct], dtype=np.int32)

    def write(self, k: int, near: npt.NDArray[np.intp], phrases: tuple[Phrase, ...]) -> Brief:
        rows = self._members[k]
        similar = self._vectors[rows] @ self._found.centroids[k]
        mass = self._prepared.weights[rows]
        scores = typicality(similar, self._lengths[rows], mass)
        typical = rows[choose(self._vectors[rows], scores, EXEMPLARS)]
        said = what_is_said(k, phrases, self._sampled.evidence, self._grammar)
        shown = dict.fromkeys([*map(int, typical), *self._witnesses(k, said)])
        return Brief(
            k=k,
            n_answers=int(mass.sum()),
            n_distinct=len(rows),
            cohesion=round(float(similar @ mass / mass.sum()), 4),
            exemplars=tuple(exemplar_of(self._prepared, row) for row in shown),
            outsiders=self._outsiders(k, near),
            neighbours=tuple(int(n) for n in near),
            phrases=said,
        )

    def _witnesses(self, k: int, said: tuple[Phrase, ...]) -> list[int]:
        """For each of the best phrases and topics, the most typical answer that says it."""
        found = []
        for phrase in [phrase for phrase in said if phrase.kind != "theme"][:WITNESSES]:
            places = self._sampled.evidence.speaking(phrase)
            rows = self._sampled.rows[places]
            rows = rows[self._found.labels[rows] == k]
            if len(rows):
                similar = self._vectors[rows] @ self._found.centroids[k]
                scores = typicality(similar, self._lengths[rows], self._prepared.weights[rows])
                found.append(int(rows[np.argmax(scores)]))
        return found

    def _outsiders(self, k: int, near: npt.NDArray[np.intp]) -> tuple[str, ...]:
        """Answers of the neighbours that are nearly in this cluster."""
        texts = []
        for other in near:
            rows = self._members[int(other)]
            similar = self._vectors[rows] @ self._found.centroids[k]
            best = np.argsort(-similar, kind="stable")[: OUTSIDERS // NEIGHBOURS]
            texts += [exemplar_of(self._prepared, int(rows[place])).text for place in best]
        return tuple(texts)


def _weighted(prepared: Prepared, rows: npt.NDArray[np.intp]) -> list[tuple[str, int]]:
    return [(prepared.distinct[row], int(prepared.weights[row])) for row in rows]


def _total(counted: list[PhraseCounts]) -> PhraseCounts:
    total = PhraseCounts()
    for part in counted:
        total.answers += part.answers
        for key, count in part.counts.items():
            total.counts[key] += count
    return total


def _neighbours(centroids: Vectors) -> npt.NDArray[np.intp]:
    similar = centroids @ centroids.T
    np.fill_diagonal(similar, -np.inf)
    return np.argsort(-similar, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(centroids) - 1)]
