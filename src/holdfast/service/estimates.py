"""What a request may cost and may spend, checked before anything is started."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from holdfast.errors import BadInput, NotConfigured, Problem
from holdfast.llm import Price, Prices, account_of
from holdfast.service.embedders import check_embedder
from holdfast.service.estimating import Estimate, estimate, estimate_vectors
from holdfast.service.importing import FileToImport, read_texts
from holdfast.service.models import keys_of, prices_of
from holdfast.service.requests import OFFLINE, GenerationConfig, GenerationRequest, check, is_paid
from holdfast.settings import Settings
from holdfast.store import Database, answers


class Estimates:
    """Estimates by the table of prices; needs no provider's key."""

    def __init__(self, database: Database, prices: Prices, *, embedder: str = "auto", most: Decimal | None) -> None:
        """`embedder`: the name of the one that new generations use; `most`: US dollars that one may cost."""
        self._database = database
        self._prices = prices
        self._embedder = embedder
        self._most = most

    def budget_of(self, request: GenerationRequest) -> Decimal | None:
        """The generation's budget: its own, else the settings' cap. Raises BadInput for one above that."""
        if request.budget is None:
            return self._most
        if self._most is not None and request.budget > self._most:
            message = f"must be at most {self._most:f}, the cap per generation that is set here, not {request.budget:f}"
            raise BadInput(f"budget_usd: {message}", problems=[Problem(path="budget_usd", message=message)])
        return request.budget

    def agreed(self, config: GenerationConfig) -> GenerationConfig:
        """With whose vectors are bought: a worker with other settings must not buy what nobody was told of."""
        return replace(config, embedder=self._embedder) if buys_vectors(config, self._embedder) else config

    async def of(self, request: GenerationRequest) -> Estimate | None:
        """What the generation may cost; None if it costs nothing. Raises BadInput, NotFound, NotConfigured."""
        check(request.config)
        check_embedder(request.config, self._embedder)
        if not _costs(request.config, self._embedder):
            return None
        category = await self._database.run(partial(answers.get_category, category_id=request.category_id))
        wanted = None if request.answer_ids is None else list(request.answer_ids)
        reads = partial(answers.texts_of, category_id=request.category_id, ids=wanted)
        texts = await self._database.run(reads)
        return await asyncio.to_thread(
            _estimated, texts, request.config, self._prices, self._embedder, question=category.question
        )


def check_payer(settings: Settings, config: GenerationConfig) -> None:
    """Whether this machine can pay for what is asked for. Raises NotConfigured without a provider's key."""
    if config.model != OFFLINE:
        account_of(config.model, keys_of(settings))
    if buys_vectors(config, settings.embedder):
        account_of(settings.embedder, keys_of(settings))


def estimate_file(settings: Settings, file: FileToImport, config: GenerationConfig) -> Estimate | None:
    """What labelling the file's answers may cost; starts no server. None if it costs nothing. Raises BadInput."""
    check(config)
    check_embedder(config, settings.embedder)
    if not _costs(config, settings.embedder):
        return None
    return _estimated(read_texts(file), config, prices_of(settings), settings.embedder, question=None)


def _costs(config: GenerationConfig, embedder: str) -> bool:
    return config.model != OFFLINE or buys_vectors(config, embedder)


def buys_vectors(config: GenerationConfig, embedder: str) -> bool:
    """Whether a provider is paid for the vectors of the generation's answers."""
    return is_paid(embedder) and not config.is_direct and not config.whole


def _estimated(
    texts: Sequence[str], config: GenerationConfig, prices: Prices, embedder: str, *, question: str | None
) -> Estimate:
    """The vectors, if they are bought, and what the model is asked for. Raises BadInput, NotConfigured."""
    found = Estimate()
    if config.model != OFFLINE:
        found = estimate(texts, config, _price(prices, config.model), question=question)
    if buys_vectors(config, embedder):
        found = found.plus(estimate_vectors(texts, _price(prices, embedder, speaks=False)))
    return found


def _price(prices: Prices, model: str, *, speaks: bool = True) -> Price:
    """Raises BadInput for a model that was asked for, NotConfigured for an embedder: that one is the operator's."""
    try:
        return prices.of(model, speaks=speaks)
    except NotConfigured as error:
        if not speaks:
            raise NotConfigured(f"HOLDFAST_EMBEDDER is {model}, and {error}") from error
        raise BadInput(f"model: {error}", problems=[Problem(path="model", message=str(error))]) from error
