"""Seeded random sequences of operations, done to Node's Bull and to ours, and compared after each."""

import random
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.interop.dumps import Dump
from tests.interop.sides import Options

Operation: TypeAlias = tuple[Any, ...]  # the name of a method of Side, and its arguments

MINUTES_MS = 600_000
# The states a job can be in, and the operations that make sense there; a few that make none are tried as well.
WEIGHTS = {
    "add": 10, "take": 8, "complete": 5, "fail": 6, "progress": 2, "log": 2, "pause": 1, "resume": 2,
    "promote": 3, "retry": 3, "remove": 2, "clean": 0.5, "twice": 1, "nonsense": 1,
}  # fmt: skip


@dataclass
class Sequence:
    """Chooses what to do next, by the seed and by where the jobs are."""

    seed: int
    names: int = 0
    _random: random.Random = field(init=False)
    _keep: list[Options] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        # One bound for all jobs of a sequence: mixed ones are the difference `keeps-what-it-promised`.
        bound = self._random.choice([2, {"count": 3}, {"count": 2, "age": 3600}, {"age": 3600}])
        some = [{}, {"removeOnComplete": True}, {"removeOnFail": True}]
        self._keep = self._random.choice([some, [{"removeOnComplete": bound, "removeOnFail": bound}]])

    def next(self, dump: Dump) -> Operation:
        """The next operation; `dump` is the state both sides are in."""
        while True:
            kind = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if (chosen := self._try(kind, dump)) is not None:
                return chosen

    def _try(self, kind: str, dump: Dump) -> Operation | None:
        """An operation of this kind, None when there is nothing to do it to."""
        pick = self._random.choice
        match kind:
            case "add":
                return ("add", [self._job() for _ in range(pick([1, 1, 1, 2, 4]))])
            case "take":
                return ("take",) if dump.get("wait") and len(dump.get("active", [])) < 3 else None
            case "pause" | "resume":
                return (kind,)
            case "clean":
                return (kind, pick(["completed", "failed", "delayed", "wait"]))
            case _:
                found = self._jobs_for(kind, dump)
                return self._to_one(kind, pick(found)) if found else None

    def _jobs_for(self, kind: str, dump: Dump) -> list[str]:
        """The jobs with which this can be done."""
        every = sorted(key for key, value in dump.items() if isinstance(value, dict) and "opts" in value)
        match kind:
            case "complete" | "fail" | "progress" | "log":
                return list(dump.get("active", []))
            case "promote":
                return [job_id for job_id, *_ in dump.get("delayed", [])]
            case "retry":
                return [
                    job_id for job_id, _ in dump.get("failed", []) if not {"priority", "lifo"} & {*dump[job_id]["opts"]}
                ]
            case "twice":
                return [job_id for job_id in every if job_id.startswith("own-")]
            case _:
                return every

    def _to_one(self, kind: str, job_id: str) -> Operation:
        match kind:
            case "twice":
                return ("add", [("again", {"n": 0}, {"jobId": job_id})])
            case "nonsense":
                return ("promote", job_id)
            case "complete" | "fail" | "progress" | "log":
                return (kind, job_id, self._word(kind))
            case _:
                return (kind, job_id)

    def plans(self, count: int) -> list[tuple[str, Any, Options]]:
        """Jobs that say what each of their attempts does, for workers that run by themselves."""
        jobs = [self._job() for _ in range(count)]
        for _, _, options in jobs:
            if "priority" in options and "backoff" not in options:
                options.pop("attempts", None)  # it would overtake the job that our worker has taken by then
        return [(name, {"plan": [self._step() for _ in range(3)]}, options) for name, _, options in jobs]

    def _step(self) -> dict[str, Any]:
        pick = self._random.choice
        step = pick([{}, {"log": self._word("log")}]) | pick([{}, {"progress": self._random.randrange(1, 100)}])
        return step | pick([{"error": self._word("fail")}, {"value": self._word("complete")}])

    def _word(self, kind: str) -> Any:
        number = self._random.randrange(100)
        if kind == "fail":
            return f"reason {number} \u2603"
        if kind == "log":
            return f"line {number}"
        return self._random.choice([number, number + 0.5, {"n": number, "text": "žluť"}, [number], None])

    def _job(self) -> tuple[str, Any, Options]:
        pick, self.names = self._random.choice, self.names + 1
        options: Options = dict(pick(self._keep))
        options |= pick([{}, {}, {"delay": pick([1, 2, 3]) * MINUTES_MS}])
        options |= pick([{}, {}, {"priority": pick([1, 2, 2, 3, 9])}, {"lifo": True}])
        if "lifo" not in options:
            options |= pick([{}, {"attempts": 2}, {"attempts": 3} | self._backoff()])
        options |= pick([{}, {}, {"timeout": 3_600_000}])
        options |= pick([{}, {}, {}, {"jobId": f"own-{self.names}"}])
        return pick(["email", "report"]), {"n": self.names, "text": "naïve ☃"}, options

    def _backoff(self) -> Options:
        pick = self._random.choice
        return pick(
            [{}, {"backoff": MINUTES_MS}, {"backoff": {"type": pick(["fixed", "exponential"]), "delay": MINUTES_MS}}]
        )
