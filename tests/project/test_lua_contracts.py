"""Every Lua file loads, and its header is what its one caller passes and reads."""

import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from holdfast.queue.jobs.repeatables import Run
from holdfast.queue.keys import Keys
from holdfast.queue.link.connection import Link
from holdfast.queue.scripts import Blame, Limits, Pace, PresenceScripts, RecoveryRules, Result, Scripts, load

LUA = Path(__file__).parents[2] / "src/holdfast/queue/lua"
SCRIPTS = sorted(path.stem for path in LUA.glob("*.lua"))
BLAME = Blame(job_id="i", token="t", attempts_made=1, reason="r", trace="tr", trace_limit=3)
RUN = Run(key="k", stem="repeat:1", due_ms=5, name="n", data=b"{}", opts={})
RULES = RecoveryRules(interval_ms=1, quiet_ms=1, grace_ms=1, max_stalled=1)

CALLS: dict[str, Callable[[Scripts], Coroutine[Any, Any, Any]]] = {
    "add": lambda s: s.add("me", ["", "n", "{}", "{}", 1, 0, 0, "0"]),
    "add_debounced": lambda s: s.add_debounced("me", ["", "n", "{}", "{}", 1, 0, 0, "0", "d", "", "0"]),
    "take": lambda s: s.take(1, "t", 1000, announce=False),
    "complete": lambda s: s.complete([Result("i", "t", b"1", "", "")], limit=1, token="t", lock_ms=1000),
    "retake": lambda s: s.retake("t"),
    "fail": lambda s: s.fail(BLAME, keep=""),
    "retry": lambda s: s.retry(BLAME, delay_ms=0),
    "postpone": lambda s: s.postpone("i", "t", delay_ms=5),
    "throttle_enter": lambda s: s.throttle_enter("t", Pace(), tokens=1),
    "throttle_leave": lambda s: s.throttle_leave("t", Pace(), outcome="ok", refund=0, close_ms=0),
    "release": lambda s: s.release([("i", "t")]),
    "recover": lambda s: s.recover(RULES),
    "promote": lambda s: s.promote("me", 10),
    "progress": lambda s: s.progress("i", "t", b"1", back=False),
    "fates": lambda s: s.fates(["i"]),
    "log": lambda s: s.log("i", "t", "line", limit=1),
    "states": lambda s: s.states(["i"]),
    "arm": lambda s: s.arm("me", "k", None, RUN, 1),
    "standing": lambda s: s.standing([("k", "repeat:1")]),
    "disarm": lambda s: s.disarm("k", ["repeat:1"]),
    "counts": lambda s: s.counts(),
    "remove": lambda s: s.remove("i"),
    "requeue": lambda s: s.requeue("bull:q:failed", ["i"], "me", fresh=True),
    "promote_one": lambda s: s.promote_one(["i"], "me"),
    "clean": lambda s: s.clean("bull:q:wait", age_ms=1, offset=0, limit=1),
    "obliterate": lambda s: s.obliterate("bull:q:wait", force=True, limit=1),
    "audit_look": lambda s: s.audit_look(["i"], depth=2),
    "repair_job": lambda s: s.repair_job("ghost", "i", "w", sender="me"),
    "repair_keep": lambda s: s.repair_keep("bull:q:index", "bull:q:failed", ["i"], fix=True),
    "repair_debounce": lambda s: s.repair_debounce(["d"], fix=True),
    "trim": lambda s: s.trim(interval_ms=1, limit=1),
    "pause": lambda s: s.pause("paused", 10),
    "take_limited": lambda s: s.take_limited(1, "t", 1000, Limits(max=1, per_ms=1, most=1, group_max=1, group_ms=1)),
    "line_up": lambda s: s.line_up(1),
    "unpark": lambda s: s.unpark(1),
    "cancel": lambda s: s.cancel("i"),
    "sweep_cancels": lambda s: s.sweep_cancels(1),
}
PRESENCE_CALLS: dict[str, Callable[[PresenceScripts], Any]] = {
    "renew": lambda s: s.renew("w", b"{}", (1000, 1000), [("i", "t")]),
    "leave": lambda s: s.leave("w"),
    "reclaim": lambda s: s.reclaim(1000, [("i", "t", b"{}", 0)]),
    "strays": lambda s: s.strays("w", ["i"]),
}
# The last argument of these repeats: so many values each time.
REPEATED = {
    "add": 8,
    "add_debounced": 11,
    "complete": 5,
    "release": 2,
    "renew": 2,
    "states": 1,
    "standing": 2,
    "disarm": 1,
    "requeue": 1,
    "promote_one": 1,
    "audit_look": 1,
    "repair_keep": 1,
    "repair_debounce": 1,
    "fates": 1,
    "reclaim": 4,
    "strays": 1,
}


