"""Made-up answers for the tests of this room."""

import itertools

_PEOPLE = ("staff", "nurses", "receptionists")
_KIND = ("friendly", "helpful", "kind", "polite")
_SLOW = ("long", "endless", "slow")
_WAITS = ("waiting time", "queue", "wait for an appointment")
_TASTE = ("cold", "bland", "tasty", "hot")
_MEALS = ("food", "meals", "breakfast")
_SIZES = ("small", "expensive", "full")
_PLACES = ("car park", "parking space", "parking lot")


def survey() -> list[str]:
    """About four topics: friendly staff, waiting, food, parking."""
    topics = ((_KIND, _PEOPLE, "were"), (_SLOW, _WAITS, "was"), (_TASTE, _MEALS, "was"), (_SIZES, _PLACES, "is"))
    answers = []
    for words, things, copula in topics:
        for word, thing in itertools.product(words, things):
            answers += [f"The {thing} {copula} very {word}", f"{word} {thing}", f"I found the {thing} {word} this time"]
    return answers
