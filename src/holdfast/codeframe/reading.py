"""A model's reply becomes a label, or says why it cannot. Nothing of the reply is quoted in an error."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from holdfast.codeframe.prompting import shown
from holdfast.codeframe.replies import NAME_CHARS, TEXT_CHARS, line, lines, named, parsed, plain, sentence, share
from holdfast.codeframe.values import Brief, ClusterLabel, Exemplar, FrameConfig
from holdfast.errors import BadReply

PHRASES = 5
ALTERNATIVES = 3


def read_label(
    text: str, finish: str, brief: Brief, config: FrameConfig, answers: Mapping[int, Exemplar] | None = None
) -> ClusterLabel:
    """The label in a model's reply. Raises BadReply, and nothing else, for a reply that holds none.

    What can be mended without guessing is. Quotes that no answer holds are left out: a model may not put words into
    respondents' mouths. `answers`: those that were read, by their numbers; None: the ones that the brief shows.
    """
    reply = parsed(text, finish)
    others = list(lines(reply.get("alternatives"), NAME_CHARS))
    name = _existing(line(reply.get("name"), TEXT_CHARS), config) or named(reply.get("name"), others)
    if not name:
        raise BadReply("the model's reply has no name for the cluster; it is stored and paid for", kind="wrong_schema")
    read = dict(enumerate(shown(brief), start=1)) if answers is None else answers
    cited = _cited(reply.get("evidence"), read)
    rest = [exemplar.distinct for exemplar in brief.exemplars]
    return ClusterLabel(
        k=brief.k,
        name=_existing(name, config) or name,
        description=sentence(reply.get("description"), TEXT_CHARS),
        confidence=share(reply.get("confidence")),
        keyphrases=tuple(lines(reply.get("keyphrases"), NAME_CHARS))[:PHRASES],
        exemplars=tuple(dict.fromkeys([*cited, *rest])),
        alternatives=tuple(other for other in others if other != name)[:ALTERNATIVES],
    )


def _cited(evidence: Any, answers: Mapping[int, Exemplar]) -> Iterable[int]:
    """The distinct texts whose quotes were found in them, letter by letter but for case and spaces."""
    for part in evidence if isinstance(evidence, list) else ():
        if not isinstance(part, dict):
            continue
        number, quote = part.get("answer"), plain(part.get("quote"))
        if quote and _is_number(number) and number in answers and quote in plain(answers[number].text):
            yield answers[number].distinct


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _existing(name: str, config: FrameConfig) -> str | None:
    """The client's own spelling of the name."""
    return next((code for code in config.existing_codes if plain(code) == plain(name)), None)
