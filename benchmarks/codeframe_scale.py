"""Seconds and memory of a codeframe by the number of answers: python benchmarks/codeframe_scale.py [--quick].

The offline pipeline from a CSV file to the finished frame, each size in a process of its own. The answers are real ones
recombined (the first half of one with the second half of another), all different. Prints a JSON row for each size;
--save keeps the rows in results/ and rewrites the table in README.md.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from codeframe_driver import recombined
from queue_driver import machine, readme
from queue_driver.environments import ROOT
from queue_driver.programs import Failed
from queue_driver.rows import Row, load, measure, save

RESULTS = Path(__file__).parent / "results" / "codeframe_scale.json"
PROGRAM = Path(__file__).parent / "codeframe_driver" / "offline.py"
ANSWERS = ROOT / "src" / "holdfast" / "demo" / "answers.csv"
MARKER = "codeframe_scale"
SIZES, QUICK_SIZES, MILLION = [1_000, 10_000, 100_000], [1_000, 3_000], 1_000_000
STAGES = ("read", "prepare", "model", "embed", "cluster", "label", "assemble")


def main() -> None:
    asked = parse()
    if asked.table or asked.check:
        return tell_table(check=asked.check)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    sizes = asked.sizes or (QUICK_SIZES if asked.quick else SIZES) + ([MILLION] if asked.million else [])
    about = machine.describe("", {})
    rows: list[Row] = []
    if asked.add and RESULTS.exists():
        rows = [row for row in load(RESULTS)["rows"] if row["answers"] not in sizes]
    for n in sizes:
        row = measure({"answers": n, "load": round(os.getloadavg()[0], 2)}, partial(of_size, n, asked))
        rows = sorted([*rows, row], key=lambda row: row["answers"])
        for target in [*([asked.out] if asked.out else []), *([RESULTS] if asked.save else [])]:
            save(target, about, rows)
    if asked.save:
        tell_table(check=False)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 and 3,000 answers")
    parser.add_argument("--million", action="store_true", help="1,000,000 answers too")
    parser.add_argument(
        "--sizes", type=lambda text: [int(n) for n in text.split(",")], help="these instead, with commas"
    )
    parser.add_argument("--answers", type=Path, default=ANSWERS, help="CSV file, also .gz: answer or text")
    parser.add_argument(
        "--embedder", default="auto", help="auto, minilm, lsa, or words: no model, for what comes after it"
    )
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-models")
    parser.add_argument("--limit", type=float, default=7200.0, help="seconds for one size")
    parser.add_argument("--out", type=Path, help="also write the rows to this file")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--add", action="store_true", help="with --save: keep the rows of sizes not measured now")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    return parser.parse_args()


def of_size(n: int, asked: argparse.Namespace) -> Row:
    """What the pipeline says of itself, once it has ended well and coded every row."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        file = Path(folder) / "answers.csv"
        recombined.write(asked.answers, file, n)
        command = [sys.executable, str(PROGRAM), str(file), str(asked.models), asked.embedder]
        place = os.pathsep.join([str(ROOT / "src"), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": place},
                stdout=subprocess.PIPE,
                text=True,
                timeout=asked.limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"took longer than {asked.limit:.0f} s") from None
    if done.returncode:
        raise Failed(f"the pipeline ended with {done.returncode}")
    figures = dict(json.loads(done.stdout))
    if figures["rows"] != n:
        raise Failed(f"{figures['rows']} of {n} answers were coded")
    return figures


def tell_table(*, check: bool) -> None:
    text = report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
    readme.tell(MARKER, text, check=check, script="codeframe_scale.py")


def report(results: Row) -> str:
    """The rows as the README shows them."""
    about, rows = results["machine"], results["rows"]
    told = f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}"
    head = ["answers", "vectors", *(f"{stage}, s" for stage in STAGES), "all, s", "peak, MB", "load before"]
    return f"{told}; commit {about['commit']}; {about['date']}.\n\n" + readme.table(head, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    if "error" in row:
        return [f"{row['answers']:,}", row["error"], *[readme.NOTHING] * (len(STAGES) + 3)]
    stages = [readme.number(row[f"{stage}_s"]) for stage in STAGES]
    return [
        f"{row['answers']:,}",
        row["embedder"],
        *stages,
        readme.number(row["seconds"]),
        f"{row['peak_mb']:,}",
        f"{row['load']:.1f}",
    ]


if __name__ == "__main__":
    main()
