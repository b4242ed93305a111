"""Answers that a model codes: distinct texts in bundles that fit into one call, and what of a reply is used.

A reply is a list with an entry for each text. Each entry is read by itself: one that is missing, doubled with another
meaning or of no use costs only its own text, which is asked for again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from holdfast.codeframe.prompting import Prompt
from holdfast.codeframe.replies import entries
from holdfast.errors import BadReply

Reading: TypeAlias = Any  # JSON: what a coder has read in one text

MOST = 40  # texts of a bundle: models lose count of more
MOST_CHARS = 6_000  # together, about 1,500 tokens
SHOWN = 900  # characters of a text that are shown


class Coder(Protocol):
    """One way to code answers with a model."""

    @property
    def version(self) -> str:
        """Of its prompt."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """JSON Schema of a reply's entry, without its id."""

    def material(self) -> Mapping[str, Any]:
        """What the model has to know besides the answers; the same for each bundle."""

    def tokens(self, text: str) -> int:
        """The most that the text's entry may take."""

    def read(self, entry: Mapping[str, Any], text: str) -> Reading | None:
        """What the entry says of the text; None: it is of no use."""


def plan_bundles(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The texts in bundles, in their order."""
    bundles: list[list[str]] = []
    held = 0
    for text in texts:
        length = min(len(text), SHOWN)
        if not bundles or len(bundles[-1]) == MOST or held + length > MOST_CHARS:
            bundles.append([])
            held = 0
        bundles[-1].append(text)
        held += length
    return [tuple(bundle) for bundle in bundles]


def bundle_prompt(coder: Coder, texts: Sequence[str], *, question: str | None = None) -> Prompt:
    """What a model is asked about the texts, which go as JSON strings; their ids count from 1."""
    document = {
        "question": question,
        **coder.material(),  # before the answers: providers charge less for a beginning they have seen before
        "answers": [{"id": n, "text": text[:SHOWN]} for n, text in enumerate(texts, start=1)],
    }
    tokens = 150 + sum(coder.tokens(text[:SHOWN]) for text in texts)
    return Prompt.of(coder.version, document, schema=schema_of(coder), max_tokens=tokens)


def schema_of(coder: Coder) -> Mapping[str, Any]:
    """The JSON Schema of a reply."""
    entry = {"id": {"type": "integer"}, **coder.properties}
    items = {"type": "object", "properties": entry, "required": list(entry), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"answers": {"type": "array", "items": items}},
        "required": ["answers"],
        "additionalProperties": False,
    }


def read_bundle(text: str, finish: str, texts: Sequence[str], coder: Coder) -> dict[str, Reading]:
    """Text -> what the reply says of it; texts that it says nothing usable of are missing.

    Raises BadReply, and nothing else, for a reply that says nothing usable of any.
    """
    found: dict[int, list[Reading]] = {}
    for entry in entries(text, finish, "answers"):
        place = _place(entry.get("id"), len(texts))
        reading = None if place is None else coder.read(entry, texts[place][:SHOWN])
        if place is not None and reading is not None:
            found.setdefault(place, []).append(reading)
    # An id that came twice with two meanings has none.
    sure = {texts[place]: readings[0] for place, readings in found.items() if all(r == readings[0] for r in readings)}
    if not sure:
        raise BadReply("the model's reply codes none of the answers; it is stored and paid for", kind="wrong_schema")
    return sure


def _place(value: Any, n: int) -> int | None:
    """The id's place among the texts; None for an id that was not sent."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 9:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value - 1 if is_number and 1 <= value <= n else None
