"""A JSON Schema in the words a provider's structured output allows."""

from collections.abc import Mapping
from typing import Any

# Providers refuse a schema with words they do not enforce. Whoever reads the reply checks it against the whole schema.
_STRUCTURE = frozenset(
    {"type", "properties", "items", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "description", "title"}
)
ANTHROPIC_WORDS = _STRUCTURE
OPENAI_WORDS = _STRUCTURE | {
    "pattern",
    "format",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
}


def strict(schema: Mapping[str, Any], words: frozenset[str]) -> dict[str, Any]:
    """The schema with these words only; every object closed, and all of its properties required."""
    fitted: dict[str, Any] = {}
    for word, value in schema.items():
        if word in words:
            fitted[word] = _fit(word, value, words)
    if "properties" in fitted or fitted.get("type") == "object":
        fitted["additionalProperties"] = False
        fitted["required"] = list(fitted.setdefault("properties", {}))
    return fitted


def _fit(word: str, value: Any, words: frozenset[str]) -> Any:
    if word in {"properties", "$defs"}:
        return {name: strict(inner, words) for name, inner in value.items()}
    if word == "items":
        return strict(value, words)
    if word in {"anyOf", "allOf"}:
        return [strict(inner, words) for inner in value]
    return value
