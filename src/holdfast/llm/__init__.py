"""Model providers: one request in, one completion with its usage out; never a retry of its own."""

from holdfast.llm.batches import Batches, BatchLook, Found, NotThere, Search, Unsure, custom_id
from holdfast.llm.client import Client, account_of, open_client
from holdfast.llm.embeddings import count_embedded
from holdfast.llm.keys import Keys
from holdfast.llm.pricing import Price, Prices
from holdfast.llm.tokens import count_request, count_tokens
from holdfast.llm.values import Completion, Embedded, Finish, Request, Usage

__all__ = [
    "BatchLook",
    "Batches",
    "Client",
    "Completion",
    "Embedded",
    "Finish",
    "Found",
    "Keys",
    "NotThere",
    "Price",
    "Prices",
    "Request",
    "Search",
    "Unsure",
    "Usage",
    "account_of",
    "count_embedded",
    "count_request",
    "count_tokens",
    "custom_id",
    "open_client",
]
