"""The offline label of a cluster: a name a person would write, shown by the first answer quoted for it."""

from collections.abc import Sequence

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.evidence import readings, roots_of, words_of
from holdfast.codeframe.naming import candidates, different, rank, sentence_case, stems
from holdfast.codeframe.shapes import readable
from holdfast.codeframe.topics import PLACES, shows
from holdfast.codeframe.values import Brief, ClusterLabel, Exemplar, Phrase, Vectors

KEYPHRASES = 8
ALTERNATIVES = 6
EXEMPLARS = 8
QUOTED = 120  # characters of the answer quoted in a description
READABLE = 160  # characters of a quote that is read at a glance


def label_cluster(brief: Brief, centroids: Vectors, *, embedder: Embedder | None = None) -> ClusterLabel:
    """Never fails: without a telling phrase the most typical answer gives the name."""
    answers = [exemplar.text for exemplar in brief.exemplars]
    ranked = rank(candidates(brief.phrases, answers), brief.k, centroids, embedder)
    names = [sentence_case(option.text) for option in different(ranked, ALTERNATIVES + 1)]
    if not names:
        names = [sentence_case(" ".join(answers[0].split()[:5]) if answers else f"Cluster {brief.k + 1}")]
    keyphrases = _keyphrases(brief.phrases)
    shown = quotes(names[0], brief.exemplars)
    return ClusterLabel(
        k=brief.k,
        name=names[0],
        description=describe(keyphrases, [exemplar.text for exemplar in shown]),
        confidence=_confidence(brief),
        keyphrases=keyphrases,
        exemplars=tuple(exemplar.distinct for exemplar in shown[:EXEMPLARS]),
        alternatives=tuple(names[1:]),
    )


def says(name: str, text: str) -> bool:
    """Whether an answer says what the name says: its words in some form, or its topic."""
    return bool(_said(name, text))


def _said(name: str, text: str) -> int:
    """How many of a name's readings an answer shows."""
    words = words_of(text)
    if name in PLACES:
        return int(shows(name, text, words))
    roots = roots_of(text)
    return sum(bool(wanted) and wanted <= roots for wanted in readings(name))


def quotes(name: str, exemplars: Sequence[Exemplar]) -> list[Exemplar]:
    """Those that say the name come first, the short ones before the long; else in their order."""
    order = sorted(
        range(len(exemplars)),
        key=lambda n: (-_said(name, exemplars[n].text), len(exemplars[n].text) > READABLE, n),
    )
    return [exemplars[n] for n in order]


def _keyphrases(phrases: tuple[Phrase, ...]) -> tuple[str, ...]:
    """The best, without those that only say part of a better one."""
    chosen: list[str] = []
    for phrase in sorted((p for p in phrases if p.kind == "phrase" and p.score > 0), key=lambda p: (-p.score, p.text)):
        own = stems(phrase.text)
        if own and readable(phrase.text) and not any(own <= stems(other) for other in chosen):
            chosen.append(phrase.text)
        if len(chosen) == KEYPHRASES:
            break
    return tuple(chosen)


def describe(keyphrases: Sequence[str], answers: Sequence[str]) -> str:
    """What the answers are about, with a quote."""
    quote = next((text for text in answers if len(text.split()) >= 3 and len(text) <= QUOTED), "")
    said = f"Typically: “{quote}”" if quote else ""
    if not keyphrases:
        return said or "Answers that are alike."
    *most, last = keyphrases[:3]
    about = f"{', '.join(most)} and {last}" if most else last
    return f"Answers about {about}. {said}".strip()


def _confidence(brief: Brief) -> float:
    """From how alike the answers are and how many of them share the cluster's words."""
    shares = [phrase.share for phrase in brief.phrases if phrase.kind == "phrase"][:3]
    said = 1.0 - float(np.prod([1.0 - min(share, 1.0) for share in shares]))
    return round(min(0.99, max(0.05, 0.6 * brief.cohesion + 0.4 * said)), 3)
