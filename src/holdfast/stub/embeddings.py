"""OpenAI's wire format: embeddings. Texts that share words are near each other, and the same texts are the same."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from holdfast.stub import chat
from holdfast.stub.material import count_tokens
from holdfast.stub.replying import Prompt, Reply
from holdfast.stub.wire import Answer

DIMENSIONS = 1536  # where a request asks for no others
MOST_TEXTS, MOST_OF_ONE, MOST_TOKENS = 2048, 8192, 300_000  # of one request, as the provider has it

refusal, refused, limits = chat.refusal, chat.refused, chat.limits


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """The texts in a request's body, as one prompt; ValueError says what is wrong with them."""
    texts = body["input"]
    texts = [texts] if isinstance(texts, str) else texts
    if not texts or len(texts) > MOST_TEXTS or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"'input' must be 1 to {MOST_TEXTS} texts, none of them empty.")
    counted = [count_tokens(text) for text in texts]
    if max(counted) > MOST_OF_ONE or sum(counted) > MOST_TOKENS:
        raise ValueError(f"'input' may have {MOST_OF_ONE} tokens a text and {MOST_TOKENS} in all.")
    dimensions = body.get("dimensions", DIMENSIONS)
    if not (isinstance(dimensions, int) and 1 <= dimensions <= DIMENSIONS):
        raise ValueError(f"'dimensions' must be 1 to {DIMENSIONS}.")
    return Prompt(
        model=body["model"],
        system="",
        user=orjson.dumps(texts).decode(),
        dimensions=dimensions,
        schema=None,
        schema_name=None,
        tool=False,
        max_tokens=0,  # nothing is said, and nothing billed for it
        stream=False,
    )


def whole(prompt: Prompt, reply: Reply, *, batch: bool = False) -> dict[str, Any]:
    """The list of embeddings."""
    data = [
        {"object": "embedding", "index": place, "embedding": _vector(text, prompt.dimensions or DIMENSIONS)}
        for place, text in enumerate(orjson.loads(prompt.user))
    ]
    tokens = reply.usage.input_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": prompt.model, "usage": usage}


def answer(prompt: Prompt, reply: Reply, *, request_id: str) -> Answer:
    """The HTTP answer; the last embedding comes first, as no order is promised, and a filter leaves one out."""
    said = whole(prompt, reply)
    if reply.finish == "content_filter":
        said["data"].pop()
    said["data"].reverse()
    return Answer(body=orjson.dumps(said), headers={"x-request-id": request_id})


def _vector(text: str, dimensions: int) -> list[float]:
    """A column for each word, by its hash."""
    vector = [0.01] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        vector[int.from_bytes(blake2b(word.encode(), digest_size=4).digest()) % dimensions] += 1.0
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector]
