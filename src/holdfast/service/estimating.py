"""What a generation may cost, from the answers it would label, before anything is started."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from heapq import nsmallest
from typing import Any
from zlib import crc32

from holdfast.codeframe import (
    MOST_EXEMPLARS,
    MOST_WHOLE,
    QUOTED,
    Coder,
    asked_texts,
    coder_of,
    count_parts,
    likely_clusters,
    most_parts,
    plan_bundles,
    prepare,
    wants_review,
)
from holdfast.errors import BadInput, Problem
from holdfast.llm import Price, Usage, count_embedded, count_request
from holdfast.service.coding import ask_bundle
from holdfast.service.embedding_work import plan_paid
from holdfast.service.labelling import ask, ask_map, ask_review
from holdfast.service.requests import GenerationConfig
from holdfast.service.specimens import LONG_TEXT, a_brief, a_frame_coder, a_part, longest_reduce, some_labels
from holdfast.service.whole_work import ask_whole

SAMPLE = 400  # texts whose tokens are counted
SHORT_REVIEW = 6  # tokens for each code; of themes with short names
SAMPLED_BUNDLES = 20  # whose tokens are counted
SHORT_ENTRY = 12  # tokens of a reply for one answer that needs few
SHORT_LABEL = 90  # tokens; a model that says only what the schema asks for
SHORT_MAP = 120  # tokens; two points


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A range of what a generation may cost. Tokens and calls are those of its upper end."""

    low_usd: Decimal = Decimal(0)
    high_usd: Decimal = Decimal(0)
    n_calls: int = 0
    n_maps: int = 0  # of these: calls that read parts of large clusters
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: "Estimate") -> "Estimate":
        return Estimate(**{name: getattr(self, name) + getattr(other, name) for name in Estimate.__slots__})

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "low_usd": str(self.low_usd), "high_usd": str(self.high_usd)}


