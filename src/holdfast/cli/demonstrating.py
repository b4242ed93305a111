"""The demo on the terminal: its story line by line, then what came of it."""

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence

from rich.console import Console

from holdfast.cli.exits import FAILED
from holdfast.cli.running import Stop, unless_stopped
from holdfast.cli.screen import screen
from holdfast.cli.serving import PortTaken, listening, run_api, url_of
from holdfast.cli.tree import show_tree, summary
from holdfast.cli.words import duration
from holdfast.demo import LABEL_SECONDS, Report, Stage, open_stage, play
from holdfast.drill import Check
from holdfast.settings import Settings

TRIED_PORTS = 20

INTRODUCTION = f"""\
1,000 real answers become a codeframe, while a worker and then Redis are killed (kill -9).
Real servers, no key, no provider: each label is given {LABEL_SECONDS:g} s, as a provider would take.
"""


async def demonstrate(settings: Settings, stop: Stop, *, serve: bool, keep: bool) -> int:
    """`holdfast demo`: 0 only if everything held."""
    console = screen()
    console.print(INTRODUCTION)
    began = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - began:5.1f} s  {line}", soft_wrap=True)

    async with open_stage(settings, keep=keep) as stage:
        tell(f"PostgreSQL and Redis started in {stage.folder}")
        report = await unless_stopped(play(stage, tell), stop)
        if report is None:
            console.print("stopped")
            return stop.exit_code
        _show(console, report, seconds=time.monotonic() - began)
        if keep:
            console.print(
                f"\nkept: HOLDFAST_HOME={stage.folder} holdfast status {report.status.generation_id}", soft_wrap=True
            )
        if serve:
            await _serve(console, stage, report, stop)
    return 0 if report.held else FAILED


def _show(console: Console, report: Report, *, seconds: float) -> None:
    console.print()
    show_tree(console, report.hierarchy, title=f"Codeframe: {summary(report.hierarchy)}")
    coded, given = report.hierarchy.n_assigned, report.hierarchy.generation.n_answers
    working = duration(report.status.processing_time_ms / 1000)
    console.print(
        f"\ncoverage {coded / given:.1%} · {_mece(report)} · {working} of work · {duration(seconds)} in all\n"
    )
    _show_checks(console, report.checks)
    balance = report.balance
    line = (
        f"\nowed {balance.owed} · done {balance.done} · lost {balance.lost} · done twice {balance.done_twice}"
        f" · in doubt {balance.in_doubt} (repeated {balance.repeated})"
    )
    console.print(
        f"{line}   {'IT HELD' if report.held else 'IT DID NOT HOLD'}", style="bold green" if report.held else "bold red"
    )


def _mece(report: Report) -> str:
    mece = (report.status.result or {}).get("mece") or {}
    parts = [f"{name} {mece[name]:.0%}" for name in ("exclusivity", "exhaustiveness") if name in mece]
    return f"MECE {mece.get('score', 0):.0f} of 100 ({', '.join(parts)})"


def _show_checks(console: Console, checks: Sequence[Check]) -> None:
    room = max(len(check.name) for check in checks)
    for check in checks:
        line = f"{'held' if check.held else 'FAILED':6}  {check.name:{room}}  {check.figures}"
        console.print(line, style=None if check.held else "bold red", soft_wrap=True)


async def _serve(console: Console, stage: Stage, report: Report, stop: Stop) -> None:
    while len(stage.workers.alive) < 2:
        stage.start_worker()
    with _free_port(stage.service.settings) as listener:
        url = url_of(listener)
        console.print(f"\nAPI   {url}/docs", soft_wrap=True)
        console.print(f"      {url}/api/v1/codeframe/{report.status.generation_id}/hierarchy", soft_wrap=True)
        console.print("Ctrl-C stops it.")
        await run_api(stage.service, listener, stop, with_worker=False)


@contextlib.contextmanager
def _free_port(settings: Settings) -> Iterator[socket.socket]:
    """The port of the settings, or the next free one."""
    with contextlib.ExitStack() as stack:
        for port in range(settings.port, settings.port + TRIED_PORTS):
            with contextlib.suppress(PortTaken):
                yield stack.enter_context(listening(settings.host, port))
                return
        raise PortTaken(f"no port from {settings.port} on is free; stop what listens there, or set HOLDFAST_PORT")
