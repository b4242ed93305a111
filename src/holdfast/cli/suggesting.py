"""Answers whose codes are best confirmed next: a table for a person to fill in."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from holdfast.cli.coding import read_examples
from holdfast.cli.orders import checked_out
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, plain
from holdfast.errors import BadInput
from holdfast.service import open_service
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `holdfast suggest` was asked for."""

    generation_id: UUID
    out: Path
    number: int
    examples: tuple[Path, ...]


async def write_suggestions(settings: Settings, asked: Asked) -> int:
    """`holdfast suggest`. Raises BadInput, NotFound, Conflict."""
    path, console = checked_out(asked.out), screen()
    if any(each.exists() and path.exists() and path.samefile(each) for each in asked.examples):
        raise BadInput(f"{asked.out} is a table that was filled in; name another one for the new suggestions")
    examples = [row for each in asked.examples for row in read_examples(each)]
    async with open_service(settings) as service:
        found = await service.suggesting.suggest(asked.generation_id, n=asked.number, examples=examples)
        notes = await service.tables.write_suggestions(asked.generation_id, found.items, path)
    if found.n_strange:
        notes.append(f"{counted(found.n_strange, 'example')} with a text that no answer of this generation has")
    for note in notes:
        console.print(f"note: {plain(note)}")
    console.print(f"{counted(len(found.items), 'answer')} to confirm; confirmed so far: {found.n_confirmed}")
    console.print(f"fill in the column codes of {path}", soft_wrap=True)
    return 0
