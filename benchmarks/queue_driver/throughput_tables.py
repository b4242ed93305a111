"""The tables of queue_throughput.py, made of its raw rows alone."""

from collections.abc import Sequence
from typing import Any

from queue_driver import machine
from queue_driver.catalogue import PEERS, Peer
from queue_driver.readme import NOTHING, number, table
from queue_driver.rows import Row, error, median, select

Column = tuple[str, str, dict[str, Any]]  # heading, figure, which rows


def report(result: Row) -> str:
    """Everything between the markers."""
    rows = [_with_kept(row, result["rows"]) for row in result["rows"]]
    peers = [peer for peer in PEERS if select(rows, peer=peer.name)]
    parts = [
        _introduction(result),
        _section("Jobs a second that do nothing", rows, peers, _rate_columns(rows), higher=True),
        _section("Adds a second, by one producer", rows, peers, _add_columns(rows), higher=True),
        _section("On an idle queue, and after a SIGKILL", rows, peers, _idle_columns(rows), higher=False),
        _section("What one job costs", rows, peers, _cost_columns(rows), higher=False),
        _backlog(rows),
        _errors(rows),
    ]
    return "\n\n".join(part for part in parts if part)


def _with_kept(row: Row, rows: list[Row]) -> Row:
    """What a done job still takes is what a waiting one takes and what came to it."""
    waiting = median(rows, "memory_per_job", measure="add bulk", peer=row["peer"], fsync=row.get("fsync"))
    if waiting is None or "memory_growth_per_job" not in row:
        return row
    return row | {"memory_kept_per_job": max(0.0, waiting + row["memory_growth_per_job"])}


def _introduction(result: Row) -> str:
    times = (
        "one run of each" if result["repeat"] == 1 else f"medians of {result['repeat']} for ours and Node's, one else"
    )
    return (
        f"{machine.line(result['machine'])}; {times}. {machine.versions(result['machine'])}. "
        "Behind a peer's figure: how many times better ours is."
    )


def _section(title: str, rows: list[Row], peers: Sequence[Peer], columns: Sequence[Column], *, higher: bool) -> str:
    if not columns:
        return ""
    head = ["", *(heading for heading, _, _ in columns)]
    body = [[peer.title, *(_cell(rows, peer, column, higher=higher) for column in columns)] for peer in peers]
    return f"### {title}\n\n{table(head, body)}"


def _cell(rows: list[Row], peer: Peer, column: Column, *, higher: bool) -> str:
    _, figure, wanted = column
    theirs = median(rows, figure, peer=peer.name, **wanted)
    if theirs is None:
        return _why_not(rows, peer, figure, wanted)
    ours = median(rows, figure, peer="holdfast", **wanted)
    if peer.name == "holdfast" or not ours or not theirs:
        return number(theirs)
    ratio = ours / theirs if higher else theirs / ours
    return f"{number(theirs)} ({number(ratio)}x)"


def _why_not(rows: list[Row], peer: Peer, figure: str, wanted: dict[str, Any]) -> str:
    if figure == "last_s":
        tried = select(rows, peer=peer.name, **wanted)
        limits = [row["limit"] for row in tried if "limit" in row]
        return f"> {limits[0]:g}" if limits else peer.take_over or NOTHING
    return "error" if error(rows, peer=peer.name, **wanted) else NOTHING


def _rate_columns(rows: list[Row]) -> list[Column]:
    rates = select(rows, measure="rate", waiting=_usual_waiting(rows))
    kinds = sorted(
        {(row["fsync"], row["workers"], row["concurrency"]) for row in rates},
        key=lambda kind: (kind[0] != "everysec", kind),
    )
    return [
        (
            f"{fsync}, {concurrency}" + (f", {workers} workers" if workers > 1 else ""),
            "jobs_per_second",
            {"measure": "rate", "fsync": fsync, "workers": workers, "concurrency": concurrency}
            | {"waiting": _usual_waiting(rows)},
        )
        for fsync, workers, concurrency in kinds
    ]


def _usual_waiting(rows: list[Row]) -> int:
    return min((int(row["waiting"]) for row in select(rows, measure="rate")), default=0)


