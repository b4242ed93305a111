"""Drill 2: redis-server is killed while calls are under way, stays away for some seconds, and comes back."""

import asyncio
import time
from datetime import UTC, datetime

from holdfast.drill.facts import LogLines, Run
from holdfast.drill.playing import CLUSTERS, Playing, Tell, begin, bounded, first_taken
from holdfast.drill.programs import Program, when
from holdfast.drill.servers import OwnRedis
from holdfast.drill.stage import Stage
from holdfast.drill.watch import until
from holdfast.errors import HoldfastError

RECONNECTED_WITHIN = 30.0
PERSON_SECONDS = 300.0  # that somebody has to restart a Redis that is theirs


async def play_redis(stage: Stage, tell: Tell, *, outage: float) -> Run:
    """Play it with Redis away for so many seconds. Raises HoldfastError when it could not be played to its end."""
    own = stage.own_redis
    title = f"Redis killed for {outage:g} s" if own else "your Redis restarted"
    async with bounded(title, more=outage if own else PERSON_SECONDS):
        await stage.start_programs()
        stage.provider.hold()
        playing = await begin(stage, tell)
        async with playing.watched():
            await playing.first_done()
            killed = datetime.now(UTC)
            since = await (_outage(playing, own, outage) if own else _restart(playing, killed))
            await _back(playing, killed)
            stage.provider.release()
            await playing.watch.until_ended()
        return await playing.run(
            "redis",
            title,
            resumed_after=first_taken(stage.workers, since=since),
            log=tuple(_lines(worker, killed, since) for worker in stage.workers),
        )


async def _outage(playing: Playing, redis: OwnRedis, seconds: float) -> datetime:
    """Kill it with calls billed and not answered; some are answered while it is away. Says when it was started."""
    stage, began, pid = playing.stage, time.monotonic(), redis.pid
    await asyncio.to_thread(redis.kill)
    playing.watch.mark("kill", "redis-server")
    playing.tell(f"redis-server {pid} killed (SIGKILL) with {stage.in_hands} paid calls under way; {playing.progress}")
    answered = stage.provider.release(max(1, stage.in_hands // 2))
    await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))  # an outage is a length of time
    playing.tell(f"{answered} replies came while Redis was away; the status says {playing.progress}")
    since = datetime.now(UTC)
    await asyncio.to_thread(redis.start)
    playing.watch.mark("start", "redis-server")
    playing.tell(f"redis-server {redis.pid} started again on the same folder")
    return since


async def _restart(playing: Playing, killed: datetime) -> datetime:
    """Ask the person to do it: this Redis is theirs. Says when the first worker had it back."""
    workers = playing.stage.workers
    playing.tell(f"{playing.stage.in_hands} paid calls under way; {playing.progress}")
    playing.tell(f"NOW RESTART YOUR REDIS; the drill waits {PERSON_SECONDS:.0f} s for that")

    async def is_back() -> bool:
        playing.stage.programs.check()
        return any(worker.events("redis reconnected", since=killed) for worker in workers)

    if not await until(is_back, within=PERSON_SECONDS):
        raise HoldfastError(
            f"no worker lost its connection to Redis within {PERSON_SECONDS:.0f} s: nobody restarted it"
        )
    lost = [when(record) for worker in workers for record in worker.events("redis connection lost", since=killed)]
    back = [when(record) for worker in workers for record in worker.events("redis reconnected", since=killed)]
    playing.watch.mark_at("kill", "your Redis", min(lost))
    playing.watch.mark_at("start", "your Redis", min(back))
    return min(back)


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
                f"reconnected after {after:.1f} s"
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
