"""The offline label of a cluster: a name a person would write, shown by the first answer quoted for it."""

import re
from collections.abc import Sequence
from itertools import dropwhile, takewhile

import numpy as np

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.evidence import readings, roots_of, words_of
from holdfast.codeframe.grammar import PROPER
from holdfast.codeframe.naming import LONGEST_NAME, candidates, different, rank, sentence_case, stems
from holdfast.codeframe.topics import PLACES, shows
from holdfast.codeframe.values import Brief, ClusterLabel, Exemplar, Phrase, Vectors
from holdfast.codeframe.words import DETERMINERS, STOPS, VAGUE, is_noun, is_verb

KEYPHRASES = 8
RARELY = 0.04  # share of the answers below which a description does not mention it
WHOLE = 0.6  # of the answers that say a part of a phrase; when so many say all of it, the part need not be told
ALTERNATIVES = 8
EXEMPLARS = 8
QUOTED = 120  # characters of the answer quoted in a description
READABLE = 160  # characters of a quote that is read at a glance
STOP = re.compile(r"[.,;:!?\n]|\s[-\u2013\u2014]\s")  # ends what an answer says first


def label_cluster(brief: Brief, centroids: Vectors, *, embedder: Embedder | None = None) -> ClusterLabel:
    """Never fails: without a telling phrase the most typical answer gives the name."""
    answers = [exemplar.text for exemplar in brief.exemplars]
    ranked = rank(candidates(brief.phrases, answers), brief.k, centroids, embedder)
    names = [sentence_case(option.text) for option in different(ranked, ALTERNATIVES + 1)]
    if not names:
        names = [sentence_case(_opening(answers) or f"Cluster {brief.k + 1}")]
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


def _opening(answers: Sequence[str]) -> str:
    """What the first answers begin with: "Home office equipment" of one that it should be paid; else the beginning."""
    things = [thing for thing in map(_first_thing, answers) if thing]
    long_enough = [thing for thing in things if " " in thing]
    return (long_enough or things or [_beginning(answers[0]) if answers else ""])[0]


def _beginning(answer: str) -> str:
    """The first words, without small words at their end."""
    words = answer.split()[:LONGEST_NAME]
    carrying = list(dropwhile(lambda word: word.lower() in STOPS, reversed(words)))
    return " ".join(carrying[::-1] or words).strip(" .,;:!?")


def _first_thing(answer: str) -> str:
    """The words before an answer's first verb or small word, if the last of them is a noun and they are nobody's name.

    A word alone at the beginning may be a name: "Sarah was wonderful".
    """
    words = [word.strip("\"'()") for word in STOP.split(answer)[0].split()]
    carrying = list(dropwhile(lambda word: word.lower() in DETERMINERS, words))
    thing = list(takewhile(lambda word: word.lower() not in STOPS and not is_verb(word.lower()), carrying))
    last = thing[-1].lower() if thing else ""
    if not 0 < len(thing) <= LONGEST_NAME or not is_noun(last) or last in VAGUE or last.endswith("ing"):
        return ""
    is_named = any(word[:1].isupper() and not word.isupper() for word in thing[1:])
    return "" if is_named or (len(thing) == 1 and len(carrying) == len(words)) else " ".join(thing)


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
    """The best, each with a word that those before it lack; "report lost card" stands for "lost card" and the like."""
    chosen: list[Phrase] = []
    told: set[str] = set()
    ranked = sorted((p for p in phrases if _tells(p)), key=_by_score)
    for phrase in ranked:
        own = stems(phrase.text)
        parts = [place for place, other in enumerate(chosen) if stems(other.text) < own]
        if parts and phrase.count >= WHOLE * chosen[parts[0]].count:
            chosen[parts[0]] = phrase
            chosen = [other for place, other in enumerate(chosen) if place not in parts[1:]]
        elif own - told:
            chosen.append(phrase)
        told |= own if phrase in chosen else set()
    return tuple(phrase.text for phrase in chosen[:KEYPHRASES])


def _tells(phrase: Phrase) -> bool:
    """A person's name, or a word that hardly anyone says, describes nobody's answers."""
    return phrase.kind == "phrase" and phrase.score > 0 and phrase.fit > PROPER and phrase.share >= RARELY


def _by_score(phrase: Phrase) -> tuple[float, str]:
    return -phrase.score, phrase.text


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
