"""What a model is asked about the parts of a large cluster, and then about what it found in them.

A part's reply is no text of ours: the model wrote it after it had read whatever respondents wrote. It goes into the
next prompt as the answers do, as JSON strings, and only with answers that were really there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.codeframe.parts import Part
from holdfast.codeframe.prompting import EXEMPLAR_CHARS, MAX_TOKENS, SCHEMA, Prompt, beside
from holdfast.codeframe.replies import entries, named, numbers, sentence
from holdfast.codeframe.values import Brief, Exemplar, FrameConfig
from holdfast.errors import BadReply

MAP, REDUCE = "map-1", "reduce-1"
MAP_TOKENS = 1_200  # of the reply; what the schema asks for takes about 500
MOST_POINTS = 6  # of a part
EXAMPLES = 3  # of a point
DESCRIPTION_CHARS = 200  # of a point

_POINT: Mapping[str, Any] = {
    "name": {"type": "string"},
    "description": {"type": "string"},
    "n": {"type": "integer"},
    "example_ids": {"type": "array", "items": {"type": "integer"}},
}
MAP_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "items": {"type": "object", "properties": _POINT, "required": list(_POINT), "additionalProperties": False},
        }
    },
    "required": ["points"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPoint:
    """What several answers of a part say, as the model found it."""

    name: str
    description: str
    n: int  # answers of the part that say it, as the model says: at least the examples, at most all
    of: int  # answers of the part
    examples: tuple[int, ...]  # numbers of answers


def numbered_answers(parts: Sequence[Part]) -> list[dict[int, Exemplar]]:
    """The answers of each part by their numbers, which count from 1 over all parts."""
    found, begin = [], 1
    for part in parts:
        found.append(dict(enumerate(part, start=begin)))
        begin += len(part)
    return found


def map_prompt(answers: Mapping[int, Exemplar], config: FrameConfig, *, question: str | None = None) -> Prompt:
    """What a model is asked about one part; few words around each answer, as there are two hundred of them."""
    document = {
        "question": question,
        "answers": {str(number): answer.text for number, answer in answers.items()},
        "respondents": {str(number): answer.weight for number, answer in answers.items() if answer.weight > 1},
        "language": config.target_language,
    }
    return Prompt.of(MAP, document, schema=MAP_SCHEMA, max_tokens=MAP_TOKENS)


def read_map(text: str, finish: str, answers: Mapping[int, Exemplar]) -> tuple[MapPoint, ...]:
    """The points in a reply, the most frequent first. Raises BadReply, and nothing else, for a reply without one.

    Examples that were not sent are left out, and so is a point that has no other. Of a reply that was cut off, the
    points before that place count.
    """
    points = [point for part in entries(text, finish, "points") if (point := _point(part, answers)) is not None]
    if not points:
        raise BadReply("the model's reply has no point with an answer; it is stored and paid for", kind="wrong_schema")
    return tuple(sorted(points, key=lambda point: -point.n)[:MOST_POINTS])


def _point(part: Mapping[str, Any], answers: Mapping[int, Exemplar]) -> MapPoint | None:
    name = named(part.get("name"))
    examples = [number for number in numbers(part.get("example_ids")) if number in answers]
    if not name or not examples:
        return None
    count = (numbers([part.get("n")]) or [0])[0]
    return MapPoint(
        name=name,
        description=sentence(part.get("description"), DESCRIPTION_CHARS),
        n=max(len(examples), min(count, len(answers))),
        of=len(answers),
        examples=tuple(examples[:EXAMPLES]),
    )


def reduce_prompt(
    brief: Brief,
    points: Sequence[MapPoint],
    answers: Mapping[int, Exemplar],
    config: FrameConfig,
    *,
    question: str | None = None,
) -> Prompt:
    """What a model is asked for the cluster's label once its parts were read. The reply is a label: `read_label`."""
    ranked = sorted(points, key=lambda point: (-point.n / point.of, point.examples))
    quoted = _quoted(ranked, answers)
    document = {
        "question": question,
        "points": [
            {
                "name": point.name,
                "description": point.description,
                "n": point.n,
                "of": point.of,
                "answers": [number for number in point.examples if number in quoted],
            }
            for point in ranked
        ],
        "answers": [
            {"n": number, "respondents": answers[number].weight, "text": answers[number].text} for number in quoted
        ],
        **beside(brief, config),
    }
    return Prompt.of(REDUCE, document, schema=SCHEMA, max_tokens=MAX_TOKENS)


def _quoted(points: Sequence[MapPoint], answers: Mapping[int, Exemplar]) -> list[int]:
    """As many examples as a prompt for a label shows: the first of each point, then the second, then the third."""
    turns = [point.examples[turn] for turn in range(EXAMPLES) for point in points if turn < len(point.examples)]
    room = EXEMPLAR_CHARS
    taken: list[int] = []
    for number in dict.fromkeys(turns):
        room -= len(answers[number].text)
        if taken and room < 0:
            break
        taken.append(number)
    return sorted(taken)
