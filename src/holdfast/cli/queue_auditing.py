"""audit: what is wrong in a queue, and its repair."""

import sys
from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from holdfast.cli.exits import FAILED
from holdfast.cli.queue_looking import write_json
from holdfast.cli.screen import screen
from holdfast.cli.words import counted, duration, plain
from holdfast.errors import BadInput
from holdfast.queue import AuditReport, Finding, Queue

SHOWN = 5  # findings of one kind


async def audit_queue(queue: Queue, *, fix: bool, ask: bool, as_json: bool) -> int:
    """`holdfast queue audit`."""
    if fix and ask and not sys.stdin.isatty():
        raise BadInput("there is nobody to ask here; say --fix --yes to mend without asking")
    console = screen()
    if fix and not ask:
        report = await queue.repair(dry_run=False)
        return _tell(console, report, as_json=as_json, fixed=True)
    report = await queue.audit()
    code = _tell(console, report, as_json=as_json, fixed=False)
    if not fix or not report.findings:
        return code
    if not _agreed(console, report):
        console.print("nothing was changed")
        return code
    return _tell(console, await queue.repair(dry_run=False), as_json=as_json, fixed=True)


def _tell(console: Console, report: AuditReport, *, as_json: bool, fixed: bool) -> int:
    if as_json:
        write_json(_report_json(report))
    else:
        _print(console, report, fixed=fixed)
    if fixed:
        return 0 if report.is_complete and all(finding.repaired for finding in report.findings) else FAILED
    return 0 if report.ok else FAILED


def _print(console: Console, report: AuditReport, *, fixed: bool) -> None:
    took = duration(report.took.total_seconds())
    console.print(f"{counted(report.looked_at, 'job')} looked at in {took}", style="dim")
    if not report.findings:
        console.print("each job is in exactly one place, and nothing lies about")
    by_kind = Counter(finding.kind for finding in report.findings)
    for kind, number in by_kind.most_common():
        some = [finding for finding in report.findings if finding.kind == kind]
        console.print(
            Text(f"{number:,} {some[0].kind}: {some[0].meaning}", style="yellow" if kind == "dead_worker" else "red")
        )
        for finding in some[:SHOWN]:
            console.print(Text(f"  {_line(finding)}"))
        if number > SHOWN:
            console.print(Text(f"  … {number - SHOWN:,} more", style="dim"))
        mended = sum(finding.repaired for finding in some)
        told = f"{mended:,} {some[0].remedy}" if fixed else f"with --fix: {some[0].remedy}"
        console.print(Text(f"  {told}", style="green" if fixed and mended == number else "dim"))
    if not report.is_complete:
        console.print("there is more than one audit gathers; mend this and audit again")


def _line(finding: Finding) -> str:
    where = f" · in {' and '.join(finding.places)}" if finding.places else ""
    return f"{plain(finding.subject, 60)}{where}"


def _agreed(console: Console, report: AuditReport) -> bool:
    console.print(f"mend {counted(len(report.findings), 'finding')}? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _report_json(report: AuditReport) -> dict[str, Any]:
    return {
        "queue": report.queue,
        "ok": report.ok,
        "is_complete": report.is_complete,
        "looked_at": report.looked_at,
        "seconds": round(report.took.total_seconds(), 3),
        "findings": [
            {
                "kind": finding.kind,
                "subject": finding.subject,
                "places": list(finding.places),
                "meaning": finding.meaning,
                "remedy": finding.remedy,
                "repaired": finding.repaired,
            }
            for finding in report.findings
        ],
    }
