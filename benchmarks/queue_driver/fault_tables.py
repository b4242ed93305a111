"""The table of queue_faults.py, made of its raw rows alone."""

from queue_driver import machine
from queue_driver.catalogue import BY_NAME, PEERS, Peer
from queue_driver.faults import FAULTS, LOCK, Fault
from queue_driver.readme import NOTHING, number, table
from queue_driver.rows import Row, select

HEAD = ["", "jobs", "runs a job", "run again", "done twice", "lost", "stuck", "counts off by", "seconds"]


def report(result: Row) -> str:
    """Everything between the markers."""
    rows: list[Row] = result["rows"]
    intro = (
        f"{machine.line(result['machine'])}. {machine.versions(result['machine'])}. "
        f"appendfsync everysec; locks, or what a peer has instead, of {LOCK:g} s; "
        f"at most {result['limit']:g} s after each fault. Jobs: those whose adding was acknowledged. Lost: not run to "
        "their end and no longer in Redis; stuck: in Redis still. Counts: finished and waiting less acknowledged, of "
        "those peers that count."
    )
    sections = [_section(fault, select(rows, fault=fault.name)) for fault in FAULTS]
    return "\n\n".join([intro, *(section for section in sections if section)])


def _section(fault: Fault, rows: list[Row]) -> str:
    if not rows:
        return ""
    seconds = f"Seconds: {fault.seconds}." if fault.seconds else ""
    head = HEAD if fault.seconds else HEAD[:-1]
    body = [_line(peer, row)[: len(head)] for peer in PEERS for row in select(rows, peer=peer.name)]
    title = f"### {fault.title[0].upper()}{fault.title[1:]}"
    notes = [note for row in rows for note in _notes(BY_NAME[row["peer"]], row)]
    return "\n\n".join(part for part in (title, seconds, table(head, body), *notes) if part)


def _notes(peer: Peer, row: Row) -> list[str]:
    refused = f"{peer.title}: {row['refused']} adds not acknowledged: {row['refusal']}" if "refused" in row else ""
    ended = f"{peer.title}: {row.get('workers_ended')} worker(s) ended by themselves and were started again."
    return [note for note in (refused, ended if row.get("workers_ended") else "") if note]


def _line(peer: Peer, row: Row) -> list[str]:
    if "error" in row:
        return [peer.title, f"error: {row['error'][:80]}".replace("|", "/"), *[NOTHING] * 7]
    runs = number(row["runs"] / row["jobs"]) if row["jobs"] else NOTHING
    plain = ("run_again", "done_twice", "lost", "stuck", "count_off")
    figures = [NOTHING if row[name] is None else str(row[name]) for name in plain]
    return [peer.title, str(row["jobs"]), runs, *figures, number(row["resumed_s"])]
