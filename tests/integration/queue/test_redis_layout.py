"""The page about the keys says what is there: compared with keys.py, and with what a queue leaves in Redis."""

import re
from pathlib import Path

import redis.asyncio
from tests.integration.queue.smoke import ends, smoke, working

from holdfast.queue import Debounce, Job, NewJob, Queue, RateLimit, keys

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/explanation/redis-layout.md").read_text(encoding="utf-8")
LUA = ROOT / "src/holdfast/queue/lua"


def documented() -> dict[str, tuple[str, str]]:
    """Each key of the page's tables: its type and who writes it."""
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    return {key: (kind, who) for key, kind, who in rows}


def documented_fields() -> set[str]:
    rows = PAGE[PAGE.index("## Fields of a job") :].splitlines()
    return {field for row in rows if row.startswith("| `") for field in re.findall(r"`(\w+)`", row.split("|")[1])}


def type_of(suffix: str) -> str | None:
    """The documented type of a key found in Redis; an exact name counts before one with a part to fill in."""
    if suffix in documented():
        return documented()[suffix][0]
    for key in sorted((key for key in documented() if "<" in key), key=lambda key: key.startswith("<")):
        fits = re.fullmatch(re.sub(r"<[^>]+>", ".+", key), suffix)
        if fits and (key[0] != "<" or keys.may_be_job(suffix.removesuffix(key.removeprefix("<id>")))):
            return documented()[key][0]
    return None


def test_the_page_has_the_keys_that_keys_py_has_with_their_types() -> None:
    ours = (keys.__doc__ or "").split("Ours, ")[1]
    listed = dict(re.findall(r"^  (\S+(?: key>)?) +(zset|string|list|set|stream) ", ours, re.MULTILINE))
    on_page = PAGE[PAGE.index("## Ours") :]

    assert {key: kind for key, (kind, _) in documented().items() if f"| `{key}` |" in on_page} == listed
    assert "hash" not in listed.values()
    first = {key.split(":")[0] for key in documented()} - {"<id>"}
    assert first == keys._RESERVED_FIRST - {"events"}  # BullMQ's, kept free


def test_each_script_that_the_page_names_is_there() -> None:
    named = {name for _, who in documented().values() for name in re.findall(r"`(\w+\.lua)`", who)}

    assert len(named) > 10
    assert named <= {path.name for path in LUA.glob("*.lua")}


async def test_whatever_a_queue_leaves_in_redis_is_on_the_page(queue: Queue, client: redis.asyncio.Redis) -> None:
    async def work(_: Job) -> str:
        return "done"

    await smoke(queue)
    await queue.add("held", debounce=Debounce(id="d"), delay=60)
    await queue.add_many([NewJob("x", remove_on_complete=keep) for keep in (True, 3)])
    await queue.add_many([NewJob("x", group=group) for group in ("a", "a", "b")])
    async with working(queue, {"x": work}, rate_limit=RateLimit(max=1_000, per=60), group_concurrency=1):
        await ends(queue, completed=8, delayed=1)
        found = {name.removeprefix(queue.keys.base): await client.type(name) for name in await client.keys("*")}
        jobs = [name for name, kind in found.items() if kind == "hash" and keys.may_be_job(name)]
        fields = {field for job in jobs for field in await client.hkeys(queue.keys.job(job))}

    assert {name: kind for name, kind in found.items() if type_of(name) != kind} == {}
    assert {"presence", "event-stream", "delayed", "de:d", "limiter", "keep:completed:3:-1"} <= set(found)
    assert fields - documented_fields() == set()
