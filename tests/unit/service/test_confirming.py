"""Codes as a person writes them, read as the codeframe's numbers."""

import pytest

from holdfast.errors import BadInput
from holdfast.service.confirming import MOST_CODES, Numbers
from holdfast.store.codeframes import StoredNode


def numbers() -> Numbers:
    named = {1: "Parking", 2: "Staff", 7: "2", 995: "Other"}
    return Numbers(
        [
            StoredNode(
                id=number,
                key=name,
                parent_key=None,
                node_type="code",
                level=1,
                position=0,
                number=number,
                name=name,
                description="",
                confidence=1.0,
                n_answers=0,
            )
            for number, name in named.items()
        ]
    )


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (["staff ", "PARKING"], [2, 1]),  # the order is the person's
        ([1, "1", "Parking", 2], [1, 2]),  # each once
        (["2"], [7]),  # a name before a number
        (["Other", 995, "995"], []),
        ([995, 1], [1]),
        ([], []),
    ],
)
def test_codes_are_names_or_numbers(codes: list[int | str], found: list[int]) -> None:
    assert numbers().of(codes, path="5") == found


@pytest.mark.parametrize(
    ("codes", "message"),
    [([3], "no code 3"), (["3"], "no code 3"), (["Nurses"], "no code 'Nurses'"), (["²"], "no code '²'")],
)
def test_a_code_that_is_not_there_is_refused(codes: list[int | str], message: str) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        numbers().of(codes, path="5")
    assert [problem.path for problem in refused.value.problems] == ["5"]


def test_more_codes_than_an_answer_can_have_are_refused() -> None:
    assert numbers().of([1] * MOST_CODES, path="5") == [1]
    with pytest.raises(BadInput, match=f"{MOST_CODES} is the most"):
        numbers().of([1] * (MOST_CODES + 1), path="5")
