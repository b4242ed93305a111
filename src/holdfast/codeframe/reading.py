"""A model's reply becomes a label, or says why it cannot. Nothing of the reply is quoted in an error."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from holdfast.codeframe.prompting import shown
from holdfast.codeframe.values import Brief, ClusterLabel, Exemplar, FrameConfig
from holdfast.errors import BadReply

NAME_CHARS = 80
TEXT_CHARS = 600
PHRASES = 5
ALTERNATIVES = 3

_CUT = {
    "max_tokens": "the model's reply was cut off at its token limit; it is stored and paid for",
    "refusal": "the model declined to answer; what it said is stored and paid for",
    "content_filter": "the provider's content filter cut the reply off; it is stored and paid for",
}
# A text, or a comma before a closing bracket: a text is found first, so that a comma inside it is none of ours.
_COMMAS = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def read_label(text: str, finish: str, brief: Brief, config: FrameConfig) -> ClusterLabel:
    """The label in a model's reply. Raises BadReply, and nothing else, for a reply that holds none.

    What can be mended without guessing is: a code fence or words around the JSON, a comma behind the last item. Quotes
    that no answer holds are left out: a model may not put words into respondents' mouths.
    """
    if finish in _CUT:
        raise BadReply(_CUT[finish], kind=finish)
    reply = _parsed(text)
    name = _line(reply.get("name"), NAME_CHARS)
    if not any(letter.isalpha() for letter in name):
        raise BadReply("the model's reply has no name for the cluster; it is stored and paid for", kind="wrong_schema")
    cited = _cited(reply.get("evidence"), shown(brief))
    rest = [exemplar.distinct for exemplar in brief.exemplars]
    return ClusterLabel(
        k=brief.k,
        name=_existing(name, config) or name,
        description=_line(reply.get("description"), TEXT_CHARS),
        confidence=_share(reply.get("confidence")),
        keyphrases=tuple(_lines(reply.get("keyphrases"), NAME_CHARS))[:PHRASES],
        exemplars=tuple(dict.fromkeys([*cited, *rest])),
        alternatives=tuple(other for other in _lines(reply.get("alternatives"), NAME_CHARS) if other != name)[
            :ALTERNATIVES
        ],
    )


def _parsed(text: str) -> Mapping[str, Any]:
    fenced = _FENCE.match(text)
    inner = fenced[1] if fenced else text
    begin, end = inner.find("{"), inner.rfind("}")
    found = _loaded(inner[begin : end + 1]) if 0 <= begin < end else None
    if found is None:
        raise BadReply("the model's reply is no JSON object; it is stored and paid for", kind="malformed")
    if not isinstance(found, dict):
        raise BadReply("the model's reply is not of the asked shape; it is stored and paid for", kind="wrong_schema")
    return found


def _loaded(text: str) -> Any:
    for attempt in (str, _without_commas):
        try:
            return json.loads(attempt(text))
        except (ValueError, RecursionError):
            continue
    return None


def _without_commas(text: str) -> str:
    return _COMMAS.sub(lambda found: "" if found[0] == "," else found[0], text)


def _cited(evidence: Any, answers: Sequence[Exemplar]) -> Iterable[int]:
    """The distinct texts whose quotes were found in them, letter by letter but for case and spaces."""
    for part in evidence if isinstance(evidence, list) else ():
        if not isinstance(part, dict):
            continue
        number, quote = part.get("answer"), _plain(part.get("quote"))
        if quote and isinstance(number, int) and 1 <= number <= len(answers):
            exemplar = answers[number - 1]
            if quote in _plain(exemplar.text):
                yield exemplar.distinct


def _existing(name: str, config: FrameConfig) -> str | None:
    """The client's own spelling of the name."""
    return next((code for code in config.existing_codes if _plain(code) == _plain(name)), None)


def _plain(value: Any) -> str:
    return " ".join(value.casefold().split()) if isinstance(value, str) else ""


def _line(value: Any, limit: int) -> str:
    """One line of text without control characters, cut at a word."""
    text = "".join(" " if not letter.isprintable() else letter for letter in value) if isinstance(value, str) else ""
    text = " ".join(text.split()).strip(" .\"'")
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]


def _lines(value: Any, limit: int) -> Iterable[str]:
    return filter(None, (_line(part, limit) for part in value)) if isinstance(value, list) else ()


def _share(value: Any) -> float:
    """0..1; what is no number says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return 0.5
    return round(float(min(1, max(0, value))), 4)  # cut first: JSON has integers that no float holds
