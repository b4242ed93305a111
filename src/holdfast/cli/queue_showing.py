"""show: everything about one job."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from holdfast.cli.queue_looking import worker_line, write_json
from holdfast.cli.queue_words import ago, since
from holdfast.cli.screen import screen
from holdfast.cli.words import plain
from holdfast.errors import NotFound
from holdfast.queue import JobDetails, Queue

LOG_LINES = 100
TEXT_CHARS = 20_000
TIMES = ("timestamp", "processedOn", "finishedOn", "retriedOn")
AS_JSON = ("data", "opts", "progress", "returnvalue", "stacktrace", "pastFailures")
FIRST = ("name", "priority", "delay", *TIMES, "attemptsMade", "stalledCounter", "failedReason", "progress")


async def show_job(queue: Queue, job_id: str, *, as_json: bool) -> int:
    """`holdfast queue show`."""
    details = await queue.details(job_id)
    if details is None:
        raise NotFound(kind="job", id=f"{job_id} in queue {queue.name}")
    state = (await queue.states([job_id]))[job_id]
    log = await queue.logs(job_id, -LOG_LINES, -1)
    if as_json:
        fields = {name: _decoded(name, text) for name, text in details.fields.items()}
        write_json({"id": job_id, "state": state, "lock": details.lock, "fields": fields, "log": log})
        return 0
    console = screen()
    console.print(Text(f"job {plain(job_id)}", style="bold").append(f" · {state}", style="cyan"))
    await _print_holder(console, queue, details)
    names = [*(name for name in FIRST if name in details.fields), *sorted(details.fields.keys() - set(FIRST))]
    for name in names:
        _print_field(console, name, details.fields[name])
    if log:
        console.print(Text("log", style="dim"))
        for line in log:
            console.print(Text(f"  {plain(line, TEXT_CHARS)}"))
    return 0


async def _print_holder(console: Console, queue: Queue, details: JobDetails) -> None:
    if details.lock is None:
        return
    workers = {worker.id: worker for worker in await queue.workers()}
    holder = workers.get(details.worker or "")
    who = worker_line(holder) if holder else "no worker that is alive here (one of Node's, or a dead one's)"
    console.print(Text(f"held by {who}; its lock ends in {since(details.lock_left)}"))


def _print_field(console: Console, name: str, text: str) -> None:
    if name in TIMES:
        shown = _time(text)
    else:
        value = _decoded(name, text)
        shown = text if value is text else json.dumps(value, indent=2, ensure_ascii=False)
    if name in ("stacktrace", "pastFailures") and isinstance(_decoded(name, text), list):
        shown = "\n".join(str(trace).rstrip() for trace in _decoded(name, text))
    lines = [plain_line(line) for line in shown[:TEXT_CHARS].split("\n")]
    if len(lines) == 1:
        console.print(Text(f"{name:<14}", style="dim").append(lines[0], style="default"))
        return
    console.print(Text(name, style="dim"))
    for line in lines:
        console.print(Text(f"  {line}"))


def plain_line(line: str) -> str:
    """One line without anything that could move a terminal's cursor; its indentation stays."""
    return "".join(character if character.isprintable() else " " for character in line)


def _decoded(name: str, text: str) -> Any:
    if name in AS_JSON:
        with suppress(json.JSONDecodeError):
            return json.loads(text)
    return text


def _time(text: str) -> str:
    try:
        at = datetime.fromtimestamp(float(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return text
    return f"{at:%Y-%m-%d %H:%M:%S} UTC, {ago(at)}"
