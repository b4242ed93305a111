"""What a model may be shown once there are clusters and labels, made up from sampled answers for an estimate."""

from collections.abc import Mapping, Sequence

from holdfast.codeframe import (
    MOST_ANSWERS,
    MOST_EXEMPLARS,
    MOST_OUTSIDERS,
    MOST_PARTS,
    MOST_POINTS,
    PART_CHARS,
    Brief,
    ClusterLabel,
    Exemplar,
    FrameCoder,
    MapPoint,
)
from holdfast.service.asking import Question
from holdfast.service.labelling import ask_reduce
from holdfast.service.requests import GenerationConfig

LONG_TEXT = "Answers that say more about it than others do. " * 6  # a description as long as a model may write


def a_brief(texts: Sequence[str], n: int, *, k: int = 0) -> Brief:
    """A cluster as it may be: so many of these answers, taken evenly."""
    n = min(n, MOST_EXEMPLARS)
    taken = [texts[(place * len(texts)) // n] for place in range(n)]
    return Brief(
        k=k,
        n_answers=n,
        n_distinct=n,
        cohesion=0.5,
        exemplars=tuple(Exemplar(distinct=row, text=text, weight=1) for row, text in enumerate(taken)),
        outsiders=tuple(taken[:MOST_OUTSIDERS]),
        neighbours=(),
        phrases=(),
    )


def some_labels(n: int, said: str) -> dict[int, ClusterLabel]:
    return {
        k: ClusterLabel(k=k, name=said[:40], description=said, confidence=1.0, keyphrases=(), exemplars=(0, 1))
        for k in range(n)
    }


def a_frame_coder(n: int, said: str) -> FrameCoder:
    """For so many codes as they may be."""
    shown = [{"id": k, "name": said[:40], "description": said[:180], "examples": [said[:100]] * 2} for k in range(n)]
    return FrameCoder.from_json(shown)


def a_part(texts: Sequence[str], characters: int) -> Mapping[int, Exemplar]:
    """So many characters of these answers, as far as a part holds them."""
    found: dict[int, Exemplar] = {}
    room = min(characters, PART_CHARS)
    while room > 0 and len(found) < MOST_ANSWERS:
        text = texts[len(found) % len(texts)]
        room -= max(1, len(text))
        number = 1000 + len(found)  # as long as those of the last part
        found[number] = Exemplar(distinct=0, text=text, weight=1)
    return found


def longest_reduce(
    brief: Brief, texts: Sequence[str], config: GenerationConfig, *, question: str | None
) -> Question[ClusterLabel]:
    """Of a cluster of the most parts, in each of which the most was found."""
    answers = a_part(texts, PART_CHARS)
    numbers = list(answers)
    points = [
        MapPoint(
            name=LONG_TEXT[:80],
            description=LONG_TEXT[:200],
            n=999,
            of=999,
            examples=tuple(numbers[(3 * n + turn) % len(numbers)] for turn in range(3)),
        )
        for n in range(MOST_PARTS * MOST_POINTS)
    ]
    return ask_reduce(brief, points, answers, config, question=question)
