"""Which models are in use, and whether this process could call and pay them; no request is made."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from holdfast.doctor.upkeep_checks import ModelFacts
from holdfast.errors import HoldfastError
from holdfast.llm import Keys, open_client
from holdfast.service import keys_of, prices_of
from holdfast.settings import Settings

OFFLINE = "offline"


def model_facts(settings: Settings, models: Sequence[str]) -> ModelFacts:
    """What the settings mean for these models."""
    paid = tuple(model for model in models if model != OFFLINE)
    keys, prices = keys_of(settings), prices_of(settings)
    return ModelFacts(
        keys={"anthropic": keys.anthropic_key is not None, "openai": keys.openai_key is not None},
        unusable=_refused(paid, lambda model: _openable(model, keys)),
        unpriced=_refused(paid, prices.of),
        in_use=paid,
    )


@lru_cache(maxsize=32)
def _openable(model: str, keys: Keys) -> None:
    """Raises what opening its client raises; once it worked it is not opened again: a client is dear to make."""
    open_client(model, keys)


def _refused(models: Sequence[str], attempt: Callable[[str], object]) -> dict[str, str]:
    found = {}
    for model in models:
        try:
            attempt(model)
        except HoldfastError as error:
            found[model] = str(error)
    return found