def _add_columns(rows: list[Row]) -> list[Column]:
    kinds = [(how, fsync) for fsync in ("everysec", "always") for how in ("single", "bulk")]
    return [
        (f"{how}, {fsync}", "adds_per_second", {"measure": f"add {how}", "fsync": fsync})
        for how, fsync in kinds
        if select(rows, measure=f"add {how}", fsync=fsync)
    ]


def _idle_columns(rows: list[Row]) -> list[Column]:
    columns: list[Column] = []
    if select(rows, measure="pick-up"):
        columns += [
            ("pick-up p50, ms", "p50_ms", {"measure": "pick-up"}),
            ("pick-up p99, ms", "p99_ms", {"measure": "pick-up"}),
            ("idle requests/s", "idle_reads_per_second", {"measure": "pick-up"}),
            ("with those of scripts", "idle_commands_per_second", {"measure": "pick-up"}),
            ("idle worker CPU, %", "idle_worker_cpu_percent", {"measure": "pick-up"}),
        ]
    if select(rows, measure="take-over"):
        columns.append(("take-over, s", "last_s", {"measure": "take-over"}))
    return columns


def _cost_columns(rows: list[Row]) -> list[Column]:
    usual: dict[str, Any] = {"fsync": "everysec", "concurrency": 10, "workers": 1}
    of_rate = {"measure": "rate", "waiting": _usual_waiting(rows)} | usual
    if not select(rows, **of_rate):
        return []
    figures = [
        ("commands", "commands_per_job"),
        ("requests", "reads_per_job"),
        ("Redis CPU, µs", "redis_us_per_job"),
        ("worker CPU, µs", "worker_us_per_job"),
        ("bytes on the wire", "net_bytes_per_job"),
    ]
    waiting: Column = ("bytes waiting", "memory_per_job", {"measure": "add bulk", "fsync": "everysec"})
    kept: Column = ("bytes when done", "memory_kept_per_job", of_rate)
    return [*((heading, figure, of_rate) for heading, figure in figures), waiting, kept]


def _backlog(rows: list[Row]) -> str:
    measures = {"rate", "rate with active", "prioritized add"}
    usual = _usual_waiting(rows)
    special = [row for row in rows if row["measure"] in measures]
    special = [row for row in special if row["measure"] != "rate" or row["waiting"] != usual]
    kinds = list(
        dict.fromkeys((row["measure"], row.get("concurrency"), row["waiting"], row.get("active")) for row in special)
    )
    if not kinds:
        return ""
    peers = [peer for peer in PEERS if select(special, peer=peer.name)]
    body = []
    for measure, concurrency, waiting, active in kinds:
        wanted = {"measure": measure, "concurrency": concurrency, "waiting": waiting, "active": active}
        cells = [_beside_usual(rows, peer, wanted, usual) for peer in peers]
        body.append([_named(measure, concurrency, waiting, active), *cells])
    return "### With many jobs\n\n" + table(["", *(peer.title for peer in peers)], body)


def _named(measure: str, concurrency: int | None, waiting: int, active: int | None) -> str:
    if measure == "prioritized add":
        return f"prioritized adds/s among {waiting:,} waiting"
    more = f", {active:,} active" if active else ""
    return f"jobs/s at concurrency {concurrency}, {waiting:,} waiting{more} (share of {'the usual rate'})"


def _beside_usual(rows: list[Row], peer: Peer, wanted: dict[str, Any], usual: int) -> str:
    if wanted["measure"] == "prioritized add":
        return _cell(rows, peer, ("", "adds_per_second", wanted), higher=True)
    value = median(rows, "jobs_per_second", peer=peer.name, **wanted)
    plain_rate = {"measure": "rate", "fsync": "everysec", "workers": 1, "waiting": usual}
    plain = median(rows, "jobs_per_second", peer=peer.name, concurrency=wanted["concurrency"], **plain_rate)
    if value is None:
        return "error" if error(rows, peer=peer.name, **wanted) else NOTHING
    return number(value) + (f" ({value / plain:.0%})" if plain else "")


def _errors(rows: list[Row]) -> str:
    found = [row for row in rows if "error" in row]
    lines = [f"- {row['peer']}, {row['measure']}, {row.get('fsync')}: {row['error'][:160]}" for row in found]
    return "Errors:\n\n" + "\n".join(dict.fromkeys(lines)) if lines else ""
