"""JSON values read as the types a programmer names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict
from uuid import UUID

import pytest

from holdfast.errors import QueueError
from holdfast.queue.jobs.shapes import Mismatch, reader_of


class Colour(Enum):
    RED = "red"


@dataclass
class Leaf:
    name: str
    weight: float = 1.0
    tags: list[str] = field(default_factory=list)


@dataclass
class Tree:
    leaf: Leaf | None
    children: "list[Tree]"


class Mail(TypedDict):
    to: str
    copies: NotRequired[list[str]]


UserId = NewType("UserId", int)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Any, {"a": [1]}, {"a": [1]}),
        (str, "a", "a"),
        (int, 5, 5),
        (float, 5, 5.0),
        (bool, True, True),
        (None, None, None),
        (int | None, None, None),
        (list[int], [1, 2], [1, 2]),
        (Sequence[int], [1], [1]),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Mapping[str, list[int]], {"a": [1]}, {"a": [1]}),
        (dict, {"a": 1}, {"a": 1}),
        (Literal["a", 1], 1, 1),
        (Colour, "red", Colour.RED),
        (UserId, 5, 5),
        (Annotated[int, "an age"], 5, 5),
        (datetime, "2027-01-01T00:00:00+00:00", datetime(2027, 1, 1, tzinfo=UTC)),
        (date, "2027-01-01", date(2027, 1, 1)),
        (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        (Leaf, {"name": "a", "unknown": 1}, Leaf("a")),
        (
            Tree,
            {"leaf": {"name": "a"}, "children": [{"leaf": None, "children": []}]},
            Tree(Leaf("a"), [Tree(None, [])]),
        ),
        (Mail, {"to": "a"}, {"to": "a"}),
        (Mail, {"to": "a", "copies": ["b"], "more": 1}, {"to": "a", "copies": ["b"]}),
    ],
)
def test_a_value_of_the_type_is_read(kind: Any, raw: Any, value: Any) -> None:
    assert reader_of(kind)(raw, "data") == value


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        (str, 5, "data must be a text, not 5"),
        (int, True, "data must be a whole number, not True"),
        (int, 1.5, "data must be a whole number"),
        (float, "1", "data must be a number"),
        (bool, 1, "data must be true or false"),
        (int | str, [], r"data must be a whole number.*; or data must be a text"),
        (list[int], [1, "a"], r"data\[1\] must be a whole number"),
        (list[int], "ab", "data must be a list"),
        (tuple[int, str], [1], "data must be a list of 2"),
        (dict[str, int], {"a": "b"}, "data.a must be a whole number"),
        (dict[str, int], [], "data must be an object"),
        (Literal["a"], "b", "data must be one of"),
        (Literal[1], True, "data must be one of"),
        (Colour, "blue", "data must be one of"),
        (datetime, "tomorrow", "data must be a time"),
        (datetime, 5, "data must be a time"),
        (Leaf, {}, "data lacks name"),
        (Leaf, None, "data must be an object .Leaf."),
        (Tree, {"leaf": None, "children": [{"leaf": {"name": 1}, "children": []}]}, r"data.children\[0\].leaf.name"),
        (Mail, {"copies": []}, "data lacks to"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(kind: Any, raw: Any, reason: str) -> None:
    with pytest.raises(Mismatch, match=reason):
        reader_of(kind)(raw, "data")


def test_a_huge_value_is_not_shown_whole() -> None:
    with pytest.raises(Mismatch) as caught:
        reader_of(int)("x" * 10_000, "data")

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [bytes, object(), set[int], dict[int, str], list[bytes], "text"])
def test_a_type_that_json_cannot_carry_is_refused_when_it_is_declared(kind: Any) -> None:
    with pytest.raises(QueueError, match="encode and decode"):
        reader_of(kind)
