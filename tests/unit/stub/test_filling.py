"""Replies fit the schema they are asked in, and say what the prompt says."""

import json
from typing import Any

import pytest

from holdfast.codeframe.prompting import SCHEMA
from holdfast.stub.filling import Filler
from holdfast.stub.material import gather

USER = json.dumps({"answers": [{"n": 1, "text": "no parking here"}, {"n": 2, "text": "parking costs too much"}]})


def filled(schema: dict[str, Any]) -> Any:
    return Filler(schema, gather(USER)).value(schema)


def test_a_label_quotes_the_answers_of_the_prompt_word_for_word() -> None:
    label = filled(dict(SCHEMA))

    assert label["name"].startswith("Parking")
    assert label["evidence"] == [
        {"answer": 1, "quote": "no parking here"},
        {"answer": 2, "quote": "parking costs too much"},
    ]
    assert 0 <= label["confidence"] <= 1


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": "x"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": ["null", "boolean"]}, True),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 5}]}, 5),
        ({"$ref": "#/$defs/yes", "$defs": {"yes": {"type": "boolean"}}}, True),
        ({"allOf": [{"type": "object"}, {"properties": {"n": {"type": "integer", "maximum": 0}}}]}, {"n": 0}),
        ({"type": "array", "items": {"const": 1}, "minItems": 4}, [1, 1, 1, 1]),
        ({"type": "array", "items": {"const": 1}, "maxItems": 1}, [1]),
    ],
)
def test_a_value_keeps_to_its_schema(schema: dict[str, Any], value: object) -> None:
    assert filled(schema) == value


def test_a_text_keeps_to_its_length() -> None:
    assert len(filled({"type": "string", "minLength": 200, "maxLength": 210})) in range(200, 211)
