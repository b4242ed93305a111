"""A queue in a plain dict, and a Hypothesis machine that does the same to it and to a real one."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.errors import QueueError
from holdfast.queue import Queue
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Blame, PresenceScripts, RecoveryRules, Result, Scripts

LOCK_MS = 600_000
MAX_STALLED = 2
AT_ONCE = RecoveryRules(interval_ms=0, quiet_ms=0, grace_ms=0, max_stalled=MAX_STALLED)
LIVING, DEAD = "aaaa", "dddd"  # worker ids
FAR = 10_000.0  # seconds of delay that never pass in a test

names = st.sampled_from(["j-1", "j-2", "j-3", "j:4"])
priorities = st.sampled_from([0, 0, 0, 1, 2, 5])
positions = st.integers(0, 30)


@dataclass
class Held:
    """An attempt, as its worker knows it."""

    id: str
    token: str
    opts: bytes
    made: int


@dataclass
class Plain:
    """One job."""

    priority: int
    born: int  # which of the jobs that had this id
    made: int = 0
    stalled: int = 0
    owner: str = ""
    last: str = ""  # the token whose own write moved it away


@dataclass
class Model:
    """What the queue must hold: ids in Redis' order, the one to run next at the end."""

    jobs: dict[str, Plain] = field(default_factory=dict)
    line: list[str] = field(default_factory=list)
    urgent: dict[str, int] = field(default_factory=dict)  # the prioritized ones that wait, as Bull's zset has them
    active: list[str] = field(default_factory=list)  # the last one taken first
    delayed: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    is_paused: bool = False

    def put(self, job_id: str, *, lifo: bool = False) -> None:
        """Where a job waits, by Bull's rules."""
        priority = self.jobs[job_id].priority
        if not priority:
            self.line.append(job_id) if lifo else self.line.insert(0, job_id)
            return
        self.urgent[job_id] = priority
        ahead = sum(1 for each in self.urgent.values() if each <= priority) - 1
        place = len(self.line) - ahead
        self.line.insert(place if place >= 0 else len(self.line), job_id)

    def drop(self, job_id: str) -> None:
        """Out of wherever it is."""
        for ids in (self.line, self.active):
            if job_id in ids:
                ids.remove(job_id)
        for group in (self.delayed, self.completed, self.failed):
            group.discard(job_id)
        self.urgent.pop(job_id, None)


