"""What a model is asked about a cluster. The same brief gives the same bytes: a step's fingerprint is made of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

from holdfast.codeframe.values import Brief, Exemplar, FrameConfig

VERSION = "label-1"  # the file in prompts/; a changed text gets a new name, because it gives other replies
MAX_TOKENS = 700  # of the reply; what the schema asks for takes about 250
EXEMPLAR_CHARS = 6_000  # of all answers shown together, about 1,500 tokens
PHRASES = 12

_TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
_EVIDENCE: Mapping[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}, "quote": {"type": "string"}},
    "required": ["answer", "quote"],
    "additionalProperties": False,
}

# Every property is required and nothing else is allowed: what OpenAI's strict mode asks for, and Anthropic takes too.
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "confidence": {"type": "number"},
        "keyphrases": _TEXTS,
        "evidence": {"type": "array", "items": _EVIDENCE},
        "alternatives": _TEXTS,
    },
    "required": ["name", "description", "confidence", "keyphrases", "evidence", "alternatives"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question to a model, and the shape of its answer."""

    system: str
    user: str
    schema: Mapping[str, Any]  # JSON Schema
    schema_name: str
    version: str
    max_tokens: int

    @classmethod
    def of(cls, version: str, document: Mapping[str, Any], *, schema: Mapping[str, Any], max_tokens: int) -> Self:
        """The instructions of the version, and the document as JSON: what it holds stays data, whatever it says."""
        return cls(
            system=instructions(version),
            user=json.dumps(document, ensure_ascii=False, indent=0),
            schema=schema,
            schema_name=version.partition("-")[0],
            version=version,
            max_tokens=max_tokens,
        )


def label_prompt(brief: Brief, config: FrameConfig, *, question: str | None = None) -> Prompt:
    """What a model is asked for the cluster's label.

    The answers go as JSON strings: one that holds quotes, braces or orders to the model stays one string.
    """
    document = {
        "question": question,
        "answers": [
            {"n": n, "respondents": exemplar.weight, "text": exemplar.text}
            for n, exemplar in enumerate(shown(brief), start=1)
        ],
        **beside(brief, config),
    }
    return Prompt.of(VERSION, document, schema=SCHEMA, max_tokens=MAX_TOKENS)


def beside(brief: Brief, config: FrameConfig) -> Mapping[str, Any]:
    """What a model has to know besides the cluster's answers to name it."""
    return {
        "nearby": list(brief.outsiders),
        "phrases": [phrase.text for phrase in brief.phrases[:PHRASES]],
        "existing_codes": list(config.existing_codes),
        "language": config.target_language,
    }


def shown(brief: Brief) -> Sequence[Exemplar]:
    """The exemplars that fit into a prompt, the most typical first; at least one."""
    room = EXEMPLAR_CHARS
    taken: list[Exemplar] = []
    for exemplar in brief.exemplars:
        room -= len(exemplar.text)
        if taken and room < 0:
            break
        taken.append(exemplar)
    return taken


@cache
def instructions(version: str) -> str:
    """The text of a prompt's version."""
    return (files(__package__) / "prompts" / f"{version}.txt").read_text("utf-8")
