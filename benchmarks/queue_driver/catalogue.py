"""The queues that are compared: what each is installed from, and where it keeps the jobs that are still to be done."""

from dataclasses import dataclass

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One queue, and what the driver must know of it."""

    name: str
    title: str
    program: str  # in queue_peers/
    packages: tuple[str, ...]  # pinned; of npm where the program is a .cjs
    left: tuple[Command, ...]  # Redis commands whose numbers add up to the jobs that are not done yet
    finished: tuple[Command, ...] = ()  # the same for done jobs, where they are counted
    fast: bool = False  # near enough to ours for repetitions to matter
    take_over: str = ""  # why its take-over is not measured by default: its documented time, or none
    concurrencies: tuple[int, ...] = (1, 10, 100)
    pending_groups: str = ""  # stream whose consumer group says what is left

    @property
    def is_node(self) -> bool:
        return self.program.endswith(".cjs")


_BULL = (("LLEN", "bull:bench:wait"), ("LLEN", "bull:bench:active"), ("ZCARD", "bull:bench:delayed"))
_BULL_DONE = (("ZCARD", "bull:bench:completed"),)

PEERS = (
    Peer(
        name="holdfast",
        title="Holdfast",
        program="with_holdfast.py",
        packages=("uvloop==0.23.0",),  # beside what pyproject.toml asks for; the code is the checkout's
        left=_BULL,
        finished=_BULL_DONE,
        fast=True,
    ),
    Peer(
        name="bull",
        title="Bull (Node)",
        program="with_bull.cjs",
        packages=("bull@4.16.5", "ioredis@5.11.1"),
        left=_BULL,
        finished=_BULL_DONE,
        fast=True,
    ),
    Peer(
        name="bullmq",
        title="BullMQ (Node)",
        program="with_bullmq.cjs",
        packages=("bullmq@6.7.0", "ioredis@5.11.1"),
        left=(*_BULL, ("ZCARD", "bull:bench:prioritized")),
        finished=_BULL_DONE,
        fast=True,
    ),
    Peer(
        name="bullmq-py",
        title="BullMQ (Python)",
        program="with_bullmq.py",
        packages=("bullmq==3.4.4", "uvloop==0.23.0"),
        left=(*_BULL, ("ZCARD", "bull:bench:prioritized")),
        finished=_BULL_DONE,
    ),
    Peer(
        name="rq",
        title="RQ",
        program="with_rq.py",
        packages=("rq==2.12.0",),
        left=(("LLEN", "rq:queue:bench"), ("ZCARD", "rq:wip:bench")),
        finished=(("ZCARD", "rq:finished:bench"),),
        take_over="10 min",
        concurrencies=(1, 10),
    ),
    Peer(
        name="arq",
        title="arq",
        program="with_arq.py",
        packages=("arq==0.28.0", "uvloop==0.23.0"),
        left=(("ZCARD", "arq:queue"),),
        take_over="310 s",
    ),
    Peer(
        name="saq",
        title="SAQ",
        program="with_saq.py",
        packages=("saq[redis,hiredis]==0.26.4", "typing_extensions", "uvloop==0.23.0"),
        left=(("ZCARD", "saq:bench:incomplete"),),
    ),
    Peer(
        name="celery",
        title="Celery",
        program="with_celery.py",
        packages=("celery[redis]==5.7.0",),
        left=(("LLEN", "celery"), ("HLEN", "unacked")),
        take_over="1 h",
    ),
    Peer(
        name="dramatiq",
        title="Dramatiq",
        program="with_dramatiq.py",
        packages=("dramatiq[redis]==2.2.1",),
        left=(("HLEN", "dramatiq:default.msgs"),),
    ),
    Peer(
        name="taskiq",
        title="taskiq",
        program="with_taskiq.py",
        packages=("taskiq==0.13.0", "taskiq-redis==1.2.4", "uvloop==0.23.0"),
        left=(),
        pending_groups="taskiq",
        take_over="10 min",
    ),
    Peer(
        name="streaq",
        title="streaQ",
        program="with_streaq.py",
        packages=("streaq==7.2.0", "uvloop==0.23.0"),
        left=(),
        pending_groups="streaq:bench:queues:normal",
    ),
    Peer(
        name="huey",
        title="Huey",
        program="with_huey.py",
        packages=("huey==3.5.4", "redis==8.1.0"),
        left=(("LLEN", "huey.redis.bench"),),
        take_over="none",
    ),
)
BY_NAME = {peer.name: peer for peer in PEERS}
