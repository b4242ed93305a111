"""Every error Holdfast raises on purpose.

HoldfastError
├── BadInput            the caller can mend it (exit code 2, HTTP 422)
├── NotFound            no such category, generation, job … (HTTP 404)
├── Conflict            the state does not allow it (HTTP 409)
├── NotConfigured       a setting or an installed part is missing (exit code 2)
├── Unavailable         a server is away for now (HTTP 503, with Retry-After)
├── EmbeddedError       one of our own servers would not start or is owned by someone else
├── StepError
│   ├── BadReply        a reply was paid for and cannot be used: cut off, refused, filtered, of the wrong shape
│   ├── BudgetUsedUp    the call could cost more than what a cap leaves
│   ├── JournalBroken   a journal's file is none, is damaged, or could not be written
│   ├── StepHeld        a call is in doubt and the policy is to hold it
│   └── StepNotWanted   the generation was paused, cancelled or deleted: the call was not made
├── ProviderError       a model's provider did not answer; `cost` says what that was billed
│   ├── ProviderAuth        the key is missing, wrong, or may not use the model
│   ├── ProviderBusy        too many requests, or overloaded: not billed, `retry_after` says when
│   ├── ProviderFailed      an error on the provider's side: not billed, may work the next time
│   ├── ProviderQuota       the account's credit or hard limit is used up: only its owner can help
│   ├── ProviderRejected    the request itself is refused; no retry cures that
│   └── ProviderUnclear     timed out or cut off: nobody knows whether it was billed
└── QueueError
    ├── BadJob          a job that must not be added: its id or its options are not allowed
    ├── JobFailed       the job whose result was waited for failed for good
    ├── JobNotFound     the job's hash is gone
    ├── LockLost        another worker may own the job now
    ├── NotDurable      Redis is not set up so that an add survives a power cut
    ├── Postponed       raised by a processor: too early, run the job again later
    ├── ProcessDied     the process in which a processor ran ended before the job did
    ├── QueueUnavailable  Redis did not answer within the bounded wait
    ├── ResultTimeout   a job had no result in time; also a TimeoutError
    ├── UnfitServer     Redis is too old, or a cluster and the keys have no hash tag
    └── Unrecoverable   raised by a processor: no retry can cure this

The decision to retry looks at the type, never at the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


class HoldfastError(Exception):
    """The root: catch this to catch all of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input, and where."""

    path: str  # the field, column or row, e.g. "body.n_clusters" or "row 17"
    message: str  # what to do about it


class BadInput(HoldfastError):
    """The input cannot be used; the message says what to do, `problems` say where."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NotFound(HoldfastError):
    """There is no such thing."""

    def __init__(self, *, kind: str, id: object) -> None:  # noqa: A002 - the word users see
        super().__init__(f"there is no {kind} {id}")
        self.kind = kind
        self.id = id


class Conflict(HoldfastError):
    """The state of the thing does not allow what was asked."""


class NotConfigured(HoldfastError):
    """A setting or an optional part is missing; the message names it."""


class Unavailable(HoldfastError):
    """A server is away; try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float = 2.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EmbeddedError(HoldfastError):
    """An embedded server could not be started, or its folder belongs to a running owner."""


class StepError(HoldfastError):
    """A durable step could not be run."""


class JournalBroken(StepError):
    """The journal's file cannot be used as it is; what is in it was left alone."""


class StepHeld(StepError):
    """An earlier call of this step is in doubt; the policy `hold` waits for a person to settle it."""

    def __init__(self, *, step: str, call_id: str) -> None:
        super().__init__(f"step {step}: call {call_id} is in doubt and held; resolve it before the step can go on")
        self.step = step
        self.call_id = call_id


class StepNotWanted(StepError):
    """The call was not made: what needed it is paused or has ended."""

    def __init__(self, *, step: str, state: str) -> None:
        super().__init__(f"step {step} is not wanted any more: its generation is {state}")
        self.step = step
        self.state = state


class UnitTakenOver(StepNotWanted):
    """The call was not made: its unit has another worker now, which goes on where this one stood."""

    def __init__(self, *, step: str) -> None:
        super().__init__(step=step, state="active")
        self.args = (f"step {step} is another worker's now, which took its unit over",)


