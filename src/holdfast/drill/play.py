"""All the drills that are asked for, one after the other on the same stage."""

from collections.abc import Sequence

from holdfast.drill.facts import NAMES, Name, Played, Run
from holdfast.drill.persistence_drill import play_persistence
from holdfast.drill.playing import Tell
from holdfast.drill.redis_drill import play_redis
from holdfast.drill.server_drill import play_server
from holdfast.drill.stage import Stage

OUTAGES = (2.0, 20.0)  # seconds that Redis stays away; each is a run of its own
NOT_ASKED = "it was not asked for"
YOURS = (
    "the Redis is yours, and the drill kills no server but its own; `holdfast drill redis --on-my-redis` asks you to "
    "restart it"
)


async def play(stage: Stage, tell: Tell, *, drills: Sequence[Name], outages: Sequence[float] = OUTAGES) -> Played:
    """Play them. Raises HoldfastError when one could not be played to its end."""
    runs: list[Run] = []
    if "server" in drills:
        tell("1. the server is killed")
        runs.append(await play_server(stage, tell))
    for outage in _outages(stage, outages) if "redis" in drills else ():
        tell(f"2. Redis is killed, and stays away for {outage:g} s" if stage.own_redis else "2. Redis is restarted")
        runs.append(await play_redis(stage, tell, outage=outage))
    if "persistence" in drills:
        tell("3. every state in Redis")
        runs.append(await play_persistence(stage, tell))
    return Played(runs=tuple(runs), left_out={name: _why_not(stage, name) for name in NAMES if name not in drills})


def _outages(stage: Stage, outages: Sequence[float]) -> Sequence[float]:
    """A person who restarts their Redis is asked to do so once."""
    return outages if stage.own_redis else outages[:1]


def _why_not(stage: Stage, name: Name) -> str:
    return YOURS if name == "redis" and stage.own_redis is None else NOT_ASKED
