"""What a generation may cost, from the answers it would label, before anything is started."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from holdfast.codeframe import MOST_EXEMPLARS, MOST_OUTSIDERS, QUOTED, Brief, Exemplar, likely_clusters
from holdfast.llm import Price, Usage, count_request
from holdfast.service.labelling import ask
from holdfast.service.requests import GenerationConfig

SAMPLE = 400  # texts whose tokens are counted
SHORT_LABEL = 90  # tokens; a model that says only what the schema asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A range of what a generation may cost. Tokens and calls are those of its upper end."""

    low_usd: Decimal = Decimal(0)
    high_usd: Decimal = Decimal(0)
    n_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "low_usd": str(self.low_usd), "high_usd": str(self.high_usd)}


def estimate(texts: Sequence[str], config: GenerationConfig, price: Price, *, question: str | None) -> Estimate:
    """The estimate for these answers.

    A call shows the model some exemplars of one cluster: their tokens are counted on a sample of the real answers. The
    low end has few clusters, which show half of what an average one can and get short replies; the high end the most
    clusters, full prompts, and replies as long as they may be.
    """
    shown = [text[:QUOTED] for text in texts[:: max(1, len(texts) // SAMPLE)] if text.strip()][:SAMPLE] or [""]
    few, many = (config.n_clusters,) * 2 if config.n_clusters else likely_clusters(len(set(texts)))
    average = min(MOST_EXEMPLARS, len(texts) // many)
    small = ask(_brief(shown, max(3, average // 2)), config, question=question).request
    full = ask(_brief(shown, MOST_EXEMPLARS), config, question=question).request
    least, most = sorted((count_request(small), count_request(full)))
    low = few * price.cost(Usage(input_tokens=least, output_tokens=SHORT_LABEL), batch=config.batch)
    high = many * price.most(input_tokens=most, max_tokens=full.max_tokens, batch=config.batch)
    return Estimate(
        low_usd=min(low, high),
        high_usd=high,
        n_calls=many,
        input_tokens=many * most,
        output_tokens=many * full.max_tokens,
    )


def _brief(texts: Sequence[str], n: int) -> Brief:
    """A cluster as it may be: so many of these answers, taken evenly."""
    n = min(n, MOST_EXEMPLARS)
    taken = [texts[(place * len(texts)) // n] for place in range(n)]
    return Brief(
        k=0,
        n_answers=n,
        n_distinct=n,
        cohesion=0.5,
        exemplars=tuple(Exemplar(distinct=row, text=text, weight=1) for row, text in enumerate(taken)),
        outsiders=tuple(taken[:MOST_OUTSIDERS]),
        neighbours=(),
        phrases=(),
    )
