"""Codings that need no clusters: the whole frame straight from the answers, by their words or as a model reads them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.codeframe.brand_coder import BrandCoder, asked_brands
from holdfast.codeframe.brand_frame import brand_stage
from holdfast.codeframe.bundles import Coder, Reading
from holdfast.codeframe.preprocess import prepare
from holdfast.codeframe.sentiment_coder import SentimentCoder
from holdfast.codeframe.sentiment_frame import sentiment_stage
from holdfast.codeframe.values import AssembledFrame, FrameConfig


class CodingStage(Protocol):
    """Makes the frame of a coding type."""

    def __call__(
        self, texts: Sequence[str], config: FrameConfig, read: Mapping[str, Reading] | None = None
    ) -> AssembledFrame: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingType:
    """How answers are coded whose codes are not found by clusters."""

    stage: CodingStage
    coder: Callable[[FrameConfig], Coder]
    asked: Callable[[Sequence[str], FrameConfig], tuple[str, ...]]  # the distinct texts that a model has to read


CODING_TYPES: Mapping[str, CodingType] = {
    "brand": CodingType(
        stage=brand_stage,
        coder=lambda config: BrandCoder(listed=config.existing_codes),
        asked=lambda texts, config: asked_brands(prepare(texts), config.existing_codes),
    ),
    "sentiment": CodingType(
        stage=sentiment_stage,
        coder=lambda config: SentimentCoder(),
        asked=lambda texts, config: prepare(texts).distinct,
    ),
}


def coder_of(coding_type: str, config: FrameConfig) -> Coder:
    """How a model codes answers of that type."""
    return CODING_TYPES[coding_type].coder(config)


def asked_texts(coding_type: str, texts: Sequence[str], config: FrameConfig) -> tuple[str, ...]:
    """The distinct texts of which a model has to say what they are; the same for shuffled rows."""
    return CODING_TYPES[coding_type].asked(texts, config)


def code_directly(
    coding_type: str, texts: Sequence[str], config: FrameConfig, read: Mapping[str, Reading] | None = None
) -> AssembledFrame:
    """The frame of a `brand` or a `sentiment` coding with every row coded; the same for shuffled rows.

    `read`: a model's readings of those of `asked_texts` that it gave one of; None: no model took part.
    """
    return CODING_TYPES[coding_type].stage(texts, config, read)
