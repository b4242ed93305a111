"""Answers that a model codes against a finished frame."""

import json
import random
from functools import cache
from typing import Any

import pytest
from tests.unit.codeframe.test_frame import MIXED, check, frame_of

from holdfast.codeframe import (
    AssembledFrame,
    FrameCoder,
    FrameConfig,
    build_codeframe,
    bundle_prompt,
    prepare,
    read_bundle,
    recode,
)
from holdfast.codeframe.embedding import LsaEmbedder
from holdfast.errors import BadReply

OTHER = 995


@cache
def made() -> tuple[AssembledFrame, FrameCoder]:
    frame = frame_of(MIXED, n_clusters=4, hierarchy="two_level")
    return frame, FrameCoder.of(frame, MIXED)


def read(*codes: Any) -> dict[str, Any]:
    """What is read of a reply about as many answers."""
    texts = [f"answer {n}" for n in range(len(codes))]
    entries = [{"id": n, "codes": said, "confidence": 0.8} for n, said in enumerate(codes, start=1)]
    return read_bundle(json.dumps({"answers": entries}), "stop", texts, made()[1])


def coded(*, without: int = 0) -> tuple[AssembledFrame, dict[str, Any]]:
    """Every text in the first code, the last two with another one; the first `without` texts have no reading."""
    frame, _ = made()
    distinct = prepare(MIXED).distinct
    readings = {text: [[1], 0.9] for text in distinct[without:]} | {text: [[2, 1], 0.6] for text in distinct[-2:]}
    return recode(frame, prepare(MIXED), MIXED, readings), readings


def test_a_model_sees_each_code_of_the_frame_before_the_answers() -> None:
    frame, coder = made()

    document = json.loads(bundle_prompt(coder, ["some answer"]).user)

    assert list(document) == ["question", "codes", "answers"]
    codes = [node for node in frame.nodes if node.node_type == "code" and node.kind == "content"]
    assert [(code["id"], code["name"]) for code in document["codes"]] == [(node.number, node.name) for node in codes]
    assert all(1 <= len(code["examples"]) <= 2 for code in document["codes"])
    assert FrameCoder.from_json(json.loads(json.dumps(coder.to_json()))) == coder


def test_codes_that_there_are_not_and_more_than_three_are_left_out() -> None:
    assert read([3, 99, 1, 3, True], [4, 3, 2, 1], []) == {
        "answer 0": [[3, 1], 0.8],
        "answer 1": [[4, 3, 2], 0.8],
        "answer 2": [[], 0.8],
    }


@pytest.mark.parametrize("said", [[99], ["1"], "1", None, {"id": 1}, [OTHER]])
def test_an_entry_without_a_known_code_is_no_reading(said: Any) -> None:
    assert read([1], said) == {"answer 0": [[1], 0.8]}
    with pytest.raises(BadReply):
        read(said)


def test_the_frame_has_the_codes_the_model_gave() -> None:
    frame, readings = coded()

    check(frame, len(MIXED))
    nodes = {node.number: node for node in frame.nodes}
    assert nodes[1].n_answers == sum(1 for text in MIXED if text in readings)
    assert (nodes[2].n_answers, nodes[3].n_answers, nodes[OTHER].n_answers) == (2, 0, 0)
    theme = next(node for node in frame.nodes if node.key == nodes[1].parent)
    assert theme.n_answers == nodes[1].n_answers
    row = MIXED.index(prepare(MIXED).distinct[-1])
    assert frame.assignments.codes(row) == (2, 1)
    assert round(float(frame.assignments.score[row]), 2) == 0.6
    assert frame.mece.exclusivity < made()[0].mece.exclusivity + 1e-9
    assert all(row in _rows(frame, 2) for row in nodes[2].exemplars)


def test_what_has_no_reading_is_in_other_and_rule_codes_stay() -> None:
    frame, _ = coded(without=3)

    before, after = ({node.key: node.n_answers for node in each.nodes} for each in (made()[0], frame))
    assert after["other"] == 3
    assert {key: n for key, n in after.items() if key.startswith("rule")} == {
        key: n for key, n in before.items() if key.startswith("rule")
    }
    assert frame.notes[-1] == "the model gave no usable reading of 3 answers; see Other"
    assert [row for row in range(len(MIXED)) if frame.assignments.codes(row) == (OTHER,)] == _rows(frame, OTHER)


def test_the_order_of_the_rows_changes_no_code() -> None:
    _, readings = coded()
    mixed = random.Random(5).sample(MIXED, len(MIXED))
    config = FrameConfig(n_clusters=4, hierarchy="two_level")

    one = recode(made()[0], prepare(MIXED), MIXED, readings)
    other = recode(build_codeframe(mixed, config, LsaEmbedder()), prepare(mixed), mixed, readings)

    codes = {text: one.assignments.codes(row) for row, text in enumerate(MIXED)}
    assert codes == {text: other.assignments.codes(row) for row, text in enumerate(mixed)}
    assert [(node.key, node.n_answers) for node in one.nodes] == [(node.key, node.n_answers) for node in other.nodes]


def _rows(frame: AssembledFrame, number: int) -> list[int]:
    return [row for row in range(len(MIXED)) if number in frame.assignments.codes(row)]