class BudgetUsedUp(StepError):
    """The call was not made: it may cost more than a cap leaves."""

    def __init__(
        self, *, cap: str, limit: Decimal, used: Decimal, wanted: Decimal, under_way: Decimal = Decimal(0)
    ) -> None:
        super().__init__(
            f"the {cap} is {limit:f} USD, {used:f} USD of it are spent, reserved or in doubt, "
            f"and the next call may cost {wanted:f} USD; raise it and resume"
        )
        self.cap = cap  # "cap per call" | "generation's budget" | "cap per key and month" | "cap per month"
        self.limit = limit
        self.used = used
        self.wanted = wanted
        self.under_way = under_way  # of `used`: reserved by calls that run now, and may cost less

    @property
    def may_fit_soon(self) -> bool:
        """Whether the call fits as soon as the calls under way have turned out to cost nothing."""
        return self.used - self.under_way + self.wanted <= self.limit


class BadReply(StepError):
    """The reply is stored and paid for, and cannot be used. The same step would only replay it."""

    def __init__(self, why: str, *, kind: str) -> None:
        super().__init__(why)
        self.kind = kind  # max_tokens | refusal | content_filter | malformed | wrong_schema


class ProviderError(HoldfastError):
    """A provider did not answer a call."""

    cost: Decimal | None = Decimal(0)  # US dollars it billed all the same; None: nobody knows

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, as the provider asked for


class ProviderAuth(ProviderError):
    """The key is missing or wrong, or has no right to the model."""


class ProviderQuota(ProviderError):
    """The account has no credit left, or has reached a limit its owner set."""


class ProviderRejected(ProviderError):
    """The request is refused as it is: unknown model, too long, malformed."""


class ProviderBusy(ProviderError):
    """Too many requests, or the provider is overloaded; try again after `retry_after`."""


class ProviderFailed(ProviderError):
    """An error on the provider's side, or no connection to it at all; nothing was billed."""


class ProviderUnclear(ProviderError):
    """The request was sent and no whole answer came back: it may have been done and billed."""

    cost = None


class QueueError(HoldfastError):
    """Something about the queue."""


class BadJob(QueueError):
    """The job must not be added as it is; the message says why."""


class JobFailed(QueueError):
    """The job failed for good; `reason` is what its last attempt said."""

    def __init__(self, *, job_id: str, reason: str) -> None:
        super().__init__(f"job {job_id} failed: {reason}")
        self.job_id = job_id
        self.reason = reason


class JobNotFound(QueueError):
    """The job's hash does not exist (any more)."""

    def __init__(self, *, job_id: str) -> None:
        super().__init__(f"job {job_id} does not exist")
        self.job_id = job_id


class LockLost(QueueError):
    """Another worker may now own this job; drop its result."""

    def __init__(self, *, job_id: str) -> None:
        super().__init__(f"the lock of job {job_id} was lost; its result was discarded")
        self.job_id = job_id


class ProcessDied(QueueError):
    """The process in which the job ran ended before it did: a crash, or the kernel ran out of memory."""

    def __init__(self, *, job_id: str, how: str) -> None:
        super().__init__(f"the process that ran job {job_id} ended with {how}")
        self.job_id = job_id
        self.how = how


class QueueUnavailable(QueueError):
    """Redis did not answer within the bounded wait; nothing is known to have been written."""


class ResultTimeout(QueueError, TimeoutError):
    """The job had not ended in time; it goes on, and its result can be waited for again."""

    def __init__(self, *, job_id: str, seconds: float) -> None:
        super().__init__(f"job {job_id} had no result within {seconds:g} s; it goes on")
        self.job_id = job_id


class Unrecoverable(QueueError):
    """Raise this in a processor to fail the job at once, whatever attempts are left."""


class Postponed(QueueError):
    """Raise this in a processor to have the job run again after `delay` seconds; the attempt does not count."""

    def __init__(self, delay: float) -> None:
        super().__init__(delay)  # as it was given: so it can be pickled, by a processor in a process of its own
        self.delay = delay

    def __str__(self) -> str:
        return f"too early, to be run again in {self.delay} s"


class NotDurable(QueueError):
    """A durable add was asked for and the server is not set up for it; the message names the setting to change."""


class UnfitServer(QueueError):
    """The server cannot hold the queue as it is; the message says what to change."""

    def __init__(self, message: str, *, reason: Literal["too_old", "sentinel", "no_hash_tag"]) -> None:
        super().__init__(message)
        self.reason = reason
