"""PostgreSQL: what is owed, what was paid, and the answers themselves.

Every function takes the connection of a transaction that `Database.run` opened.
"""

from holdfast.store import (
    answers,
    assignments,
    balances,
    batches,
    calls,
    codeframes,
    confirmations,
    endings,
    figures,
    generations,
    health,
    ledgers,
    orphans,
    steering,
    units,
)
from holdfast.store.calls import CallJournal
from holdfast.store.caps import Caps
from holdfast.store.database import Connection, Database
from holdfast.store.health import DatabaseFacts, Pooler

__all__ = [
    "CallJournal",
    "Caps",
    "Connection",
    "Database",
    "DatabaseFacts",
    "Pooler",
    "answers",
    "assignments",
    "balances",
    "batches",
    "calls",
    "codeframes",
    "confirmations",
    "endings",
    "figures",
    "generations",
    "health",
    "ledgers",
    "orphans",
    "steering",
    "units",
]