class QueueMachine(RuleBasedStateMachine):
    """Producers, a living worker, one that is dead without anybody having noticed, and an operator."""

    url = ""  # of an empty Redis

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        self.client.flushall()
        self.queue = Queue("q", url=self.url)
        self.link = Link(self.queue.finder, reporter=Reporter())
        self.scripts = Scripts(self.link, self.queue.keys)
        self.thread = PresenceScripts(redis.Redis.from_url(self.url), self.queue.keys)
        self.model = Model()
        self.held: list[Held] = []
        self.zombies: list[Held] = []  # attempts whose job was taken over
        self.numbers, self.births = count(1), count(1)

    def do(self, call: Any) -> Any:
        """Run a coroutine to its end."""
        return self.runner.run(call)

    @initialize()
    def workers(self) -> None:
        now = int(self.client.time()[0]) * 1000
        self.client.zadd(self.queue.keys.presence, {LIVING: now + LOCK_MS, DEAD: now - 1})

    def teardown(self) -> None:
        self.do(self.link.close())
        self.do(self.queue.close())
        self.runner.close()
        self.client.close()

    def pick(self, among: list[Any], at: int) -> Any:
        """One of them."""
        return among[at % len(among)]

    @rule(
        job_id=st.none() | names,
        priority=priorities,
        lifo=st.booleans(),
        delay=st.sampled_from([0.0, 0.0, 0.0, FAR]),
    )
    def add(self, job_id: str | None, priority: int, *, lifo: bool, delay: float) -> None:
        job = self.do(self.queue.add("x", 1, job_id=job_id, priority=priority, lifo=lifo, delay=delay))
        model = self.model
        if job_id is not None and job_id in model.jobs:
            assert job.id == job_id
            return
        assert job.id not in model.jobs
        model.jobs[job.id] = Plain(priority, next(self.births))
        if delay:
            model.delayed.add(job.id)
        else:
            model.put(job.id, lifo=lifo)

    @rule(limit=st.integers(1, 4), worker=st.sampled_from([LIVING, LIVING, DEAD]))
    def take(self, limit: int, worker: str) -> None:
        token = f"{worker}:{next(self.numbers)}"
        rows = self.do(self.scripts.take(limit, token, LOCK_MS, announce=False))
        model = self.model
        expected = [] if model.is_paused else model.line[: -limit - 1 : -1]
        taken = [row[-1].decode() for row in rows]
        assert taken == expected
        for job_id, row in zip(taken, rows, strict=True):
            model.drop(job_id)
            model.active.insert(0, job_id)
            job = model.jobs[job_id]
            job.owner, job.last = token, ""
            assert int(row[3] or 0) == job.made
            self.held.append(Held(job_id, token, row[2], job.made))

    @precondition(lambda self: self.held)
    @rule(at=positions, keep=st.sampled_from(["", "0"]))
    def complete(self, at: int, keep: str) -> None:
        held = self.pick(self.held, at)
        assert self.finish(held, keep) == "ok"
        self.held.remove(held)
        self.model.drop(held.id)
        if keep == "0":
            del self.model.jobs[held.id]
        else:
            self.model.completed.add(held.id)
            self.model.jobs[held.id].last = held.token
            assert self.finish(held, keep) == "written"

    def finish(self, held: Held, keep: str) -> str:
        result = Result(held.id, held.token, b"1", keep, "")
        words, _ = self.do(self.scripts.complete([result], limit=0, token="", lock_ms=LOCK_MS))
        return str(words[0])

    def blame(self, held: Held) -> Blame:
        return Blame(
            job_id=held.id, token=held.token, attempts_made=held.made + 1, reason="r", trace="t", trace_limit=3
        )

    @precondition(lambda self: self.held)
    @rule(at=positions)
    def fail(self, at: int) -> None:
        held = self.pick(self.held, at)
        assert self.do(self.scripts.fail(self.blame(held), keep="")) == "ok"
        self.held.remove(held)
        self.model.drop(held.id)
        self.model.failed.add(held.id)
        self.model.jobs[held.id].made = held.made + 1

    @precondition(lambda self: self.held)
    @rule(at=positions, delay_ms=st.sampled_from([0, 10_000_000]))
    def fail_and_run_again(self, at: int, delay_ms: int) -> None:
        held = self.pick(self.held, at)
        assert self.do(self.scripts.retry(self.blame(held), delay_ms=delay_ms)) == "ok"
        self.held.remove(held)
        self.model.drop(held.id)
        self.model.jobs[held.id].made = held.made + 1
        self.model.delayed.add(held.id) if delay_ms else self.model.put(held.id)

    @precondition(lambda self: self.held)
    @rule(at=positions, number=st.integers(1, 3))
    def release(self, at: int, number: int) -> None:
        several = [self.pick(self.held, at + n) for n in range(min(number, len(self.held)))]
        words = self.do(self.scripts.release((held.id, held.token) for held in several))
        assert words == ["ok"] * len(several)
        for held in several:
            self.held.remove(held)
            self.model.drop(held.id)
            self.model.line.append(held.id)

    @precondition(lambda self: self.model.delayed)
    @rule(at=positions, by_hand=st.booleans())
    def a_delay_ends(self, at: int, *, by_hand: bool) -> None:
        job_id = self.pick(sorted(self.model.delayed), at)
        if by_hand:
            self.do(self.queue.promote(job_id))
        else:
            self.client.zadd(self.queue.keys.delayed, {job_id: 4096})
            assert self.do(self.scripts.promote("me", 10))[0] == 1
        self.model.drop(job_id)
        self.model.put(job_id)

    @rule()
    def pause(self) -> None:
        self.do(self.queue.pause())
        self.model.is_paused = True

    @rule()
    def resume(self) -> None:
        self.do(self.queue.resume())
        self.model.is_paused = False

    @precondition(lambda self: self.model.jobs)
    @rule(at=positions)
    def remove(self, at: int) -> None:
        job_id = self.pick(sorted(self.model.jobs), at)
        if job_id in self.model.active:
            try:
                self.do(self.queue.remove(job_id))
            except QueueError:
                return
            raise AssertionError("a running job was removed")
        assert self.do(self.queue.remove(job_id))
        self.model.drop(job_id)
        del self.model.jobs[job_id]

    @precondition(lambda self: self.model.failed)
    @rule(at=positions, fresh=st.booleans())
    def run_a_failed_one_again(self, at: int, *, fresh: bool) -> None:
        job_id = self.pick(sorted(self.model.failed), at)
        self.do(self.queue.retry(job_id, fresh=fresh))
        self.model.drop(job_id)
        self.model.put(job_id)
        if fresh:
            self.model.jobs[job_id].made = self.model.jobs[job_id].stalled = 0

    @rule()
    def recover(self) -> None:
        """Somebody notices that a worker is dead."""
        found = self.do(self.scripts.recover(AT_ONCE))
        lost = [job_id for job_id in self.model.active if self.model.jobs[job_id].owner.startswith(DEAD)]
        assert [each.job_id for each in found] == lost
        for each in found:
            job = self.model.jobs[each.job_id]
            job.stalled += 1
            job.owner = ""
            self.model.drop(each.job_id)
            if job.stalled > MAX_STALLED:
                assert each.to == "failed"
                self.model.failed.add(each.job_id)
            else:
                assert each.to == "wait"
                self.model.line.append(each.job_id)
        self.zombies += [held for held in self.held if held.id in lost]
        self.held = [held for held in self.held if held.id not in lost]

    @precondition(lambda self: self.model.line and not self.model.is_paused)
    @rule(limit=st.integers(1, 2))
    def a_worker_dies_with_jobs(self, limit: int) -> None:
        self.take(limit, DEAD)
        self.recover()

    @precondition(lambda self: self.zombies)
    @rule(at=positions, how=st.sampled_from(["complete", "fail", "retry", "release"]))
    def a_zombie_writes(self, at: int, how: str) -> None:
        zombie = self.pick(self.zombies, at)
        word = {
            "complete": lambda: self.finish(zombie, ""),
            "fail": lambda: self.do(self.scripts.fail(self.blame(zombie), keep="")),
            "retry": lambda: self.do(self.scripts.retry(self.blame(zombie), delay_ms=0)),
            "release": lambda: self.do(self.scripts.release([(zombie.id, zombie.token)]))[0],
        }[how]()
        assert word == ("lock_lost" if zombie.id in self.model.jobs else "missing")

    @precondition(lambda self: self.zombies)
    @rule(at=positions)
    def a_zombie_claims_its_job_again(self, at: int) -> None:
        zombie = self.pick(self.zombies, at)
        job, model = self.model.jobs.get(zombie.id), self.model
        (word,) = self.thread.reclaim(LOCK_MS, [(zombie.id, zombie.token, zombie.opts, zombie.made)])
        if job is None:
            assert word == "missing"
        elif word == "ok":
            assert zombie.id in model.line or zombie.id in model.delayed or job.owner.startswith(DEAD)
            assert job.made <= zombie.made
            self.held = [held for held in self.held if held.id != zombie.id]
            if zombie.id not in model.active:
                model.drop(zombie.id)
                model.active.insert(0, zombie.id)
            job.owner = zombie.token
            self.zombies.remove(zombie)
            self.held.append(zombie)
        else:
            assert word == "lock_lost"
            is_free = zombie.id in model.line or zombie.id in model.delayed
            assert not (is_free and job.made <= zombie.made and self.is_the_same(zombie))

    def is_the_same(self, zombie: Held) -> bool:
        opts = self.client.hget(f"bull:q:{zombie.id}", "opts")
        return opts == zombie.opts.decode()

    @invariant()
    def the_queue_holds_what_the_model_holds(self) -> None:
        client, keys, model = self.client, self.queue.keys, self.model
        waiting, other = (keys.paused, keys.wait) if model.is_paused else (keys.wait, keys.paused)
        assert client.lrange(waiting, 0, -1) == model.line
        assert client.lrange(other, 0, -1) == []
        assert client.lrange(keys.active, 0, -1) == model.active
        assert {
            job_id: int(score) for job_id, score in client.zrange(keys.priority, 0, -1, withscores=True)
        } == model.urgent
        for key, ids in (
            (keys.delayed, model.delayed),
            (keys.completed, model.completed),
            (keys.failed, model.failed),
        ):
            assert set(client.zrange(key, 0, -1)) == ids
        locks = {key.split("bull:q:")[1].removesuffix(":lock") for key in client.scan_iter("bull:q:*:lock", count=1000)}
        assert locks == set(model.active)

    @invariant()
    def each_job_is_in_exactly_one_place(self) -> None:
        model = self.model
        states = self.do(self.queue.states(sorted(model.jobs)))
        line = "paused" if model.is_paused else "wait"
        places: dict[str, list[str]] = {
            line: model.line,
            "active": model.active,
            "delayed": sorted(model.delayed),
            "completed": sorted(model.completed),
            "failed": sorted(model.failed),
        }
        assert sorted(job_id for ids in places.values() for job_id in ids) == sorted(model.jobs)
        assert states == {job_id: state for state, ids in places.items() for job_id in ids}
        counts = {"wait": 0, "paused": 0} | {state: len(ids) for state, ids in places.items()}
        assert self.do(self.queue.counts()) == counts
