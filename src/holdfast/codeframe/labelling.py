"""The offline label of a cluster: a name a person would write, from the answers' own words."""

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.naming import candidates, different, rank, sentence_case, stems
from holdfast.codeframe.values import Brief, ClusterLabel, Phrase, Vectors

KEYPHRASES = 8
ALTERNATIVES = 6
EXEMPLARS = 8
QUOTED = 120  # characters of the answer quoted in a description


def label_cluster(brief: Brief, centroids: Vectors, *, embedder: Embedder | None = None) -> ClusterLabel:
    """Never fails: without a telling phrase the most typical answer gives the name."""
    answers = [exemplar.text for exemplar in brief.exemplars]
    ranked = rank(candidates(brief.phrases, answers), centroids[brief.k], centroids[list(brief.neighbours)], embedder)
    names = [sentence_case(option.text) for option in different(ranked, ALTERNATIVES + 1)]
    if not names:
        names = [sentence_case(" ".join(answers[0].split()[:5]) if answers else f"Cluster {brief.k + 1}")]
    keyphrases = _keyphrases(brief.phrases)
    return ClusterLabel(
        k=brief.k,
        name=names[0],
        description=_description(keyphrases, answers),
        confidence=_confidence(brief),
        keyphrases=keyphrases,
        exemplars=tuple(exemplar.distinct for exemplar in brief.exemplars[:EXEMPLARS]),
        alternatives=tuple(names[1:]),
    )


def _keyphrases(phrases: tuple[Phrase, ...]) -> tuple[str, ...]:
    """The best, without those that only say part of a better one."""
    chosen: list[str] = []
    for phrase in phrases:
        own = stems(phrase.text)
        if own and not any(own <= stems(other) for other in chosen):
            chosen.append(phrase.text)
        if len(chosen) == KEYPHRASES:
            break
    return tuple(chosen)


def _description(keyphrases: tuple[str, ...], answers: list[str]) -> str:
    quote = next((text for text in answers if len(text.split()) >= 3 and len(text) <= QUOTED), "")
    said = f"Typically: “{quote}”" if quote else ""
    if not keyphrases:
        return said or "Answers that are alike."
    *most, last = keyphrases[:3]
    about = f"{', '.join(most)} and {last}" if most else last
    return f"Answers about {about}. {said}".strip()


def _confidence(brief: Brief) -> float:
    """From how alike the answers are and how many of them share the cluster's words."""
    said = 1.0 - float(np.prod([1.0 - phrase.share for phrase in brief.phrases[:3]]))
    return round(min(0.99, max(0.05, 0.6 * brief.cohesion + 0.4 * said)), 3)
