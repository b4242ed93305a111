"""Look at a generation, or write its table."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from holdfast.cli.orders import checked_out
from holdfast.cli.progress import details, stage
from holdfast.cli.screen import screen
from holdfast.cli.standing import compared, going_on, in_doubt, why
from holdfast.cli.words import counted, duration, plain, written
from holdfast.service import Status, open_service
from holdfast.settings import Settings


async def show_status(settings: Settings, generation_id: UUID, *, as_json: bool) -> int:
    """`holdfast status`."""
    async with open_service(settings) as service:
        status = await service.generations.status(generation_id)
    if as_json:
        sys.stdout.write(json.dumps(status_json(status), indent=2, ensure_ascii=False) + "\n")
        return 0
    console = screen()
    console.print(f"generation {status.generation_id}: {stage(status)}, {status.progress} %")
    console.print(f"{counted(status.n_answers, 'answer')} · {details(status)}")
    console.print(f"{duration(status.processing_time_ms / 1000)} of work, {compared(status)}", soft_wrap=True)
    if status.ledger.n_in_doubt:
        console.print(in_doubt(status), soft_wrap=True)
    if status.error:
        console.print(f"reason: {why(status)}", soft_wrap=True)
    if status.status in {"partial", "failed"}:
        console.print(f"try what failed once more with: holdfast retry {status.generation_id}")
    elif not status.ended:
        console.print(f"go on with: {going_on(status)}", soft_wrap=True)
    return 0


async def write_table(settings: Settings, generation_id: UUID, out: Path) -> int:
    """`holdfast table`."""
    path, console = checked_out(out), screen()
    async with open_service(settings) as service:
        for note in await service.tables.write(generation_id, path):
            console.print(f"note: {plain(note)}")
    console.print(f"the {written(path)} is {path}", soft_wrap=True)
    return 0


def status_json(status: Status) -> dict[str, Any]:
    """The fields of `GET …/status`."""
    ledger = status.ledger
    names = (
        "category_id status progress phase n_clusters n_completed n_failed n_pending n_running n_answers"
        " eta_seconds processing_time_ms mece_score error"
    )
    return {
        "generation_id": str(status.generation_id),
        **{name: getattr(status, name) for name in names.split()},
        "estimate": status.estimate,
        "cost": {
            "spent_usd": str(ledger.spent),
            "reserved_usd": str(ledger.reserved),
            "in_doubt_usd": str(ledger.in_doubt),
            "budget_usd": None if status.budget is None else str(status.budget),
            "calls": ledger.n_calls,
        },
    }
