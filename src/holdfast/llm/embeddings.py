"""OpenAI's embeddings on the wire: texts as a request's parameters, a list of embeddings as ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.errors import ProviderUnclear
from holdfast.llm.tokens import count_tokens
from holdfast.llm.values import Embedded, Usage

MOST_TOKENS = 7000  # of one text: OpenAI's models read 8,192, and ours is an estimate that may be a tenth too low

LARGEST = 1e30  # of a vector's numbers: what is larger, infinite or no number at all, has no length


def embedding_params(texts: Sequence[str], *, model: str, dimensions: int | None = None) -> dict[str, Any]:
    """The body of an embeddings request. A longer text is asked about by its beginning."""
    asked = {"model": model, "input": [_beginning(text) for text in texts], "encoding_format": "float"}
    return asked if dimensions is None else asked | {"dimensions": dimensions}


def count_embedded(texts: Sequence[str]) -> int:
    """Tokens that a request with these texts sends, estimated; seldom fewer than are billed."""
    return sum(count_tokens(_beginning(text)) for text in texts)


def embedded_of(body: Mapping[str, Any], texts: Sequence[str]) -> Embedded:
    """The vectors of a reply, in the order of the texts; usage counted here if it has none.

    A reply that is no list of so many finite vectors of one length has none, and says what is wrong with it. Raises
    ProviderUnclear if it does not say what was billed either: it was answered, and we cannot tell.
    """
    billed = _billed(body)
    vectors, wrong = _vectors(body.get("data"), len(texts))
    if wrong and billed is None:
        raise ProviderUnclear(f"OpenAI's reply {wrong}")
    tokens = count_embedded(texts) if billed is None else billed
    return Embedded(vectors=vectors, usage=Usage(input_tokens=tokens, output_tokens=0), wrong=wrong)


def _billed(body: Mapping[str, Any]) -> int | None:
    usage = body.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    return tokens if isinstance(tokens, int) and tokens >= 0 else None


def _vectors(data: Any, n: int) -> tuple[tuple[tuple[float, ...], ...], str]:
    try:
        by_place = {int(each["index"]): tuple(map(float, each["embedding"])) for each in data}
    except (IndexError, KeyError, OverflowError, TypeError, ValueError):
        return (), "is no list of embeddings"
    vectors = tuple(by_place[place] for place in range(n) if place in by_place)
    if not len(vectors) == len(by_place) == len(data) == n or len(set(map(len, vectors))) > 1 or not all(vectors):
        return (), "has other embeddings than were asked for"
    if not all(abs(value) < LARGEST for vector in vectors for value in vector):
        return (), "has embeddings that are no numbers"
    return vectors, ""


def _beginning(text: str) -> str:
    while count_tokens(text) > MOST_TOKENS:
        text = text[: len(text) * 3 // 4]
    return text
