"""Drill 2: redis-server is killed while calls are under way, stays away for some seconds, and comes back."""

import asyncio
import time
from datetime import UTC, datetime

from holdfast.drill.facts import LogLines, Run
from holdfast.drill.playing import CLUSTERS, Playing, Tell, begin, bounded, first_taken
from holdfast.drill.programs import Program
from holdfast.drill.stage import Stage
from holdfast.drill.watch import until

RECONNECTED_WITHIN = 30.0


async def play_redis(stage: Stage, tell: Tell, *, outage: float) -> Run:
    """Play it with Redis away for so many seconds. Raises HoldfastError when it could not be played to its end."""
    title = f"Redis killed for {outage:g} s"
    async with bounded(title, more=outage):
        await stage.start_programs()
        stage.provider.hold()
        playing = await begin(stage, tell)
        async with playing.watched():
            await playing.first_done()
            killed = datetime.now(UTC)
            await _outage(playing, outage)
            since = datetime.now(UTC)
            await stage.start_redis()
            playing.watch.mark("start", "redis-server")
            tell(f"redis-server {stage.redis.pid} started again on the same folder")
            await _back(playing, killed)
            stage.provider.release()
            await playing.watch.until_ended()
        return await playing.run(
            "redis",
            title,
            resumed_after=first_taken(stage.workers, since=since),
            log=tuple(_lines(worker, killed, since) for worker in stage.workers),
        )


async def _outage(playing: Playing, seconds: float) -> None:
    """Kill it with calls billed and not answered; some are answered while it is away."""
    stage, began = playing.stage, time.monotonic()
    pid = stage.redis.pid
    await stage.kill_redis()
    playing.watch.mark("kill", "redis-server")
    playing.tell(f"redis-server {pid} killed (SIGKILL) with {stage.in_hands} paid calls under way; {playing.progress}")
    answered = stage.provider.release(max(1, stage.in_hands // 2))
    await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))  # an outage is a length of time
    playing.tell(f"{answered} replies came while Redis was away; the status says {playing.progress}")


async def _back(playing: Playing, killed: datetime) -> None:
    """Wait until every worker is connected again and has taken what it can, then look."""
    workers = playing.stage.workers

    async def reconnected() -> bool:
        playing.stage.programs.check()
        return all(worker.events("redis reconnected", since=killed) for worker in workers)

    if await until(reconnected, within=RECONNECTED_WITHIN):
        await playing.held(CLUSTERS - playing.watch.latest.n_completed)
        for worker in workers:
            tries = len(worker.events("retrying connection", since=killed))
            after = worker.events("redis reconnected", since=killed)[-1]["after"]
            playing.tell(
                f"worker {worker.pid}: redis connection lost, retrying connection x {tries}, "
                f"redis reconnected after {after:.1f} s, resuming pending jobs"
            )
    await playing.look("after it came back")


def _lines(worker: Program, killed: datetime, since: datetime) -> LogLines:
    back = worker.events("redis reconnected", since=killed)
    return LogLines(
        worker=worker.pid,
        lost=len(worker.events("redis connection lost", since=killed)),
        reconnected=len(back),
        resuming=len(worker.events("resuming pending jobs", since=since)),
        after=back[-1]["after"] if back else None,
    )
