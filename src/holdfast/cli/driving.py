"""One generation, driven from this process to its end, its pause, or a Ctrl-C."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rich.console import Console

from holdfast.cli.exits import FAILED, complain
from holdfast.cli.progress import view
from holdfast.cli.running import Stop
from holdfast.cli.standing import compared, going_on, in_doubt, why
from holdfast.cli.tree import SHORT, show_tree, summary
from holdfast.cli.watching import watch_with_worker
from holdfast.cli.words import counted, duration, plain, written
from holdfast.service import Service, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
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
        if status.status == "paused":
            complain(f"the generation is paused: {why(status)}")
            self.console.print(f"nothing is lost. Go on with: {going_on(status)}", soft_wrap=True)
            return FAILED
        if not status.ended:
            self.console.print(
                f"stopped at {status.progress} %; nothing is lost. Go on with: {going_on(status)}", soft_wrap=True
            )
            return stop.exit_code
        return await self._deliver(status)

    async def _deliver(self, status: Status) -> int:
        if status.status not in {"completed", "partial"}:
            complain(f"the generation {status.status}" + ("" if status.status == "cancelled" else f": {why(status)}"))
            self._tell_cost(status)
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
        self._tell_cost(status)
        if status.status == "partial":
            complain(incomplete(status))
            self.console.print(f"try those once more with: holdfast retry {self.generation_id}")
            return FAILED
        return 0

    def _tell_cost(self, status: Status) -> None:
        if status.estimate or status.ledger.n_calls or status.ledger.n_in_doubt:
            self.console.print(compared(status), soft_wrap=True)
        if status.ledger.n_in_doubt:
            self.console.print(in_doubt(status), soft_wrap=True)

    def _where(self) -> str:
        if self.out is None:
            return f"no table was asked for (holdfast table {self.generation_id} --out codeframe.xlsx writes it)"
        return f"the {written(self.out)} is {self.out}"


def incomplete(status: Status) -> str:
    """What a partial generation lacks."""
    if "code" in status.failed_stages:
        return "some bundles of answers could not be coded; these answers are in Other"
    if not status.n_failed:
        return "the model's review of the codeframe brought nothing usable"
    return f"{counted(status.n_failed, 'cluster')} could not be labelled; their answers are in Other"
