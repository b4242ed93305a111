"""Codings that need no clusters: the whole frame straight from the answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from holdfast.codeframe.brand_frame import brand_stage
from holdfast.codeframe.sentiment_frame import sentiment_stage
from holdfast.codeframe.values import AssembledFrame, FrameConfig

CodingStage: TypeAlias = Callable[[Sequence[str], FrameConfig], AssembledFrame]

CODINGS: Mapping[str, CodingStage] = {"brand": brand_stage, "sentiment": sentiment_stage}


def code_directly(coding_type: str, texts: Sequence[str], config: FrameConfig) -> AssembledFrame:
    """The frame of a `brand` or a `sentiment` coding with every row coded; the same for shuffled rows."""
    return CODINGS[coding_type](texts, config)
