"""stats and jobs: a queue at a glance, and lists of its jobs."""

import json
import sys
from dataclasses import asdict
from typing import Any, Literal, cast

from rich.table import Table
from rich.text import Text

from holdfast.cli.queue_target import place
from holdfast.cli.queue_words import STATES, ago, since
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.errors import BadInput
from holdfast.queue import Job, LiveWorker, Overview, Queue

SHOWN_WORKERS = 20
REASON_CHARS = 200

JobState = Literal["wait", "active", "completed", "failed", "delayed", "paused"]


def write_json(value: Any) -> None:
    """To stdout, for a script."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


async def show_stats(queue: Queue, *, as_json: bool) -> int:
    """`holdfast queue stats`."""
    overview, counts, workers = await queue.overview(), await queue.counts(), await queue.workers()
    if as_json:
        write_json(_stats_json(queue, overview, counts, workers))
        return 0
    console = screen()
    console.print(heading(queue, overview))
    console.print(counts_table(counts))
    per_second = overview.finished_last_minute / 60
    console.print(f"ended in the last minute: {overview.finished_last_minute:,} ({per_second:.1f} a second)")
    console.print(f"added so far: {overview.added:,} · the oldest that waits was added {_before(overview)}")
    console.print(f"{counted(len(workers), 'worker')} alive" + (":" if workers else "; nobody works"))
    for worker in workers[:SHOWN_WORKERS]:
        console.print(f"  {worker_line(worker)}")
    if overview.ghosts:
        console.print(f"{counted(overview.ghosts, 'id')} set aside without a job: see `holdfast queue jobs ghosts`")
    return 0


def heading(queue: Queue, overview: Overview) -> Text:
    """Which queue, where, and whether it is paused."""
    line = Text(f"queue {plain(queue.name)}", style="bold")
    line.append(f" · prefix {plain(queue.prefix)} · {place(queue.url)}", style="dim")
    if overview.is_paused:
        line.append("  PAUSED", style="bold yellow")
    return line


def counts_table(counts: dict[str, int]) -> Table:
    """One column a state."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for state in STATES:
        table.add_column(state, justify="right", style="red" if state == "failed" and counts[state] else "cyan")
    table.add_row(*(f"{counts[state]:,}" for state in STATES))
    return table


def worker_line(worker: LiveWorker) -> str:
    """Who, where, how much at once, since when."""
    return (
        f"{plain(worker.host, 30)}:{worker.pid} · {counted(worker.concurrency, 'job')} at once"
        f" · started {ago(worker.started_at)} · {worker.id}"
    )


async def show_jobs(queue: Queue, state: str, *, limit: int, as_json: bool) -> int:
    """`holdfast queue jobs`."""
    if state == "ghosts":
        return await _show_ghosts(queue, limit=limit, as_json=as_json)
    if state not in STATES:
        raise BadInput(f"{state!r} is no state; say one of {', '.join(STATES)} or ghosts")
    found = await queue.jobs(cast("JobState", state), 0, limit - 1)
    if as_json:
        write_json([job_json(job) for job in found])
        return 0
    console, total = screen(), (await queue.counts())[state]
    if not found:
        console.print(f"none: no job is in {state}")
        return 0
    console.print(_jobs_table(found, state))
    if total > len(found):
        console.print(f"{total:,} in all; see more with --limit", style="dim")
    return 0


def job_json(job: Job) -> dict[str, Any]:
    """What a list says of a job."""
    return {
        "id": job.id,
        "name": job.name,
        "attempts_made": job.attempts_made,
        "stalled_count": job.stalled_count,
        "added": job.timestamp,
        "processed_on": job.processed_on,
        "finished_on": job.finished_on,
        "failed_reason": job.failed_reason,
    }


async def _show_ghosts(queue: Queue, *, limit: int, as_json: bool) -> int:
    ghosts = await queue.ghosts(limit)
    if as_json:
        write_json(ghosts)
        return 0
    console = screen()
    for job_id in ghosts:
        console.print(plain(job_id))
    console.print(
        "forget them with: holdfast queue clean ghosts --older-than 0" if ghosts else "no id was set aside", style="dim"
    )
    return 0


def _jobs_table(found: list[Job], state: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("id", max_width=36, overflow="ellipsis", no_wrap=True)
    table.add_column("name", max_width=16, overflow="ellipsis", no_wrap=True)
    table.add_column({"active": "taken", "completed": "ended", "failed": "ended"}.get(state, "added"), no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("reason" if state == "failed" else "progress", overflow="ellipsis", no_wrap=True)
    for job in found:
        at = {"active": job.processed_on, "completed": job.finished_on, "failed": job.finished_on}.get(
            state, job.timestamp
        )
        told = job.failed_reason or "" if state == "failed" else _progress(job)
        table.add_row(
            Text(plain(job.id)), Text(plain(job.name)), ago(at), str(job.attempts_made), Text(plain(told, REASON_CHARS))
        )
    return table


def _progress(job: Job) -> str:
    try:
        progress = job.progress
    except ValueError:  # whatever somebody else wrote there
        return "?"
    return "" if progress is None else json.dumps(progress, ensure_ascii=False)


def _before(overview: Overview) -> str:
    return "-: nothing waits" if overview.oldest_waiting is None else f"{since(overview.oldest_waiting)} ago"


def _stats_json(queue: Queue, overview: Overview, counts: dict[str, int], workers: list[LiveWorker]) -> dict[str, Any]:
    oldest = overview.oldest_waiting
    return {
        "queue": queue.name,
        "prefix": queue.prefix,
        "paused": overview.is_paused,
        "counts": counts,
        "added": overview.added,
        "finished_last_minute": overview.finished_last_minute,
        "oldest_waiting_seconds": None if oldest is None else oldest.total_seconds(),
        "ghosts": overview.ghosts,
        "workers": [asdict(worker) for worker in workers],
    }
