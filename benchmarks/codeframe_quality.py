"""How near our codeframes come to people's, and others' do: python benchmarks/codeframe_quality.py FOLDER [--quick].

FOLDER holds labelled answers as gzip CSV (`text,label` first; `group` makes many small surveys of one file). Only rows
with a label are scored; every row is coded. Each peer gets the same vectors and runs in an environment of its own,
twice: the second time on the rows in another order. Prints a JSON row for each; --save keeps the rows in results/ and
rewrites the table in README.md.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from codeframe_driver import catalogue, runs, sets, tables
from holdfast.codeframe import open_embedder
from queue_driver import machine, readme
from queue_driver.environments import Environment, NotInstalled, default_cache
from queue_driver.rows import Row, load, measure, save

RESULTS = Path(__file__).parent / "results" / "codeframe_quality.json"
MARKER = "codeframe_quality"
QUICK_ROWS, QUICK_SURVEYS = 1200, 10


def main() -> None:
    asked = parse()
    if asked.table or asked.check:
        return tell_table(check=asked.check)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    os.environ["PEER_MODELS"], os.environ["PEER_EMBEDDER"] = str(asked.models), asked.embedder
    files = {file.name.split(".")[0]: file for file in sorted(asked.folder.glob("*.csv.gz"))}
    files = {name: files[name] for name in asked.sets or files if name in files}
    if not files:
        sys.exit(f"no *.csv.gz in {asked.folder} that was asked for")
    environments = prepared(asked.peers, asked.cache)
    about = machine.describe("", {name: each.versions for name, each in environments.items()})
    rows: list[Row] = load(RESULTS)["rows"] if asked.add else []
    for row in (row for file in files.values() for row in of_set(file, environments, asked)):
        rows = [each for each in rows if (each["set"], each["peer"]) != (row["set"], row["peer"])] + [row]
        for target in [*([asked.out] if asked.out else []), *([RESULTS] if asked.save else [])]:
            save(target, about, rows)  # each at once: a run takes long, and what is measured is not lost with it
    if asked.save:
        tell_table(check=False)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="labelled answers, *.csv.gz")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_ROWS} rows a set, {QUICK_SURVEYS} surveys of many"
    )
    parser.add_argument("--peers", type=readme.listed, default=list(catalogue.BY_NAME), help="names with commas")
    parser.add_argument("--sets", type=readme.listed, help="only these, in this order, names with commas")
    parser.add_argument("--embedder", default="auto", help="auto, minilm or lsa")
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-models")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where the peers' environments are kept")
    parser.add_argument("--limit", type=float, default=runs.LIMIT, help="seconds a peer has for a set")
    parser.add_argument("--out", type=Path, help="also write the rows to this file")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--once", action="store_true", help="without the second run on shuffled rows")
    parser.add_argument("--add", action="store_true", help="keep the rows in results/ that are not measured anew")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    asked = parser.parse_args()
    unknown = [name for name in asked.peers if name not in catalogue.BY_NAME]
    if unknown:
        parser.error(f"no peer is called {', '.join(unknown)}; there are {', '.join(catalogue.BY_NAME)}")
    if asked.folder is None and not (asked.table or asked.check):
        parser.error("name the folder of labelled answers")
    return asked


def prepared(names: list[str], cache: Path) -> dict[str, Environment]:
    """The environments of those that can be installed; the others are named and left out."""
    found = {}
    for name in names:
        try:
            found[name] = catalogue.prepare(catalogue.BY_NAME[name], cache)
        except NotInstalled as error:
            print(f"{name} is left out: {error}", file=sys.stderr, flush=True)
    return found


def of_set(file: Path, environments: dict[str, Environment], asked: argparse.Namespace) -> Iterator[Row]:
    """A row for each peer; nothing for a file in which people used fewer than two codes."""
    sizes = {"most_rows": QUICK_ROWS, "most_surveys": QUICK_SURVEYS} if asked.quick else {}
    read = sets.read(file, **sizes)
    if not read:
        return
    embedder = open_embedder(asked.embedder, cache=asked.models)
    begun = time.perf_counter()
    surveys = [sets.embedded(rows, embedder) for rows in read]
    about = {
        "set": file.name.split(".")[0],
        "answers": sum(len(survey.texts) for survey in surveys),
        "human_codes": float(np.mean([survey.k for survey in surveys])),
        "embedder": embedder.name,
        "embed_s": round(time.perf_counter() - begun, 1),
    }
    for name, environment in environments.items():
        act = partial(runs.row, catalogue.BY_NAME[name], environment, surveys, limit=asked.limit, once=asked.once)
        yield measure(about | {"peer": name}, act) | {"load": round(os.getloadavg()[0], 2)}


def tell_table(*, check: bool) -> None:
    text = tables.report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
    readme.tell(MARKER, text, check=check, script="codeframe_quality.py")


if __name__ == "__main__":
    main()
