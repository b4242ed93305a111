"""PostgreSQL: what is owed, what was paid, and the answers themselves.

Every function takes the connection of a transaction that `Database.run` opened.
"""

from holdfast.store import answers, balances, calls, codeframes, generations, units
from holdfast.store.calls import CallJournal
from holdfast.store.database import Connection, Database

__all__ = [
    "CallJournal",
    "Connection",
    "Database",
    "answers",
    "balances",
    "calls",
    "codeframes",
    "generations",
    "units",
]
