"""What requests may say, and what becomes of it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from holdfast.api.bodies import Usd
from holdfast.api.bodies_categories import MAX_BAD_ROWS, Malformed, read_rows
from holdfast.api.bodies_codeframes import GenerateBody
from holdfast.errors import BadInput
from holdfast.service import GenerationConfig


def rows(*given: Any) -> bytes:
    return json.dumps({"rows": given}).encode()


def test_what_is_not_said_has_the_service_s_defaults() -> None:
    assert GenerateBody(category_id=1).generation_config() == GenerationConfig()


def test_everything_that_is_said_reaches_the_service() -> None:
    body = {
        "category_id": 1,
        "n_clusters": 7,
        "coding_type": "brand",
        "config": {
            "target_language": "DE",
            "hierarchy_preference": "flat",
            "existing_codes": ["Price"],
            "min_cluster_size": 9,
            "min_samples": 2,
            "model": "openai:x",
            "in_doubt": "hold",
            "seed": 5,
        },
    }

    assert GenerateBody.model_validate(body).generation_config() == GenerationConfig(
        n_clusters=7,
        hierarchy="flat",
        min_cluster_size=9,
        min_samples=2,
        existing_codes=("Price",),
        target_language="de",
        seed=5,
        model="openai:x",
        in_doubt="hold",
        coding_type="brand",
    )


def test_the_older_places_say_the_same() -> None:
    body = {
        "category_id": 1,
        "algorithm_config": {"min_cluster_size": 9, "hierarchy_preference": "flat"},
        "target_language": "pl",
        "existing_codes": ["Price"],
        "config": {"min_samples": 7, "min_cluster_size": 9},
    }

    assert GenerateBody.model_validate(body).generation_config() == GenerationConfig(
        hierarchy="flat", min_cluster_size=9, min_samples=7, existing_codes=("Price",), target_language="pl"
    )


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "0.00"), ("0.000000", "0.00"), ("14.8725", "14.8725"), ("1E+2", "100.00"), ("2.5", "2.50")],
)
def test_money_is_said_in_decimals(amount: str, said: str) -> None:
    assert TypeAdapter(Usd).dump_python(Decimal(amount), mode="json") == said


def test_rows_keep_their_own_columns_in_order() -> None:
    read = read_rows(rows({"text": "a", "external_id": 7, "age": 41, "region": None, "member": True, "score": 0.5}))

    (row,) = read.rows
    assert (row.text, row.external_id) == ("a", "7")
    assert row.columns == {"external_id": 7, "age": 41, "region": None, "member": True, "score": 0.5}
    assert list(row.columns) == ["external_id", "age", "region", "member", "score"]


def test_an_id_of_blanks_is_no_id() -> None:
    assert read_rows(rows({"text": "a", "external_id": "  "})).rows[0].external_id is None


def test_bad_rows_are_listed_and_the_others_kept() -> None:
    read = read_rows(rows({"text": "a"}, {"answer": "b"}, {"text": 5}, {"text": "c", "deep": {}}, "d", {"text": "e"}))

    assert [row.text for row in read.rows] == ["a", "e"]
    assert read.n_bad == 4
    assert [bad.row for bad in read.bad] == [1, 2, 3, 4]
    assert read.bad[0].message == "text: Field required"
    assert read.bad[2].message.startswith("deep")


def test_many_bad_rows_are_counted_and_the_first_are_listed() -> None:
    read = read_rows(rows({"text": "a"}, *[{}] * 150))

    assert read.n_bad == 150
    assert len(read.bad) == MAX_BAD_ROWS


@pytest.mark.parametrize(
    "given",
    [
        {"text": "a", "external_id": "x" * 501},
        {"text": "a", "n": 1e999},
    ],
)
def test_a_row_the_database_cannot_hold_is_bad(given: dict[str, Any]) -> None:
    body = b'{"rows": [%b, {"text": "b"}]}' % json.dumps(given).replace("Infinity", "1e999").encode()

    read = read_rows(body)

    assert (len(read.rows), read.n_bad) == (1, 1)


@pytest.mark.parametrize("body", [b"", b"{", b'{"rows": [{"text": "a", "n": NaN}]}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_rows(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "body"),
        (b"{}", "body.rows"),
        (b'{"rows": []}', "body.rows"),
        (b'{"rows": [{"text": "a"}], "sheet": "b"}', "body.sheet"),
        (b'{"rows": [{}]}', "body.rows.0"),
    ],
)
def test_a_body_without_a_row_to_import_is_refused(body: bytes, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_rows(body)

    assert caught.value.problems[0].path == path


def test_rows_that_each_bring_columns_of_their_own_are_refused() -> None:
    with pytest.raises(BadInput, match="columns"):
        read_rows(rows(*({"text": "a", f"column {n}": 1} for n in range(1001))))
