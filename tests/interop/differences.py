"""The table of what we do otherwise than Bull, on purpose. What is not in it and differs fails the differential test.

docs/explanation/bull-differences.md says the same in words, under the same names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.interop.dumps import Dump, Message


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One deliberate difference, and how to look past it."""

    name: str  # the heading in the document
    ours_alone: tuple[str, ...] = ()  # patterns of keys that only we have
    fields: tuple[str, ...] = ()  # fields of a job's hash that only we have
    unheard: tuple[str, ...] = ()  # channels whose messages are not compared
    dumps: Callable[[Dump, Dump], None] | None = None  # makes (theirs, ours) equal where this differs
    said: Callable[[Dump, list[Message], list[Message]], None] | None = None  # the same for messages; gets our keys


def _forget_waiting_of_delayed(dump: Dump, _theirs: list[Message], ours: list[Message]) -> None:
    delayed = {job_id for job_id, *_ in dump.get("delayed", [])}
    ours[:] = [(channel, said) for channel, said in ours if channel != "waiting@" or said not in delayed]


def _forget_delay_of_backoff(theirs: Dump, ours: Dump) -> None:
    for job_id, *_ in ours.get("delayed", []):
        if "attemptsMade" in ours[job_id]:
            ours[job_id]["delay"] = theirs[job_id]["delay"] = "<wait>"


def _forget_waiting_of_retried(dump: Dump, theirs: list[Message], ours: list[Message]) -> None:
    retried = {key for key, value in dump.items() if isinstance(value, dict) and "attemptsMade" in value}
    ours[:] = [each for each in ours if each in theirs or each[0] != "waiting@" or each[1] not in retried]


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        name="Keys of ours",
        ours_alone=("presence", "presence:*", "watch", "lockless", "trimming", "keep:*", "event-stream", "outcome*"),
    ),
    Difference(name="Fields of ours", fields=("owner", "pastFailures")),
    Difference(name="A retry without a backoff is announced", said=_forget_waiting_of_retried),
    Difference(name="The field delay tells the wait of a backoff", dumps=_forget_delay_of_backoff),
    Difference(name="A delayed job is announced twice", said=_forget_waiting_of_delayed),
)


def look_past(theirs: tuple[Dump, list[Message]], ours: tuple[Dump, list[Message]]) -> None:
    """Change both so that what is left is equal but for differences that nobody wanted."""
    for difference in DIFFERENCES:
        _drop(difference, ours[0])
        for _, log in (theirs, ours):
            log[:] = [message for message in log if message[0] not in difference.unheard]
        if difference.dumps:
            difference.dumps(theirs[0], ours[0])
        if difference.said:
            difference.said(ours[0], theirs[1], ours[1])


def _drop(difference: Difference, dump: Dump) -> None:
    for key in [key for key in dump if any(fnmatchcase(key, pattern) for pattern in difference.ours_alone)]:
        del dump[key]
    for value in dump.values():
        if isinstance(value, dict):
            for field in difference.fields:
                value.pop(field, None)
