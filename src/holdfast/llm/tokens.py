"""How many tokens a text has, counted on this machine without any model's vocabulary."""

import json
import math

from holdfast.llm.values import Request

# Around the texts of one request: roles, separators, the provider's own words about the schema.
_FRAME = 64


def count_tokens(text: str) -> int:
    """At least as many tokens as a provider will count, give or take a few percent."""
    return math.ceil(len(text.encode()) / 3)


def count_request(request: Request) -> int:
    """What a request sends: its texts and its schema."""
    schema = json.dumps(request.schema, ensure_ascii=False)
    return _FRAME + count_tokens(request.system) + count_tokens(request.user) + count_tokens(schema)