class Recorder:
    """Stands where the link or the blocking client would, keeps what was sent and passes it on to a real Redis."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.sent: list[tuple[Any, ...]] = []

    async def call(self, *command: Any) -> Any:
        self.sent.append(command)
        return self.client.execute_command(*command)  # type: ignore[no-untyped-call]

    def evalsha(self, *command: Any) -> Any:
        self.sent.append(("EVALSHA", *command))
        return self.client.evalsha(*command)

    def eval(self, *command: Any) -> Any:
        return self.client.eval(*command)


def _header(name: str) -> str:
    match = re.match(r"--\[\[\n(.*?)\n\]\]\n", (LUA / f"{name}.lua").read_text(), re.DOTALL)
    assert match, f"{name}.lua must begin with its contract"
    return match[1]


def _named(kind: str, name: str) -> list[str]:
    found = re.findall(rf"^{kind}\[(\d+)\]  (\w+) ", _header(name), re.MULTILINE)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    return [word for _, word in found]


def test_every_script_has_exactly_one_caller() -> None:
    source = "".join(path.read_text() for path in (LUA.parent / "scripts").glob("*.py"))

    called = re.findall(r'_run\(\s*"(\w+)"', source)

    assert sorted(called) == SCRIPTS
    assert sorted(CALLS | PRESENCE_CALLS) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_loaded_by_a_real_redis(redis_url: str, name: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.script_load(load(name).source) == load(name).sha


def _key(keys: Keys, word: str) -> str:
    if word == "index":
        return "bull:q:index"
    key = getattr(keys, {"source": "wait", "target": "paused"}.get(word, word))
    return str(key("t")) if callable(key) else str(key)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_header_names_the_keys_and_arguments_that_the_caller_passes(redis_url: str, name: str) -> None:
    recorder = Recorder(redis_url)
    keys = Keys("bull", "q")
    with recorder.client:
        recorder.client.script_load(load(name).source)

        if name in CALLS:
            await CALLS[name](Scripts(cast("Link", recorder), keys))
        else:
            PRESENCE_CALLS[name](PresenceScripts(recorder, keys))

    _, sha, count, *rest = recorder.sent[0]
    expected = [_key(keys, word) for word in _named("KEYS", name)]
    arguments = rest[count:]
    repeated = REPEATED.get(name)
    named = _named("ARGV", name)
    assert sha == load(name).sha
    assert rest[:count] == expected
    assert len(arguments) == (len(named) - 1 + repeated if repeated else len(named))
    assert ("base" in named) == (keys.base in arguments)


def test_a_script_is_known_to_be_bounded_in_size() -> None:
    for name in SCRIPTS:
        body = re.sub(r"--\[\[.*?\]\]|--[^\n]*", "", (LUA / f"{name}.lua").read_text(), flags=re.DOTALL)
        assert len([line for line in body.splitlines() if line.strip()]) <= 80, name
        assert len(_named("KEYS", name)) <= 8, name


@pytest.mark.parametrize("name", [name for name in SCRIPTS if re.search(r"^Returns '\w", _header(name), re.MULTILINE)])
def test_the_words_of_a_script_are_those_its_header_promises(name: str) -> None:
    promised = set(re.findall(r"'(\w+)'", re.split(r"^Returns ", _header(name), flags=re.MULTILINE)[1]))

    said = set(re.findall(r"return (?:\w+ [^'\n]*)?'(\w+)'", load(name).source))

    assert said <= promised | {"failed", "wait", "ghost", "0"}
    assert promised & said
