"""What durability costs a paid label: python benchmarks/generation_overhead.py [--quick].

Real servers and worker processes, a stand-in provider that takes 20 ms a call. First one label after the other, beside
the same calls by the same client with nothing around them; then a generation of 1,000 clusters at a concurrency of 50
against several limits of the provider, which the workers are told. Prints a JSON row for each; --save keeps the rows in
results/ and rewrites the table in README.md.
"""

import argparse
import signal
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from generation.measures import Case, bare_calls, label_stage
from queue_driver import machine, readme
from queue_driver.rows import Row, load, measure, save, select

RESULTS = Path(__file__).parent / "results" / "generation_overhead.json"
MARKER = "generation_overhead"
LATENCY_MS = 20.0
LIMITS = [600.0, 1200.0, 3000.0, 6000.0, None]  # requests a minute; None: no limit
QUICK_LIMITS = [1200.0]


def main() -> None:
    asked = parse()
    if asked.table or asked.check:
        return tell_table(check=asked.check)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    about = machine.describe("", {})
    rows: list[Row] = []
    try:
        alone = 50 if asked.quick else 200
        rows.append(measure({"measure": "bare calls"}, partial(bare_calls, alone, latency_ms=LATENCY_MS)))
        rows.append(stage("overhead", Case(clusters=alone, workers=1, concurrency=1)))
        for rpm in QUICK_LIMITS if asked.quick else LIMITS:
            clusters = 200 if asked.quick else 1000
            rows.append(stage("limit", Case(clusters=clusters, workers=2, concurrency=25, rpm=rpm)))
    finally:
        for file in [*([asked.out] if asked.out else []), *([RESULTS] if asked.save else [])]:
            save(file, about, rows)
        if asked.save:
            tell_table(check=False)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50 labels alone, 200 against one limit")
    parser.add_argument("--out", type=Path, help="also write the rows to this file")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    return parser.parse_args()


def stage(name: str, case: Case) -> Row:
    return measure({"measure": name, **asdict(case)}, partial(label_stage, case))


def tell_table(*, check: bool) -> None:
    text = report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
    readme.tell(MARKER, text, check=check, script="generation_overhead.py")


def report(results: Row) -> str:
    """The rows as the README shows them."""
    about, rows = results["machine"], results["rows"]
    told = (
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}; commit {about['commit']}"
    )
    head = f"{told}; {about['date']}; load average before: {about['load_before']}."
    return "\n\n".join([head, of_a_label(rows), against_limits(select(rows, measure="limit"))])


def of_a_label(rows: list[Row]) -> str:
    bare, unit = select(rows, measure="bare calls"), select(rows, measure="overhead")
    names = {
        "bare_ms": "bare call, ms",
        "unit_p50_ms": "label, ms (median)",
        "statements": "SQL statements",
        "transactions": "transactions",
        "sql_ms": "ms in SQL",
        "workers_cpu_ms": "worker CPU, ms",
        "bare_cpu_ms": "of it a bare call's, ms",
        "postgres_cpu_ms": "PostgreSQL CPU, ms",
        "redis_cpu_ms": "Redis CPU, ms",
    }
    figures = {f"bare_{name}": value for row in bare for name, value in row.items()}
    figures |= {name: value for row in unit for name, value in row.items()}
    return readme.table(list(names.values()), [[readme.number(figures.get(name)) for name in names]])


def against_limits(rows: list[Row]) -> str:
    head = [
        "limit, calls/s",
        "calls/s",
        "of the limit",
        "labels/s with start and end",
        "refused by the provider",
        "bill = ledger",
    ]
    return readme.table(head, [_against(row) for row in rows])


def _against(row: Row) -> list[str]:
    share = row.get("of_limit")
    return [
        readme.number(row["rpm"] / 60) if row["rpm"] else "none",
        readme.number(row.get("calls_per_second")),
        readme.NOTHING if share is None else f"{share:.1%}",
        readme.number(row.get("per_second")),
        readme.number(row.get("refused")),
        str(row.get("bill_is_ledger", row.get("error", ""))).lower(),
    ]


if __name__ == "__main__":
    main()
