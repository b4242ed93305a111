"""What both providers' SDKs need from us."""

import importlib
import json
import logging
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from holdfast.errors import NotConfigured, ProviderUnclear

# Of a call's deadline, what finding and greeting the host may take: then it is known that nothing was sent.
CONNECT_SHARE = 0.4
CONNECT_SECONDS = 10.0


def load(name: str) -> ModuleType:
    """The SDK, or another package of the extra. Raises NotConfigured if it is not installed."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise NotConfigured(f'{name} is not installed: pip install "holdfast[app,llm]"') from None
    # At DEBUG the SDKs log whole requests, with people's answers in them.
    logger = logging.getLogger(name)
    if logger.getEffectiveLevel() < logging.INFO:
        logger.setLevel(logging.INFO)
    return module


def connect_seconds(within: float) -> float:
    """How long connecting may take of a call that has to end within so many seconds."""
    return min(CONNECT_SECONDS, within * CONNECT_SHARE)


def json_object(text: str, *, provider: str) -> Mapping[str, Any]:
    """The JSON object of a reply's body. Raises ProviderUnclear: it was answered, and the answer is lost."""
    try:
        body = json.loads(text)
    except ValueError:
        raise ProviderUnclear(f"{provider}'s reply is cut off or no JSON") from None
    if not isinstance(body, dict):
        raise ProviderUnclear(f"{provider}'s reply is no JSON object")
    return body
