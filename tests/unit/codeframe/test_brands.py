"""Variants become one brand, what may be either of two does not, and nothing disappears."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.codeframe import FrameConfig, code_directly
from holdfast.codeframe.brands import Brand, code_brands, display_name
from holdfast.codeframe.mentions import key_of, segments_of, tidy

COLA = ["coca cola"] * 12 + ["Coca Cola"] * 6 + ["Coca-Cola"] * 4 + ["cocacola!!"] * 2
LISTED = FrameConfig(existing_codes=("Coca-Cola (Coke)", "Sprite"))
ANSWERS = [
    *COLA, *["pepsi"] * 9, "Pepsi, Fanta", "pepsi and coca cola", "fanta", "pesi", "LG", "HP", "3M", "asdf", "x", "42",
    "nothing", "", "don't know", "I have never liked any of them very much",
]  # fmt: skip


def named(texts: Sequence[str], *, listed: Sequence[str] = (), many: int = 5) -> dict[str, Brand]:
    return {brand.name: brand for brand in code_brands(texts, listed=listed, many=many).brands}


def of(text: str, texts: Sequence[str], *, listed: Sequence[str] = ()) -> list[str]:
    """The brands of one of the texts."""
    coding = code_brands(texts, listed=listed)
    return [coding.brands[place].name for place, _ in coding.coded[text]]


@pytest.mark.parametrize(
    "variant",
    [
        "coca-cola",
        "COCACOLA",
        "Coca  Cola.",
        "the coca cola",
        "coca cola's",
        "coca cloa",
        "cocacla",
        "www.cocacola.com",
    ],
)
def test_a_variant_is_its_brand(variant: str) -> None:
    assert of(variant, [*COLA, variant]) == ["Coca Cola"]


def test_mentions_of_one_answer_are_apart_in_their_order() -> None:
    corpus = [*COLA, *["pepsi"] * 6, *["fanta"] * 6]

    for answer in (
        "pepsi, fanta; coca cola",
        "pepsi/fanta/coca cola",
        "1. pepsi 2. fanta 3. coca cola",
        "Pepsi & fanta + coca cola",
        "pepsi\nfanta\ncoca cola",
        "pepsi and fanta and coca cola",
        "pepsi fanta coca cola",
    ):
        assert of(answer, [*corpus, answer]) == ["Pepsi", "Fanta", "Coca Cola"], answer


def test_a_name_that_has_an_and_inside_stays_whole() -> None:
    assert of("H&M", ["H&M"]) == ["H&M"]
    assert of("Ben and jerrys", ["Ben & Jerry's", "Ben and jerrys"]) == ["Ben & Jerry's"]
    assert of("Marks and Spencer", ["Marks and Spencer"] * 3) == ["Marks and Spencer"]


def test_short_names_are_never_merged() -> None:
    texts = ["LG"] * 50 + ["HP"] * 50 + ["3M"] * 50 + ["LQ", "HB", "2M", "BMW", "BMV", "KFC"]

    assert set(named(texts)) == {"LG", "HP", "3M", "LQ", "HB", "2M", "BMW", "BMV", "KFC"}


def test_numbers_make_other_names() -> None:
    assert set(named(["Windows 10"] * 50 + ["Windows 11"])) == {"Windows 10", "Windows 11"}


def test_what_may_be_either_of_two_brands_is_for_review() -> None:
    brands = named(["Audi"] * 40 + ["Aldi"] * 40 + ["Addi"])

    assert brands["Addi"].group == "review"
    assert "“Aldi” and “Audi”" in brands["Addi"].evidence
    assert (brands["Audi"].n_rows, brands["Aldi"].n_rows) == (40, 40)
    assert {brands["Audi"].group, brands["Aldi"].group} == {"verified"}


def test_a_near_name_that_many_write_is_no_misspelling_unless_it_is_far_rarer() -> None:
    near = named(["Panasonic"] * 40 + ["Panasonia"] * 8)
    rare = named(["Panasonic"] * 400 + ["Panasonia"] * 8)

    assert (near["Panasonia"].group, near["Panasonia"].is_unsure) == ("review", True)
    assert "“Panasonic”" in near["Panasonia"].evidence
    assert set(rare) == {"Panasonic"}


def test_enough_answers_verify_a_brand_and_too_few_do_not() -> None:
    brands = named(["Volvo"] * 4 + ["Toyota"] * 5)

    assert (brands["Toyota"].group, brands["Volvo"].group) == ("verified", "review")
    assert named(["Volvo"] * 4, many=4)["Volvo"].group == "verified"


def test_the_user_s_list_comes_first() -> None:
    brands = named([*COLA, "coke", "sprit"], listed=["Coca-Cola (Coke, Cola)", "Sprite", "Dr Pepper"])

    assert list(brands) == ["Coca-Cola", "Sprite", "Dr Pepper"]
    assert [(b.n_rows, b.group) for b in brands.values()] == [(25, "verified"), (1, "verified"), (0, "verified")]


def test_a_listed_brand_is_one_whatever_rules_say_of_its_name() -> None:
    assert of("X", ["X", "Y"], listed=["X"]) == ["X"]
    assert of("Y", ["X", "Y"], listed=["X"]) == []


def test_an_abbreviation_needs_evidence() -> None:
    without = named(["HP", "HP", "Hewlett Packard", "Hewlett Packard"])
    beside = named(["HP", "HP", "Hewlett Packard", "Hewlett Packard (HP)", "HP (Hewlett Packard)"])

    assert set(without) == {"HP", "Hewlett Packard"}
    assert list(beside) == ["HP"] or list(beside) == ["Hewlett Packard"]
    assert next(iter(beside.values())).n_rows == 5


def test_brands_are_found_in_a_sentence() -> None:
    sentence = "I usually buy coca cola when it is on offer somewhere"

    assert of(sentence, [*COLA, sentence]) == ["Coca Cola"]


@pytest.mark.parametrize("spam", ["asdf", "x", "42", "bcdfg", "zzzz", "???", "don't know", "none", ""])
def test_spam_has_a_rule_code_and_no_brand(spam: str) -> None:
    coding = code_brands([*COLA, spam])

    assert (coding.coded[spam], [b.name for b in coding.brands]) == ((), ["Coca Cola"])
    assert spam in coding.spam


def test_a_brand_beside_spam_counts() -> None:
    assert of("coca cola, asdf", [*COLA, "coca cola, asdf"]) == ["Coca Cola"]


def test_the_evidence_tells_every_spelling_with_its_count() -> None:
    brand = named([*COLA, "coca cla"])["Coca Cola"]

    assert brand.spellings[:2] == (("coca cola", 12), ("Coca Cola", 6))
    assert "“coca cla” 1" in brand.evidence


def test_a_name_is_the_most_frequent_spelling_with_its_capitals() -> None:
    assert display_name({"coca cola": 30, "Coca Cola": 3, "coka cola": 1}) == "Coca Cola"
    assert display_name({"pepsi": 2, "PEPSI": 1}) == "Pepsi"
    assert display_name({"McDonalds": 2, "mcdonalds": 9}) == "McDonalds"
    assert display_name({"lg": 2}) == "LG"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_shuffled_rows_give_the_same_brands(seed: int) -> None:
    shuffled = list(ANSWERS)
    random.Random(seed).shuffle(shuffled)

    assert code_brands(shuffled) == code_brands(ANSWERS)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from(ANSWERS)), max_size=25))
def test_every_answer_is_accounted_for(texts: list[str]) -> None:
    frame = code_directly("brand", texts, LISTED)

    assert len(frame.assignments.best) == len(texts)
    assert all(frame.assignments.codes(row) for row in range(len(texts)))
    assert set(frame.assignments.numbers.tolist()) <= set(frame.by_number)
    for node in frame.nodes:
        if node.node_type == "code":
            assert node.n_answers == int((frame.assignments.numbers == node.number).sum())
        assert node.parent is None or node.parent in {other.key for other in frame.nodes}
    assert len({node.key for node in frame.nodes}) == len(frame.nodes)


@given(st.text(max_size=60))
def test_normalising_again_changes_nothing(text: str) -> None:
    key, name = key_of(text), tidy(text)

    assert key_of(key) == key
    assert tidy(name) == name
    assert all(part.strip() for part in segments_of(text))


def test_the_groups_are_themes_and_a_flat_frame_has_none() -> None:
    themed = code_directly("brand", ANSWERS, LISTED)
    flat = code_directly("brand", ANSWERS, FrameConfig(hierarchy="flat"))

    assert [node.name for node in themed.nodes if node.level == 1] == ["Verified", "Review", "Spam"]
    assert next(node for node in themed.nodes if node.kind == "other").parent == "theme/review"
    assert {node.level for node in flat.nodes} == {1}


def test_thousands_of_rare_names_end_in_other_with_a_note() -> None:
    rng = random.Random(1)
    texts = ["".join(rng.choices("bdfglmnprst", k=1) + rng.choices("aeiou", k=1)) * 2 + f"{n:03}" for n in range(1200)]

    frame = code_directly("brand", texts, FrameConfig())

    assert sum(node.kind == "content" and node.node_type == "code" for node in frame.nodes) == 900
    assert next(node for node in frame.nodes if node.kind == "other").n_answers == 300
    assert any("300 rarer names" in note for note in frame.notes)
