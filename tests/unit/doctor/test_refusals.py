"""What a PostgreSQL's refusal means, by its SQLSTATE, however deep it lies below other errors."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from holdfast.errors import Unavailable
from holdfast.store import health

STATES = [
    (asyncpg.InvalidPasswordError, "credentials", "it refuses the user or the password"),
    (asyncpg.InvalidAuthorizationSpecificationError, "credentials", "pg_hba.conf"),
    (asyncpg.InvalidCatalogNameError, "database", "no database of that name"),
    (asyncpg.InvalidSQLStatementNameError, "pooler", "does not know a statement"),
    (asyncpg.DuplicatePreparedStatementError, "pooler", "knows a statement of that name already"),
    (asyncpg.InsufficientPrivilegeError, None, "may not read"),
    (asyncpg.TooManyConnectionsError, None, "it cannot be used (TooManyConnectionsError)"),
]


@pytest.mark.parametrize(("kind", "refused", "why"), STATES)
def test_a_refusal_is_known_by_its_state(kind: type[asyncpg.PostgresError], refused: str | None, why: str) -> None:
    error = DBAPIError("SELECT 'an answer'", None, kind("it quotes 'an answer'"))

    assert health.refused(error) == refused
    assert why in health.why(error)
    assert "an answer" not in health.why(error)


def test_a_server_that_is_away_says_how_it_was_noticed() -> None:
    error = Unavailable("PostgreSQL does not answer; nothing was changed, try again")
    error.__cause__ = ConnectionRefusedError(111, "refused")

    assert (health.refused(error), health.why(error)) == (None, "it does not answer (ConnectionRefusedError)")
