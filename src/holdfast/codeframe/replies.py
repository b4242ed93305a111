"""What models' replies have in common: JSON that is nearly right, and texts that are to be shown to people."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.errors import BadReply

NAME_CHARS = 80
NAME_WORDS = 6  # what prompts ask for is at most 5
TEXT_CHARS = 600

# Models say how sure they are in words or in percent although a share was asked for.
_SURE = {"very high": 0.95, "high": 0.85, "medium": 0.6, "moderate": 0.6, "low": 0.3, "very low": 0.1}
_NUMBER = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(%?)")
# Where a name ends that goes on to explain itself.
_EXPLAINS = re.compile(r"\s*(?:[;:.(|\u2013\u2014]|\s-\s|,\s)")

_CUT = {
    "max_tokens": "the model's reply was cut off at its token limit; it is stored and paid for",
    "refusal": "the model declined to answer; what it said is stored and paid for",
    "content_filter": "the provider's content filter cut the reply off; it is stored and paid for",
}
# A text, or a comma before a closing bracket: a text is found first, so that a comma inside it is none of ours.
_COMMAS = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_DECODER = json.JSONDecoder()
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def parsed(text: str, finish: str) -> Mapping[str, Any]:
    """The JSON object in a reply. Raises BadReply, and nothing else.

    What can be mended without guessing is: a code fence or words around the JSON, a comma behind the last item.
    """
    if finish in _CUT:
        raise BadReply(_CUT[finish], kind=finish)
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


def entries(text: str, finish: str, name: str) -> list[Mapping[str, Any]]:
    """The objects in a reply's list; of a reply that was cut off or is damaged, those before that place.

    Raises BadReply, and nothing else, for one that has none to save.
    """
    try:
        found = parsed(text, finish).get(name, _begun(text, name))
    except BadReply as error:
        if error.kind not in {"max_tokens", "malformed"}:
            raise
        found = _begun(text, name)
        if not found:
            raise
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _begun(text: str, name: str) -> list[Any]:
    found: list[Any] = []
    place = text.find("[", max(0, text.find(f'"{name}"')))
    while place >= 0:
        place += 1
        while text[place : place + 1].isspace() or text[place : place + 1] == ",":
            place += 1
        try:
            entry, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        found.append(entry)
        place -= 1
    return found


def plain(value: Any) -> str:
    """A text as two that mean the same are compared: without case and line breaks."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else ""


def line(value: Any, limit: int) -> str:
    """One line of text without control characters and without a full stop, cut at a word."""
    return sentence(value, limit).strip(" .\"'")


def sentence(value: Any, limit: int) -> str:
    """One line of text without control characters, cut at a word."""
    text = "".join(" " if not letter.isprintable() else letter for letter in value) if isinstance(value, str) else ""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0]


def lines(value: Any, limit: int) -> Iterable[str]:
    """The texts of a list; what is none is left out."""
    return filter(None, (line(part, limit) for part in value)) if isinstance(value, list) else ()


def numbers(value: Any) -> list[int]:
    """The whole numbers of a list, each once; what is none is left out."""
    found = value if isinstance(value, list) else ()
    return list(dict.fromkeys(one for one in found if isinstance(one, int) and not isinstance(one, bool)))


def named(value: Any, instead: Iterable[str] = ()) -> str:
    """A name a frame can show, or an empty text where there is none.

    A sentence gives way to the first of the names `instead` that is short enough, else to its own beginning, up to
    where it goes on to explain itself.
    """
    name = line(value, NAME_CHARS)
    if not _is_name(name):
        return ""
    options = (name, *instead, _EXPLAINS.split(name, maxsplit=1)[0])
    return next((option for option in options if _is_name(option) and len(option.split()) <= NAME_WORDS), name)


def _is_name(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def share(value: Any) -> float:
    """0..1, also from a word or from percent; what says nothing is 0.5."""
    if isinstance(value, str):
        value = _share_in_words(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return 0.5
    return round(float(min(1, max(0, value))), 4)  # cut first: JSON has integers that no float holds


def _share_in_words(text: str) -> float | None:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return _SURE.get(plain(text).replace("_", " "))
    return float(found[1]) / (100 if found[2] else 1)
