"""A finished codeframe as a report: its nodes, its check, how it was made, and the map of its answers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from holdfast import __version__
from holdfast.files import Report, ReportIssue, ReportMap, ReportMece, ReportNode, write_report
from holdfast.service.confirming import frame_of
from holdfast.service.mapping import NoMap, map_of
from holdfast.service.requests import OFFLINE
from holdfast.service.stages import PREPARE
from holdfast.store import Connection, Database, answers, generations, ledgers, units
from holdfast.store.answers import Category
from holdfast.store.codeframes import StoredNode
from holdfast.store.generations import Generation
from holdfast.store.ledgers import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is kept of a generation."""

    generation: Generation
    category: Category
    nodes: list[StoredNode]
    ledger: Ledger
    prepared: Mapping[str, Any]  # figures of the stage `prepare`


async def write_report_of(database: Database, generation_id: UUID, path: Path) -> list[str]:
    """Write the report; returns notes for the user.

    Raises NotFound, Conflict if there is no codeframe yet, BadInput for a path that will not do.
    """
    found = await database.run(partial(_read, generation_id=generation_id))
    drawn: ReportMap | NoMap = await map_of(database, generation_id, found.nodes)
    await asyncio.to_thread(lambda: write_report(path, _report(found, drawn)))
    return [f"the report has no map: {drawn.reason}"] if isinstance(drawn, NoMap) else []


async def _read(connection: Connection, *, generation_id: UUID) -> _Found:
    generation = await generations.get(connection, generation_id)
    nodes = await frame_of(connection, generation_id)
    prepared = await units.results(connection, generation_id, PREPARE)
    return _Found(
        generation=generation,
        category=await answers.get_category(connection, generation.category_id),
        nodes=nodes,
        ledger=await ledgers.ledger(connection, generation_id),
        prepared=prepared.get(0) or {},
    )


def _report(found: _Found, drawn: ReportMap | NoMap) -> Report:
    result = found.generation.result or {}
    nodes = report_nodes(found.nodes, found.generation.n_answers)
    return Report(
        title=found.category.name,
        question=found.category.question or "",
        said=_said(found.generation),
        figures=_figures(found, nodes),
        nodes=nodes,
        mece=_mece(result["mece"]) if result.get("mece") else None,
        map=drawn.reason if isinstance(drawn, NoMap) else drawn,
        made=_made(found),
        notes=[str(note) for note in result.get("notes", [])],
    )


def report_nodes(nodes: Sequence[StoredNode], n_answers: int) -> list[ReportNode]:
    """The nodes in reading order: each theme followed by what is below it."""
    below: dict[str | None, list[StoredNode]] = {}
    for node in nodes:
        if node.stands_empty:
            continue
        below.setdefault(node.parent_key, []).append(node)

    def walk(parent: str | None) -> list[ReportNode]:
        return [each for node in below.get(parent, []) for each in (_node(node, n_answers), *walk(node.key))]

    return walk(None)


def _node(node: StoredNode, n_answers: int) -> ReportNode:
    return ReportNode(
        key=node.key,
        parent=node.parent_key,
        is_code=node.node_type == "code",
        kind=node.details.get("kind", "content"),
        name=node.name,
        description=node.description,
        keyphrases=tuple(node.details.get("keyphrases", ())),
        n_answers=node.n_answers,
        share=node.n_answers / n_answers if n_answers else 0.0,
        quotes=tuple(example["text"] for example in node.examples),
    )


def _figures(found: _Found, nodes: Sequence[ReportNode]) -> list[tuple[str, str]]:
    generation, result = found.generation, found.generation.result or {}
    codes = [node for node in nodes if node.is_code]
    figures = [
        ("answers", f"{generation.n_answers:,}"),
        ("codes", str(sum(node.kind == "content" for node in codes))),
    ]
    if result.get("n_themes"):
        figures.append(("themes", str(result["n_themes"])))
    figures.append(("in Other", f"{sum(node.share for node in codes if node.kind == 'other'):.1%}".replace("%", " %")))
    if result.get("mece"):
        figures.append(("MECE score", f"{result['mece']['score']:.0f} of 100"))
        if result["mece"].get("stability") is not None:
            figures.append(("stability", f"{result['mece']['stability']:.2f}"))
    if found.ledger.spent:
        figures.append(("cost", _usd(found.ledger.spent)))
    return figures


def _said(generation: Generation) -> str:
    model = str(generation.config.get("model", OFFLINE))
    by = "labelled without a model" if model == OFFLINE else f"labelled by {model}"
    when = f"{generation.finished_at:%d %B %Y}".lstrip("0") + " · " if generation.finished_at else ""
    return f"{when}{by}"


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"


def _mece(found: Mapping[str, Any]) -> ReportMece:
    return ReportMece(
        score=found["score"],
        exclusivity=found["exclusivity"],
        exhaustiveness=found["exhaustiveness"],
        issues=tuple(
            ReportIssue(
                is_error=issue["severity"] == "error", message=issue["message"], nodes=tuple(issue.get("nodes", ()))
            )
            for issue in found["issues"]
        ),
    )


def _made(found: _Found) -> list[tuple[str, str]]:
    generation, config, prepared = found.generation, found.generation.config, found.prepared
    asked = config.get("n_clusters")
    made = [
        ("generation", str(generation.id)),
        ("status", generation.state),
        ("number of codes", f"{asked} asked for" if asked else "estimated"),
        ("hierarchy", str(config.get("hierarchy", "")).replace("_", " ")),
        ("answers compared by", str(prepared.get("embedder", "not kept"))),
        ("different answers", f"{prepared['n_distinct']:,}" if "n_distinct" in prepared else "not kept"),
        ("labels by", str(config.get("model", ""))),
        ("seed", str(config.get("seed", 0))),
        ("started", f"{generation.created_at:%Y-%m-%d %H:%M} UTC"),
    ]
    if generation.finished_at:
        made.append(("finished", f"{generation.finished_at:%Y-%m-%d %H:%M} UTC"))
    if found.ledger.spent:
        made.append(("calls", f"{found.ledger.n_calls:,}, {_usd(found.ledger.spent)}"))
    if found.ledger.n_in_doubt:
        made.append(("calls in doubt", f"{found.ledger.n_in_doubt:,}, at most {_usd(found.ledger.in_doubt)}"))
    return [*made, ("Holdfast", f"{__version__} wrote this report")]
