"""Rows streamed in by PostgreSQL's COPY, past SQLAlchemy, inside the caller's transaction."""

import asyncio
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

COPY_TIMEOUT = 3600.0  # seconds a stream of rows may take


async def copy_rows(
    connection: AsyncConnection,
    table: str,
    records: Iterable[Sequence[Any]] | AsyncIterable[Sequence[Any]],
    *,
    columns: Sequence[str],
    schema: str | None = None,
) -> int:
    """Write the records, in bounded memory; returns how many. Raises ConnectionError when the server goes away.

    The transaction must have begun: run a statement before.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    lost = asyncio.Event()

    def lose(_connection: object) -> None:
        lost.set()

    driver.add_termination_listener(lose)
    copying = asyncio.create_task(
        driver.copy_records_to_table(
            table, schema_name=schema, records=records, columns=list(columns), timeout=COPY_TIMEOUT
        )
    )
    # A server that dies while asyncpg waits to be allowed to write leaves it waiting: nothing wakes it any more.
    losing = asyncio.create_task(lost.wait())
    try:
        await asyncio.wait({copying, losing}, return_when=asyncio.FIRST_COMPLETED)
        if not copying.done():
            raise ConnectionError("the connection to PostgreSQL was lost in the middle of a COPY")
        return int((await copying).rpartition(" ")[2])
    finally:
        driver.remove_termination_listener(lose)
        for task in (copying, losing):
            task.cancel()
        await asyncio.gather(copying, losing, return_exceptions=True)
