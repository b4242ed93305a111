"""Tables that a person has to fill in."""

from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.errors import BadInput
from holdfast.service.tables import Tables
from holdfast.store import Database


@pytest.mark.parametrize("name", ["confirm.html", "confirm.sav"])
async def test_suggestions_are_not_written_where_nobody_can_fill_them_in(tmp_path: Path, name: str) -> None:
    tables = Tables(Database("postgresql://nobody@127.0.0.1:1/none"))

    with pytest.raises(BadInput, match=r"must end in \.csv, \.xlsx or \.json"):
        await tables.write_suggestions(uuid4(), [], tmp_path / name)
