"""Which codes a number asks for."""

import pytest

from holdfast.errors import BadInput
from holdfast.service.assigned import keys_below
from holdfast.store.codeframes import StoredNode


def node(number: int, key: str, parent: str | None, level: int) -> StoredNode:
    return StoredNode(
        id=number,
        key=key,
        parent_key=parent,
        node_type="code" if level == 3 else "theme",
        level=level,
        position=0,
        number=number,
        name=key,
        description="",
        confidence=1.0,
        n_answers=0,
    )


NODES = [
    node(1001, "place", None, 1),
    node(1002, "people", None, 1),
    node(1003, "rooms", "place", 2),
    node(1, "parking", "rooms", 3),
    node(2, "heat", "rooms", 3),
    node(3, "staff", "people", 3),
]


@pytest.mark.parametrize(
    ("number", "keys"),
    [(1, ["parking"]), (1003, ["heat", "parking", "rooms"]), (1001, ["heat", "parking", "place", "rooms"])],
)
def test_a_theme_s_number_asks_for_every_code_below_it(number: int, keys: list[str]) -> None:
    assert keys_below(NODES, number) == keys


def test_a_number_that_no_node_has_is_refused() -> None:
    with pytest.raises(BadInput, match="it has no 7"):
        keys_below(NODES, 7)
