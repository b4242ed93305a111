"""What the guide to deploying Redis says can be written as it stands there."""

import re
from pathlib import Path
from typing import get_args

import pytest

from holdfast.errors import NotConfigured
from holdfast.queue.client.durability import Level, Told, judge
from holdfast.queue.link.endpoints import parse

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/how-to/deploying-redis.md").read_text(encoding="utf-8")
COMMANDS = re.compile(r"(?:call|pcall|peek)\('([A-Z]+)'")
# Redis' own words for the categories that the guide's ACL line lets in and keeps out.
OUT = {"KEYS", "SORT", "FLUSHDB", "FLUSHALL", "SWAPDB", "MIGRATE", "RESTORE"}


def test_each_url_of_the_guide_is_one_that_is_understood() -> None:
    urls = re.findall(r"`((?:rediss?|unix)(?:\+\w+)?://[^`]+[^`/])`", GUIDE)

    kinds = set()
    for url in urls:
        try:
            kinds.add(parse(url).kind)
        except NotConfigured as error:
            assert "No such file" in str(error), url  # noqa: PT017 - the guide's certificates are not here
    assert len(urls) >= 6
    assert kinds == {"one", "sentinel", "cluster"}


def test_the_table_of_losses_has_a_row_for_each_level_and_says_what_durability_says() -> None:
    rows = dict(re.findall(r"^\| [^|]+ \| `(\w+)` \| (?:[^|]+ \| ){3}(\w+)", GUIDE, re.MULTILINE))

    assert rows.keys() == set(get_args(Level)) - {"unknown"}
    for level, word in rows.items():
        enabled = "0" if level in ("none", "snapshots") else "1"
        sync = {"written": "no"}.get(level, level)
        config = {"save": "" if level == "none" else "3600 1", "appendfsync": sync}
        told = judge(Told(info={"aof_enabled": enabled}, config=config))
        assert told.level == level
        assert told.durable_adds == (word != "refused")


@pytest.mark.parametrize("path", sorted((ROOT / "src/holdfast/queue/lua").rglob("*.lua")), ids=lambda path: path.stem)
def test_no_script_uses_a_command_that_the_documented_user_may_not_run(path: Path) -> None:
    assert set(COMMANDS.findall(path.read_text(encoding="utf-8"))) & OUT == set()
