"""watch: a queue while it works, live in a terminal, in plain lines elsewhere."""

import asyncio
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from holdfast.cli.queue_looking import counts_table, heading
from holdfast.cli.queue_words import ago, since
from holdfast.cli.running import Stop
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.errors import QueueUnavailable
from holdfast.queue import Job, LiveWorker, Overview, Queue

SHOWN_ACTIVE = 8
SHOWN_FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What one look saw."""

    at: float  # monotonic seconds
    overview: Overview
    counts: dict[str, int]
    workers: list[LiveWorker]
    active: list[tuple[Job, str]]  # and who holds it
    failed: list[Job]

    @property
    def unfinished(self) -> int:
        return sum(self.counts[state] for state in ("wait", "paused", "delayed", "active"))


async def watch_queue(queue: Queue, stop: Stop, *, every: float) -> int:
    """`holdfast queue watch`."""
    console = screen()
    if console.is_terminal:
        await _watch_live(queue, stop, console, every)
    else:
        await _watch_lines(queue, stop, console, every)
    return 0


async def _watch_live(queue: Queue, stop: Stop, console: Console, every: float) -> None:
    before: Moment | None = None
    with _keys(stop), Live(console=console, screen=True, auto_refresh=False, transient=True) as live:
        while True:
            try:
                now = await look(queue)
                live.update(view(queue, now, before, height=console.height), refresh=True)
                before = now
            except QueueUnavailable as error:
                live.update(Text(f"{error}; waiting for it"), refresh=True)
            if await stop.within(every):
                return


async def _watch_lines(queue: Queue, stop: Stop, console: Console, every: float) -> None:
    before: Moment | None = None
    while True:
        try:
            now = await look(queue)
            added, ended = rates(now, before)
            counts = " · ".join(f"{state} {number:,}" for state, number in now.counts.items() if number)
            paused = " · PAUSED" if now.overview.is_paused else ""
            console.print(
                f"{counts or 'empty'}{paused} · {added:.0f} added/s · {ended:.0f} ended/s"
                f" · {counted(len(now.workers), 'worker')}",
                soft_wrap=True,
            )
            before = now
        except QueueUnavailable as error:
            console.print(f"{error}; waiting for it", soft_wrap=True)
        if await stop.within(every):
            return


async def look(queue: Queue) -> Moment:
    """See how it goes."""
    overview, counts, workers = await asyncio.gather(queue.overview(), queue.counts(), queue.workers())
    active, failed = await asyncio.gather(
        queue.jobs("active", 0, SHOWN_ACTIVE - 1), queue.jobs("failed", 0, SHOWN_FAILED - 1)
    )
    names = {worker.id: f"{worker.host}:{worker.pid}" for worker in workers}
    details = await asyncio.gather(*(queue.details(job.id) for job in active))
    holders = [names.get((each.worker if each else None) or "", "?") for each in details]
    return Moment(
        at=monotonic(),
        overview=overview,
        counts=counts,
        workers=workers,
        active=list(zip(active, holders, strict=True)),
        failed=failed,
    )


def rates(now: Moment, before: Moment | None) -> tuple[float, float]:
    """Jobs added and jobs ended, or removed, a second since the last look."""
    if before is None or now.at <= before.at:
        return 0.0, now.overview.finished_last_minute / 60
    added = max(0, now.overview.added - before.overview.added)
    ended = max(0, added - (now.unfinished - before.unfinished))
    seconds = now.at - before.at
    return added / seconds, ended / seconds


def view(queue: Queue, now: Moment, before: Moment | None, *, height: int) -> Group:
    """The screen of one moment, no higher than the terminal."""
    added, ended = rates(now, before)
    lines: list[Text | Table] = [
        heading(queue, now.overview),
        counts_table(now.counts),
        Text(f"{added:,.0f} added/s · {ended:,.0f} ended/s · oldest waits {since(now.overview.oldest_waiting)}"),
        Text(f"{counted(len(now.workers), 'worker')} · {_most(now.workers)}"),
        Text(),
    ]
    room = max(1, height - 10)
    lines.append(_active_table(now, room - min(len(now.failed), room // 3)))
    if now.failed:
        lines += [Text(), Text("failed last", style="dim")]
        lines += [_failed_line(job) for job in now.failed[: max(1, room // 3)]]
    lines += [Text(), Text("q leaves", style="dim")]
    return Group(*lines)


def _most(workers: list[LiveWorker]) -> str:
    return f"{sum(worker.concurrency for worker in workers):,} jobs at once" if workers else "nobody works"


def _active_table(now: Moment, most: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column(f"active ({now.counts['active']:,})", ratio=4, overflow="ellipsis", no_wrap=True)
    table.add_column("name", ratio=2, overflow="ellipsis", no_wrap=True)
    table.add_column("for", justify="right", no_wrap=True)
    table.add_column("worker", ratio=3, overflow="ellipsis", no_wrap=True)
    for job, holder in now.active[:most]:
        age = "-" if job.processed_on is None else ago(job.processed_on).removesuffix(" ago")
        table.add_row(Text(plain(job.id)), Text(plain(job.name)), age, Text(plain(holder)))
    return table


def _failed_line(job: Job) -> Text:
    line = Text(f"{plain(job.id, 36)} ", no_wrap=True, overflow="ellipsis")
    line.append(f"{ago(job.finished_on)} ", style="dim")
    return line.append(plain(job.failed_reason or "", 200), style="red")


@contextmanager
def _keys(stop: Stop) -> Iterator[None]:
    """q asks to stop, while stdin is a terminal too."""
    if not sys.stdin.isatty():
        yield
        return
    file, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(file)

    def pressed() -> None:
        if "q" in sys.stdin.readline(1).lower():
            stop.event.set()

    tty.setcbreak(file)
    loop.add_reader(file, pressed)
    try:
        yield
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)
