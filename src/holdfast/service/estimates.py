"""What a request may cost and may spend, checked before anything is started."""

import asyncio
from decimal import Decimal
from functools import partial

from holdfast.errors import BadInput, NotConfigured, Problem
from holdfast.llm import Price, Prices, account_of
from holdfast.service.estimating import Estimate, estimate
from holdfast.service.importing import FileToImport, read_texts
from holdfast.service.models import keys_of, prices_of
from holdfast.service.requests import OFFLINE, GenerationConfig, GenerationRequest, check
from holdfast.settings import Settings
from holdfast.store import Database, answers


class Estimates:
    """Estimates by the table of prices; needs no provider's key."""

    def __init__(self, database: Database, prices: Prices, *, most: Decimal | None) -> None:
        self._database = database
        self._prices = prices
        self._most = most

    def budget_of(self, request: GenerationRequest) -> Decimal | None:
        """The generation's budget: its own, else the settings' cap. Raises BadInput for one above that."""
        if request.budget is None:
            return self._most
        if self._most is not None and request.budget > self._most:
            message = f"must be at most {self._most:f}, the cap per generation that is set here, not {request.budget:f}"
            raise BadInput(f"budget_usd: {message}", problems=[Problem(path="budget_usd", message=message)])
        return request.budget

    async def of(self, request: GenerationRequest) -> Estimate | None:
        """What the generation may cost; None if it costs nothing. Raises BadInput, NotFound."""
        check(request.config)
        if request.config.model == OFFLINE:
            return None
        price = _price(self._prices, request.config.model)
        category = await self._database.run(partial(answers.get_category, category_id=request.category_id))
        wanted = None if request.answer_ids is None else list(request.answer_ids)
        reads = partial(answers.texts_of, category_id=request.category_id, ids=wanted)
        texts = await self._database.run(reads)
        return await asyncio.to_thread(estimate, texts, request.config, price, question=category.question)


def check_payer(settings: Settings, model: str) -> None:
    """Whether this machine can pay for the model. Raises NotConfigured without the provider's key."""
    if model != OFFLINE:
        account_of(model, keys_of(settings))


def estimate_file(settings: Settings, file: FileToImport, config: GenerationConfig) -> Estimate | None:
    """What labelling the file's answers may cost; starts no server. None if it costs nothing. Raises BadInput."""
    check(config)
    if config.model == OFFLINE:
        return None
    price = _price(prices_of(settings), config.model)
    return estimate(read_texts(file), config, price, question=None)


def _price(prices: Prices, model: str) -> Price:
    try:
        return prices.of(model)
    except NotConfigured as error:
        raise BadInput(f"model: {error}", problems=[Problem(path="model", message=str(error))]) from error
