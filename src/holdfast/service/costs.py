"""The ledger, as a person reads it: calls of one generation, totals by month, model, key, day or generation."""

from datetime import datetime
from functools import partial
from uuid import UUID

from holdfast.store import Connection, Database, generations, ledgers
from holdfast.store.ledgers import Call, CostRow, Grouping


class Costs:
    """Reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(
        self, generation_id: UUID, *, state: str | None = None, offset: int = 0, limit: int = 200
    ) -> tuple[list[Call], int]:
        """A page of a generation's calls, the oldest first, and their number. Raises NotFound, Unavailable."""

        async def work(connection: Connection) -> tuple[list[Call], int]:
            await generations.get(connection, generation_id)
            return await ledgers.calls_of(connection, generation_id, state=state, offset=offset, limit=limit)

        return await self._database.run(work)

    async def totals(
        self, *, since: datetime | None = None, until: datetime | None = None, by: Grouping = "month"
    ) -> list[CostRow]:
        """What calls begun in that time have cost, by group; what deleted generations have cost is there too."""
        return await self._database.run(partial(ledgers.costs, since=since, until=until, by=by))
