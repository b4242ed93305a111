"""Replies to prompts that ask for codes, of each answer or of all: what the answers' own words suggest, id by id."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

Document: TypeAlias = Mapping[str, Any]
Entry: TypeAlias = dict[str, Any]

_WORD = re.compile(r"[^\W\d_]{3,}")
_NAMES = re.compile(r"\s*(?:[,;/\n]|\band\b|&)\s*", re.IGNORECASE)
_PRAISE = frozenset("good great friendly kind clean fast quick helpful love nice excellent lovely".split())  # noqa: SIM905
_BLAME = frozenset("bad slow long cold dirty rude expensive poor terrible late broken noisy".split())  # noqa: SIM905
MOST_CODES = 2
MOST_POINTS = 6


def coded(text: str, schema: Mapping[str, Any] | None) -> list[Entry] | None:
    """An entry for each answer of the prompt; None for a prompt that asks for something else."""
    asked = _asked(schema, "answers")
    kind = next((name for name in _CODERS if name in asked and "id" in asked), None)
    if kind is None or not text.startswith("{"):
        return None
    document = orjson.loads(text)
    return [{"id": each["id"], **_CODERS[kind](each["text"], document)} for each in document["answers"]]


def framed(text: str, schema: Mapping[str, Any] | None) -> list[Entry] | None:
    """A codeframe of all answers of the prompt: a code for each of their second words; None: not asked for."""
    if "answers" not in _asked(schema, "codes") or not text.startswith("{"):
        return None
    below = _by_words((each["id"], each["text"]) for each in orjson.loads(text)["answers"])
    return [
        {
            "name": f"About {word}",
            "description": f"Answers that speak of {word}.",
            "theme": f"Words with {word[0]}",
            "confidence": 0.8,
            "answers": ids,
        }
        for word, ids in below.items()
    ]


def pointed(text: str, schema: Mapping[str, Any] | None) -> list[Entry] | None:
    """What the answers of the prompt say: a point for each of their most frequent second words; None: not asked for."""
    if "example_ids" not in _asked(schema, "points") or not text.startswith("{"):
        return None
    below = _by_words((int(number), said) for number, said in orjson.loads(text)["answers"].items())
    most = sorted(below.items(), key=lambda item: -len(item[1]))[:MOST_POINTS]
    return [
        {"name": f"About {word}", "description": f"They speak of {word}.", "n": len(ids), "example_ids": ids[:3]}
        for word, ids in most
    ]


def _asked(schema: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """What each item of the reply's list of that name has to have."""
    found: Mapping[str, Any] = (schema or {}).get("properties", {}).get(name, {}).get("items", {}).get("properties", {})
    return found


def _by_words(answers: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """The answers' ids by their second words."""
    below: dict[str, list[int]] = {}
    for number, text in answers:
        words = _WORD.findall(text.lower()) or ["answer"]
        below.setdefault(words[min(1, len(words) - 1)], []).append(number)
    return below


def without_some(entries: Sequence[Entry]) -> list[Entry]:
    """What a model that loses count gives: nothing for the last half of the answers."""
    return list(entries[: len(entries) // 2])


def with_invented(entries: Sequence[Entry]) -> list[Entry]:
    """The same, and entries for answers that nobody sent."""
    return [*entries, *({**entry, "id": 1000 + entry["id"]} for entry in entries[:3])]


def _sentiment(text: str, document: Document) -> Entry:
    words = set(_WORD.findall(text.lower()))
    praises, blames = bool(words & _PRAISE), bool(words & _BLAME)
    said = {(True, True): "mixed", (True, False): "positive", (False, True): "negative"}
    return {"sentiment": said.get((praises, blames), "neutral"), "confidence": 0.9}


def _brands(text: str, document: Document) -> Entry:
    known = {
        name.partition("(")[0].strip().lower(): name.partition("(")[0].strip() for name in document["known_brands"]
    }
    named = [part for part in (each.strip(" .!") for each in _NAMES.split(text)) if part]
    return {"brands": [{"written": part, "name": known.get(part.lower(), part.title())} for part in named]}


def _codes(text: str, document: Document) -> Entry:
    """The codes that share most words with the answer."""
    words = set(_WORD.findall(text.lower()))
    shared = {code["id"]: len(words & set(_WORD.findall(_told(code)))) for code in document["codes"]}
    best = sorted((number for number, n in shared.items() if n), key=lambda number: (-shared[number], number))
    return {"codes": best[:MOST_CODES], "confidence": 0.8}


def _told(code: Document) -> str:
    return " ".join([code["name"], code["description"], *code["examples"]]).lower()


_CODERS: Mapping[str, Callable[[str, Document], Entry]] = {"sentiment": _sentiment, "brands": _brands, "codes": _codes}
