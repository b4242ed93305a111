"""Sentiment read by a model."""

from collections.abc import Mapping
from typing import Any

from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.replies import plain, share

VERSION = "sentiment-1"
WORDS = ("positive", "negative", "neutral", "mixed")

# What models say instead, although the schema has an enum: gateways and older models do not enforce it.
_MEANT = {"pos": "positive", "neg": "negative", "praise": "positive", "blame": "negative", "none": "neutral"}


class SentimentCoder:
    """Reads `[word of WORDS, confidence]` in a text."""

    version = VERSION

    @property
    def properties(self) -> Mapping[str, Any]:
        return {"sentiment": {"type": "string", "enum": list(WORDS)}, "confidence": {"type": "number"}}

    def material(self) -> Mapping[str, Any]:
        return {}

    def tokens(self, text: str) -> int:
        return 32

    def read(self, entry: Mapping[str, Any], text: str) -> Reading | None:
        said = plain(entry.get("sentiment")).strip(" .")
        word = _MEANT.get(said, said)
        return [word, share(entry.get("confidence"))] if word in WORDS else None
