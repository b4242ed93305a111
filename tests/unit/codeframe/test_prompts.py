"""Prompts are versions: what a model is told does not change under a name that stays."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from tests.unit.codeframe.test_model_labels import brief

from holdfast.codeframe import FrameCoder, FrameConfig, coder_of, label_prompt, map_reduce, whole
from holdfast.codeframe import prompting as labels
from holdfast.codeframe import reviewing as reviews
from holdfast.codeframe.bundles import schema_of
from holdfast.durable import fingerprint
from holdfast.service import GenerationConfig
from holdfast.service.labelling import ask

# A changed text or schema gives other replies: make it a file of a new name (label-2.txt), and leave these lines alone.
TEXTS = {
    "brands-1": "55456f6667bdce02b615dfc88eeb1a9e",
    "codes-1": "c53ef372bd5bd04c29190e1c06493281",
    "label-1": "3454b09670f455b4f7298f92e25a4c5c",
    "map-1": "a710e7c485f6d1060d507776043dcead",
    "reduce-1": "2e5ca67763071742cc133fff58f11d91",
    "review-1": "3fa4178b3641f5be08abe3637715a97e",
    "sentiment-1": "57a9cf1b66094ef6d4984fb5c3c4ed58",
    "whole-1": "b559cc9c5162d28bdba1cef2d6661316",
}
SCHEMAS = {
    "brands-1": "b3223dc147b7d0629dd5c6e179a0f907",
    "codes-1": "aeb0cb3e3cccc0aac058131a772c5490",
    "label-1": "e556f09129f1b1c913461c794b376e40",
    "map-1": "c5555061c1f4aa431a3001214927f85b",
    "reduce-1": "e556f09129f1b1c913461c794b376e40",  # a label, as label-1
    "review-1": "59e3b3194f340869f93e8ca778c711c7",
    "sentiment-1": "6fd40c14fc60f7847a4a25d4e2e149f2",
    "whole-1": "06107546cda3bb3bd4e798f165f35cf2",
}
CODERS = [*(coder_of(kind, FrameConfig()) for kind in ("brand", "sentiment")), FrameCoder(codes=())]
IN_PARTS = {map_reduce.MAP: map_reduce.MAP_SCHEMA, map_reduce.REDUCE: labels.SCHEMA}
OFFERED = (
    {each.VERSION: each.SCHEMA for each in (labels, reviews, whole)}
    | IN_PARTS
    | {coder.version: schema_of(coder) for coder in CODERS}
)


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_a_text_that_has_changed_has_another_version() -> None:
    folder = files("holdfast.codeframe") / "prompts"
    found = {file.name.removesuffix(".txt"): digest(file.read_text("utf-8")) for file in folder.iterdir()}

    assert found == TEXTS


@pytest.mark.parametrize("version", sorted(OFFERED))
def test_a_schema_that_has_changed_has_another_version(version: str) -> None:
    assert digest(json.dumps(OFFERED[version], sort_keys=True)) == SCHEMAS[version]


def test_the_version_is_part_of_what_a_step_is_known_by() -> None:
    config = GenerationConfig(model="openai:some")
    asked = ask(brief(), config, question=None)

    other = replace(asked, prompt=replace(asked.prompt, version="label-99"))

    def known(question: Any) -> str:
        return fingerprint(config.model, question.inputs)

    assert asked.prompt.version == labels.VERSION
    assert known(other) != known(asked)
    assert known(ask(brief(), config, question=None)) == known(asked)


def test_what_a_cluster_is_asked_that_is_not_read_in_parts_is_known_by_the_same_as_ever() -> None:
    """A reply that was paid for before an upgrade is found after it."""
    config = GenerationConfig(model="openai:some", existing_codes=("Waiting Times",), target_language="de")
    asked = ask(brief(), config, question="Why?")

    assert (asked.step, fingerprint(config.model, asked.inputs)) == ("label/4", "e0a2c1640822b495a7ae543a6d72c3f7")
    assert fingerprint("offline", {"config": GenerationConfig().to_json()}) == "899b031245cb39e8c200f24201625d22"


def test_the_instructions_are_the_file_s() -> None:
    text = (files("holdfast.codeframe") / "prompts" / f"{labels.VERSION}.txt").read_text("utf-8")

    assert label_prompt(brief(), GenerationConfig().frame()).system == text
