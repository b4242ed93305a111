"""What a provider's failure means: which error it is, what it cost, when to try again.

Messages are our own words with the provider's status, type and code; never the provider's text, which may quote the
request.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from holdfast.errors import (
    ProviderAuth,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderQuota,
    ProviderRejected,
    ProviderUnclear,
)

T = TypeVar("T")

_WORD = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,64}")
_QUOTA_WORDS = frozenset(
    {
        "insufficient_quota",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_too_low",
        "insufficient_credits",
        "payment_required",
    }
)
# The one case a provider tells by its text alone: a 400 of an account whose prepaid credit is used up.
_QUOTA_TEXT = re.compile(r"credit balance|billing hard limit", re.IGNORECASE)

# What a type means where there is no status beside it: in the results of a batch.
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_BUSY = frozenset({429, 503, 529})
_BUSY_WORDS = frozenset({"overloaded_error", "rate_limit_error", "rate_limit_exceeded", "token_limit_exceeded"})
# A gateway gave up waiting for the model, which may have gone on and been billed.
_GATEWAY_TIMEOUTS = frozenset({504, 524})
# The request did not arrive as a whole, or met another one: nothing was done, and the next may pass.
_PASSING = frozenset({408, 409, 425})

# Exceptions of httpx and httpx2 of before anything was sent.
_NOT_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
)


async def answered(call: Awaitable[T], *, provider: str, within: float) -> T:
    """The call's result within so many seconds, all of it; any failure as a ProviderError."""
    try:
        async with asyncio.timeout(within) as deadline:
            return await call
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - what an SDK lets through must come out with its money too
        if isinstance(error, TimeoutError) and deadline.expired():
            raise ProviderUnclear(f"{provider} had not answered in full after {within:g} s") from None
        raise failure_of(error, provider=provider) from None  # its chain would print the provider's text


async def free(call: Awaitable[T], *, provider: str, within: float) -> T:
    """Like `answered`, for a call that is never billed: nothing about it is in doubt."""
    try:
        return await answered(call, provider=provider, within=within)
    except ProviderUnclear as error:
        raise unbilled(error) from None


def unbilled(error: ProviderError) -> ProviderError:
    """The same, of what is known not to have been billed."""
    if isinstance(error, ProviderUnclear):
        return ProviderFailed(str(error), retry_after=error.retry_after)
    return error


def failure_of(error: Exception, *, provider: str, now: datetime | None = None) -> ProviderError:
    """The ProviderError for whatever an SDK raised; what cannot be told is in doubt."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int) and status >= 300:
        body = _json_or_none(_text_of(response))
        wait = retry_after(getattr(response, "headers", {}), now=now or datetime.now(UTC))
        return classify(provider, status=status, body=body, retry_after=wait)
    causes = {type(cause).__name__ for cause in _chain(error)}
    if causes & _NOT_SENT:
        return ProviderFailed(
            f"no connection to {provider}: nothing was sent ({', '.join(sorted(causes & _NOT_SENT))})"
        )
    return ProviderUnclear(f"{provider} gave no whole answer ({type(_chain(error)[-1]).__name__})")


def classify(provider: str, *, status: int | None, body: Any, retry_after: float | None = None) -> ProviderError:
    """The ProviderError for an HTTP status (None: the error's type says it) and the JSON body that came with it."""
    error = _error_of(body)
    words = [word for word in (error.get("type"), error.get("code"), _detail_code(error)) if isinstance(word, str)]
    status = status or next((_STATUS_OF_TYPE[word] for word in words if word in _STATUS_OF_TYPE), 500)
    shown = ", ".join(dict.fromkeys([f"HTTP {status}", *(word for word in words if _WORD.fullmatch(word))]))
    kind, what = _kind(status, frozenset(words), str(error.get("message", "")))
    param = error.get("param")
    if kind is ProviderRejected and isinstance(param, str) and _WORD.fullmatch(param):
        shown += f", about {param}"
    return kind(f"{provider} {what} ({shown})", retry_after=retry_after)


def _kind(status: int, words: frozenset[str], message: str) -> tuple[type[ProviderError], str]:
    if status == 402 or words & _QUOTA_WORDS or (status in {400, 403} and _QUOTA_TEXT.search(message)):
        return ProviderQuota, "says that the account's credit or limit is used up"
    if status in {401, 403}:
        return ProviderAuth, "does not accept the key, or not for this model"
    if status in _BUSY or words & _BUSY_WORDS:
        return ProviderBusy, "is busy or asks for a slower pace"
    if status in _GATEWAY_TIMEOUTS:
        return ProviderUnclear, "timed out behind its gateway"
    if status >= 500 or status in _PASSING:
        return ProviderFailed, "failed"
    return ProviderRejected, "refuses the request as it is"


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); None if it says nothing usable."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        seconds = _seconds(value, now=now) if unit == 1.0 else _number(value)
        if seconds is not None:
            return max(0.0, seconds / unit)
    return None


def _seconds(value: str, *, now: datetime) -> float | None:
    number = _number(value)
    if number is not None:
        return number
    try:
        due = parsedate_to_datetime(value)
    except ValueError:
        return None
    return ((due if due.tzinfo else due.replace(tzinfo=UTC)) - now).total_seconds()


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _error_of(body: Any) -> Mapping[str, Any]:
    """The error object of a provider's body: under `error`, or the body itself."""
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, Mapping) else {"message": error}


def _detail_code(error: Mapping[str, Any]) -> Any:
    details = error.get("details")
    return details.get("error_code") if isinstance(details, Mapping) else None


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text_of(response: Any) -> str:
    try:
        return str(response.text)
    except Exception:  # noqa: BLE001 - a body that was never read: the status alone has to do
        return ""


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, the first cause last."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    return chain
