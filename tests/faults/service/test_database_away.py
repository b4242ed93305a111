"""A database that stays away ends what cannot start without it, with the reason."""

from pathlib import Path
from time import monotonic

import pytest
from tests.integration.cli.command import Holdfast

AWAY = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}


@pytest.mark.long  # both wait the half minute a database is given
@pytest.mark.timeout(180)
def test_serve_and_worker_end_with_a_reason_when_the_database_stays_away(tmp_path: Path) -> None:
    command = Holdfast(HOLDFAST_HOME=str(tmp_path), **AWAY)
    began = monotonic()

    with command.started("serve", "--port", "0") as serving, command.started("worker") as working:
        ended = [serving.end(), working.end()]

    assert monotonic() - began < 90
    assert [each.code for each in ended] == [1, 1]
    assert all("error: PostgreSQL does not answer" in each.err for each in ended)
