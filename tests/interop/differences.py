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
    theirs_alone: tuple[str, ...] = ()  # and that only Bull has
    fields: tuple[str, ...] = ()  # fields of a job's hash that only we have
    dumps: Callable[[Dump, Dump], None] | None = None  # makes (theirs, ours) equal where this differs
    said: Callable[[Dump, list[Message], list[Message]], None] | None = None  # the same for messages; gets our keys
    shown_by: str = ""  # the test in test_differences.py, where the sequences keep away from it


def _forgive(theirs: Dump, _ours: Dump) -> None:
    for job_id, _ in theirs.get("completed", []):
        if (traces := theirs[job_id].pop("stacktrace", None)) is not None:
            theirs[job_id]["pastFailures"] = traces
        theirs[job_id].pop("failedReason", None)


def _forget_delay_of_backoff(theirs: Dump, ours: Dump) -> None:
    for job_id, *_ in ours.get("delayed", []):
        if "attemptsMade" in ours[job_id]:
            ours[job_id]["delay"] = theirs[job_id]["delay"] = "<wait>"


def _forget_waiting_of_retried(dump: Dump, theirs: list[Message], ours: list[Message]) -> None:
    retried = {key for key, value in dump.items() if isinstance(value, dict) and "attemptsMade" in value}
    ours[:] = [each for each in ours if each in theirs or each[0] != "waiting@" or each[1] not in retried]


def _forget_the_mark(theirs: Dump, ours: Dump) -> None:
    for key, value in ours.items():
        if isinstance(value, dict) and "retriedOn" not in theirs.get(key, {}):
            value.pop("retriedOn", None)


def _forget_its_pause(dump: Dump, theirs: list[Message], _ours: list[Message]) -> None:
    if not dump:
        theirs[:] = [message for message in theirs if message[0] != "paused"]


def _only_that_it_ran_out(_dump: Dump, theirs: list[Message], ours: list[Message]) -> None:
    for log in (theirs, ours):
        log[:] = [message for message in log if message[0] != "drained"]


def _of_workers(log: list[Message]) -> bool:
    """Whether workers ran by themselves: a step of a sequence takes one job at most."""
    return [channel for channel, _ in log].count("active@") > 1


def _due_times_once(_dump: Dump, theirs: list[Message], ours: list[Message]) -> None:
    for log in (theirs, ours):
        if _of_workers(log):
            due = dict.fromkeys(message for message in log if message[0] == "delayed")
            log[:] = [*due, *(message for message in log if message[0] != "delayed")]


def _job_of(message: Message) -> str:
    channel, said = message
    return "" if channel == "delayed" else said["jobId"] if isinstance(said, dict) else said


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        name="Keys of ours",
        ours_alone=("presence", "presence:*", "watch", "lockless", "trimming", "keep:*", "event-stream", "outcome*"),
    ),
    Difference(name="Fields of ours", fields=("owner",)),
    Difference(name="A success forgives the failures before it", dumps=_forgive),
    Difference(name="The field delay tells the wait of a backoff", dumps=_forget_delay_of_backoff),
    Difference(name="A retry without a backoff is announced", said=_forget_waiting_of_retried),
    Difference(name="A retry of all marks and announces each job", dumps=_forget_the_mark),
    Difference(name="No check marks suspects", theirs_alone=("stalled-check", "stalled")),
    Difference(name="drained is said less often", said=_only_that_it_ran_out),
    Difference(name="A promotion does not announce the next due time", said=_due_times_once),
    # What the sequences keep away from, because everything after it would differ.
    Difference(name="A retry by hand keeps the priority", shown_by="test_a_retry_by_hand_keeps_the_priority"),
    Difference(name="lifo holds for the add alone", shown_by="test_lifo_holds_for_the_add_alone"),
    Difference(
        name="A retry by hand gives all attempts again", shown_by="test_a_retry_by_hand_gives_all_attempts_again"
    ),
    Difference(name="A refused retry changes nothing", shown_by="test_a_refused_retry_changes_nothing"),
    Difference(
        name="A job's bound removes no job that says keep", shown_by="test_a_job_s_bound_removes_no_job_that_says_keep"
    ),
    Difference(name="Progress goes forward", shown_by="test_progress_goes_forward_unless_told_to_go_back"),
    Difference(
        name="An emptied queue keeps no data of its jobs", shown_by="test_an_emptied_queue_keeps_no_data_of_its_jobs"
    ),
    Difference(
        name="obliterate wants a pause first", said=_forget_its_pause, shown_by="test_obliterate_wants_a_pause_first"
    ),
    Difference(name="Numbers are no ids", shown_by="test_numbers_are_no_ids_of_ours"),
    Difference(
        name="A job in the line of its group is in no list of Bull's",
        shown_by="test_a_job_in_the_line_of_its_group_is_in_no_list_of_bull_s",
    ),
    Difference(name="A job without data runs nowhere", shown_by="test_a_job_without_data_runs_nowhere"),
)


def look_past(theirs: tuple[Dump, list[Message]], ours: tuple[Dump, list[Message]]) -> None:
    """Change both so that what is left is equal but for differences that nobody wanted."""
    for difference in DIFFERENCES:
        _drop(difference.ours_alone, ours[0])
        _drop(difference.theirs_alone, theirs[0])
        for value in ours[0].values():
            if isinstance(value, dict):
                for name in difference.fields:
                    value.pop(name, None)
        if difference.dumps:
            difference.dumps(theirs[0], ours[0])
        if difference.said:
            difference.said(ours[0], theirs[1], ours[1])


def _drop(patterns: tuple[str, ...], dump: Dump) -> None:
    for key in [key for key in dump if any(fnmatchcase(key, pattern) for pattern in patterns)]:
        del dump[key]
