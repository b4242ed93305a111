"""The ledger on the screen: a generation's calls, and totals."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from rich.console import Console
from rich.table import Table

from holdfast.cli.queue_looking import write_json
from holdfast.cli.screen import screen
from holdfast.cli.standing import compared, in_doubt
from holdfast.cli.words import dollars, plain
from holdfast.service import Call, CostRow, Grouping, Service, open_service
from holdfast.settings import Settings

PAGE = 500
SHOWN = 200  # calls; a script gets all


async def show_calls(settings: Settings, generation_id: UUID, *, as_json: bool) -> int:
    """`holdfast costs ID`."""
    async with open_service(settings) as service:
        status = await service.generations.status(generation_id)
        calls = await _all_calls(service, generation_id)
    if as_json:
        write_json({"generation_id": generation_id, "estimate": status.estimate, "items": [asdict(c) for c in calls]})
        return 0
    console = screen()
    console.print(compared(status), soft_wrap=True)
    if status.ledger.n_in_doubt:
        console.print(in_doubt(status), soft_wrap=True)
    if calls:
        console.print(_calls_table(calls[:SHOWN]))
    if len(calls) > SHOWN:
        console.print(f"and {len(calls) - SHOWN:,} more; --json gives all")
    return 0


async def show_totals(
    settings: Settings, by: Grouping, between: tuple[datetime | None, datetime | None], *, as_json: bool
) -> int:
    """`holdfast costs`."""
    since, until = between
    async with open_service(settings) as service:
        rows = await service.costs.totals(since=since, until=until, by=by)
    if as_json:
        write_json({"by": by, "items": [asdict(row) for row in rows]})
    else:
        _print_totals(screen(), rows, by)
    return 0


async def _all_calls(service: Service, generation_id: UUID) -> list[Call]:
    found: list[Call] = []
    while True:
        page, total = await service.costs.calls(generation_id, offset=len(found), limit=PAGE)
        found += page
        if not page or len(found) >= total:
            return found


def _calls_table(calls: Sequence[Call]) -> Table:
    table = _table("call", "step", "state")
    for name in ("cost", "tokens in", "out"):
        table.add_column(name, justify="right")
    for call in calls:
        cost = f"≤ {dollars(call.reserved_usd)}" if call.cost_usd is None else dollars(call.cost_usd)
        tokens = ["-" if n is None else f"{n:,}" for n in (call.input_tokens, call.output_tokens)]
        table.add_row(str(call.id), plain(call.step), call.state.replace("_", " "), cost, *tokens)
    return table


def _print_totals(console: Console, rows: Sequence[CostRow], by: Grouping) -> None:
    if not rows:
        console.print("no call was made in that time")
        return
    table = _table(by)
    for name in ("calls", "spent", "under way", "in doubt", "tokens in", "out"):
        table.add_column(name, justify="right")
    for row in rows:
        money = (dollars(amount) for amount in (row.spent_usd, row.reserved_usd, row.in_doubt_usd))
        table.add_row(plain(row.group), f"{row.n_calls:,}", *money, f"{row.input_tokens:,}", f"{row.output_tokens:,}")
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name)
    return table