def estimate(texts: Sequence[str], config: GenerationConfig, price: Price, *, question: str | None) -> Estimate:
    """The estimate for these answers.

    A call shows the model some exemplars of one cluster: their tokens are counted on a sample of the real answers. The
    low end has few clusters, which show half of what an average one can and get short replies; the high end the most
    clusters, full prompts, and replies as long as they may be.
    """
    if config.is_direct:
        coder = coder_of(config.coding_type, config.frame())
        asked = asked_texts(config.coding_type, texts, config.frame())
        return _coding(asked, (coder, coder), config, price, question)
    if config.whole:
        return _whole(texts, config, price, question)
    shown = _sample(texts)
    few, many = (config.n_clusters,) * 2 if config.n_clusters else likely_clusters(sorted(set(texts)))
    average = min(MOST_EXEMPLARS, len(texts) // many)
    small = ask(a_brief(shown, max(3, average // 2)), config, question=question).request
    full = ask(a_brief(shown, MOST_EXEMPLARS), config, question=question).request
    least, most = sorted((count_request(small), count_request(full)))
    low = few * price.cost(Usage(input_tokens=least, output_tokens=SHORT_LABEL), batch=config.batch)
    high = many * price.most(input_tokens=most, max_tokens=full.max_tokens, batch=config.batch)
    labels = Estimate(
        low_usd=min(low, high),
        high_usd=high,
        n_calls=many,
        input_tokens=many * most,
        output_tokens=many * full.max_tokens,
    )
    if config.maps:
        labels = labels.plus(_maps(texts, shown, (few, many), config, price, question))
    if config.review:
        labels = labels.plus(_review(shown, (few, many), config, price, question))
    if config.code_answers:
        coders = a_frame_coder(few, "A short sentence about the code."), a_frame_coder(many, LONG_TEXT)
        labels = labels.plus(_coding(prepare(texts).distinct, coders, config, price, question))
    return labels


def _sample(texts: Sequence[str]) -> list[str]:
    """Some of the different answers, the same ones in any order of the rows; at least one text.

    In the order of their checksums, which has to do with neither the rows nor what is said: so whoever takes the first
    few of them has a fair sample as well.
    """
    distinct = {text for text in texts if text.strip()}
    taken = nsmallest(SAMPLE, distinct, key=lambda text: (crc32(text.encode(errors="replace")), text))
    return [text[:QUOTED] for text in taken] or [""]


def estimate_vectors(texts: Sequence[str], price: Price) -> Estimate:
    """The calls that buy the answers' vectors; their tokens are known but for the provider's way of counting."""
    prepared = prepare(texts)
    tokens = count_embedded(prepared.distinct)
    cost = price.cost(Usage(input_tokens=tokens, output_tokens=0))
    return Estimate(
        low_usd=price.cost(Usage(input_tokens=tokens // 2, output_tokens=0)),
        high_usd=cost,
        n_calls=len(plan_paid(prepared)),
        input_tokens=tokens,
    )


def _coding(
    asked: Sequence[str],
    coders: tuple[Coder, Coder],
    config: GenerationConfig,
    price: Price,
    question: str | None,
) -> Estimate:
    """A call for each bundle: with the coder that says least and short replies, or that says most and the longest.

    Answers that a reply leaves out are asked for again. How many is not known: none here.
    """
    bundles = plan_bundles(asked)
    counted = bundles[:: max(1, len(bundles) // SAMPLED_BUNDLES)]
    if not counted:
        return Estimate()
    scale = len(bundles) / len(counted)
    small, full = (
        [ask_bundle("code/0", bundle, coder, config, question=question).request for bundle in counted]
        for coder in coders
    )
    least, most_asked = (round(scale * sum(map(count_request, requests))) for requests in (small, full))
    most = round(scale * sum(request.max_tokens for request in full))
    short = round(scale * sum(SHORT_ENTRY * len(bundle) for bundle in counted))
    low = price.cost(Usage(input_tokens=least, output_tokens=min(short, most)), batch=config.batch)
    high = price.most(input_tokens=most_asked, max_tokens=most, batch=config.batch)
    return Estimate(
        low_usd=min(low, high), high_usd=high, n_calls=len(bundles), input_tokens=most_asked, output_tokens=most
    )


def _whole(texts: Sequence[str], config: GenerationConfig, price: Price, question: str | None) -> Estimate:
    """The one call, whose prompt is known. Raises BadInput for more answers than it can hold."""
    prepared = prepare(texts)
    n = len(prepared.distinct)
    if n > MOST_WHOLE:
        message = f"one prompt holds {MOST_WHOLE} different answers, and here are {n:,}: leave whole out"
        raise BadInput(f"whole: {message}", problems=[Problem(path="whole", message=message)])
    if not n:
        return Estimate()
    request = ask_whole(prepared, config, question=question).request
    asked = count_request(request)
    low = price.cost(Usage(input_tokens=asked, output_tokens=min(SHORT_REVIEW * n, request.max_tokens)))
    high = price.most(input_tokens=asked, max_tokens=request.max_tokens)
    return Estimate(
        low_usd=min(low, high), high_usd=high, n_calls=1, input_tokens=asked, output_tokens=request.max_tokens
    )


def _maps(
    texts: Sequence[str],
    shown: Sequence[str],
    clusters: tuple[int, int],
    config: GenerationConfig,
    price: Price,
    question: str | None,
) -> Estimate:
    """What large clusters add: a call for each part, and a longer prompt for the label.

    The low end has clusters of one size, of which few or none are large; the high end as many as there can be.
    """
    few, many = clusters
    distinct = set(texts)
    n, characters = len(distinct), sum(min(len(text), QUOTED) for text in distinct)
    large, parts = most_parts(n, characters, clusters=many, above=config.map_above)
    if not large:
        return Estimate()
    asked = ask_map(0, 0, a_part(shown, characters // parts), config, question=question).request
    brief = a_brief(shown, MOST_EXEMPLARS)
    label, reduced = ask(brief, config, question=question), longest_reduce(brief, shown, config, question=question)
    longer = max(0, count_request(reduced.request) - count_request(label.request))
    even = few * count_parts(n // few, characters // few) if n // few > config.map_above else 0
    least = Usage(input_tokens=min(even, parts) * count_request(asked) // 2, output_tokens=min(even, parts) * SHORT_MAP)
    tokens = parts * count_request(asked) + large * longer
    return Estimate(
        low_usd=price.cost(least),
        high_usd=price.most(input_tokens=tokens, max_tokens=parts * asked.max_tokens),
        n_calls=parts,
        n_maps=parts,
        input_tokens=tokens,
        output_tokens=parts * asked.max_tokens,
    )


def _review(
    texts: Sequence[str], clusters: tuple[int, int], config: GenerationConfig, price: Price, question: str | None
) -> Estimate:
    """The one call over all labels: few short ones and a short reply, or many as long as they are shown."""
    few, many = clusters
    if not wants_review(some_labels(many, "word"), config.frame()):
        return Estimate()
    small, full = (
        ask_review([a_brief(texts, 2, k=k) for k in range(n)], some_labels(n, said), config, question=question).request
        for n, said in ((few, "A short sentence about the code."), (many, LONG_TEXT))
    )
    asked = count_request(full)
    low = price.cost(Usage(input_tokens=count_request(small), output_tokens=SHORT_REVIEW * few))
    return Estimate(
        low_usd=low,
        high_usd=price.most(input_tokens=asked, max_tokens=full.max_tokens),
        n_calls=1,
        input_tokens=asked,
        output_tokens=full.max_tokens,
    )
