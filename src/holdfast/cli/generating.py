"""From a file to a coded table, in this process; interrupted at any point, it can be gone on with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from rich.console import Console

from holdfast.cli.exits import FAILED, complain
from holdfast.cli.progress import view
from holdfast.cli.running import Stop, unless_stopped
from holdfast.cli.screen import screen
from holdfast.cli.tree import SHORT, show_tree, summary
from holdfast.cli.watching import watch_with_worker
from holdfast.cli.words import counted, duration, plain
from holdfast.errors import BadInput
from holdfast.service import (
    MIN_ANSWERS,
    FileToImport,
    GenerationConfig,
    GenerationRequest,
    Service,
    Status,
    check_config,
    check_table_path,
    open_service,
)
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `holdfast generate` was asked for, checked before anything is done."""

    file: FileToImport
    config: GenerationConfig
    out: Path

    @classmethod
    def checked(
        cls,
        *,
        file: Path,
        out: Path,
        text_column: str | None,
        id_column: str | None,
        sheet: str | None,
        n_clusters: int | None,
        hierarchy: str,
        min_cluster_size: int,
        seed: int,
    ) -> Self:
        """Raises BadInput for options that cannot work."""
        config = GenerationConfig(
            n_clusters=n_clusters, hierarchy=hierarchy, min_cluster_size=min_cluster_size, seed=seed
        )
        check_config(config)
        if not file.exists():
            raise BadInput(f"there is no file {file}; check the path")
        return cls(
            file=FileToImport(path=file, text_column=text_column, id_column=id_column, sheet=sheet),
            config=config,
            out=checked_out(out, source=file),
        )


def checked_out(out: Path, *, source: Path | None = None) -> Path:
    """The absolute path of the table; raises BadInput for one that cannot be written."""
    path = out.absolute()
    check_table_path(path)
    if source is not None and path.exists() and path.samefile(source):
        raise BadInput(f"{out} is the file with the answers; name another one for the table")
    return path


async def generate_table(settings: Settings, order: Order, stop: Stop, *, silent: bool) -> int:
    """`holdfast generate`."""
    console = screen()
    _tell_where(console, settings)
    async with open_service(settings) as service:
        importing = service.imports.import_as_category(order.file, at_least=MIN_ANSWERS)
        if (imported := await unless_stopped(importing, stop)) is None:
            console.print("stopped; nothing was kept")
            return stop.exit_code
        category, done = imported
        console.print(
            f"{plain(done.source)}: {counted(done.n_added, 'answer')} from column {plain(done.text_column)!r}"
        )
        for note in done.notes:
            console.print(f"note: {plain(note)}")
        older = await service.generations.under_way()
        request = GenerationRequest(category_id=category.id, config=order.config, client={"out": str(order.out)})
        created = await service.generations.start(request)
        _tell_of_another(console, older.id if older else None, created.generation.id)
        run = _Run(service=service, generation_id=created.generation.id, out=order.out, console=console)
        return await run.to_the_end(stop, silent=silent)


async def resume_generation(
    settings: Settings, generation_id: UUID | None, out: Path | None, stop: Stop, *, silent: bool
) -> int:
    """`holdfast resume`."""
    console = screen()
    _tell_where(console, settings)
    given = None if out is None else checked_out(out)
    async with open_service(settings) as service:
        if generation_id is None:
            found = await service.generations.under_way()
            if found is None:
                raise BadInput("no generation is under way; `holdfast table ID` writes the table of one that has ended")
        else:
            found = await service.generations.get(generation_id)
        newest = await service.generations.under_way()
        _tell_of_another(console, newest.id if newest else None, found.id)
        remembered = (found.client or {}).get("out")
        path = given or (Path(remembered) if remembered else None)
        run = _Run(service=service, generation_id=found.id, out=path, console=console)
        return await run.to_the_end(stop, silent=silent)


def _tell_where(console: Console, settings: Settings) -> None:
    # Our own servers take a few seconds to start: a person should see that something happens, and where.
    if settings.redis_url is None or settings.database_url is None:
        console.print(f"data folder {settings.home}", soft_wrap=True)


def _tell_of_another(console: Console, other: UUID | None, ours: UUID) -> None:
    # The worker in this process takes whatever is owed: a person should know why it is slow, and how to end that.
    if other is not None and other != ours:
        console.print(
            f"also going on with another generation: {other} (holdfast cancel {other} ends it)", soft_wrap=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One generation, driven from this process."""

    service: Service
    generation_id: UUID
    out: Path | None
    console: Console

    async def to_the_end(self, stop: Stop, *, silent: bool) -> int:
        """Work until it has ended, then write and show; or stop when asked, and say how to go on."""
        self.console.print(f"generation {self.generation_id}")
        with view(self.console, silent=silent) as shown:
            status = await watch_with_worker(self.service, self.generation_id, stop, shown)
        if not status.ended:
            self.console.print(
                f"stopped at {status.progress} %; nothing is lost. Go on with: holdfast resume {self.generation_id}"
            )
            return stop.exit_code
        return await self._deliver(status)

    async def _deliver(self, status: Status) -> int:
        if status.status not in {"completed", "partial"}:
            complain(_why(status))
            return FAILED
        if self.out is not None:
            for note in await self.service.tables.write(self.generation_id, self.out):
                self.console.print(f"note: {plain(note)}")
        hierarchy = await self.service.generations.hierarchy(self.generation_id)
        self.console.print()
        show_tree(self.console, hierarchy, title=summary(hierarchy), shape=SHORT)
        for note in (status.result or {}).get("notes", []):
            self.console.print(f"note: {plain(note)}")
        self.console.print(f"\n{self._where()}; {duration(status.processing_time_ms / 1000)} of work", soft_wrap=True)
        if status.status == "partial":
            complain(f"{counted(status.n_failed, 'cluster')} could not be labelled; their answers are in Other")
            return FAILED
        return 0

    def _where(self) -> str:
        if self.out is None:
            return f"no table was asked for (holdfast table {self.generation_id} --out codeframe.xlsx writes it)"
        return f"the coded table is {self.out}"


def _why(status: Status) -> str:
    error = status.error or {}
    reason = error.get("message") or "no reason was kept"
    return f"the generation {status.status}" + ("" if status.status == "cancelled" else f": {reason}")
