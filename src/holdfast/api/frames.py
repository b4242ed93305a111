"""From what the service says of a generation to the bodies that say it over HTTP."""

import hashlib
from typing import Any

from holdfast.api.bodies_codeframes import (
    ErrorBody,
    ExampleBody,
    HierarchyBody,
    MeceBody,
    MeceIssueBody,
    NodeBody,
    ProgressBody,
    UnitBody,
    UnitErrorBody,
)
from holdfast.api.bodies_money import CostBody
from holdfast.service import EndedUnit, Hierarchy, Status

VERSION = 1  # edits will count it up
CLOCKS = {"eta_seconds", "processing_time_ms"}  # they go on by themselves

# Said under the same name by the service and by the API.
_SAME = (
    "generation_id",
    "status",
    "progress",
    "phase",
    "n_clusters",
    "n_completed",
    "n_failed",
    "n_pending",
    "n_running",
    "n_answers",
    "eta_seconds",
    "processing_time_ms",
    "mece_score",
)


def progress_body(status: Status) -> ProgressBody:
    """Where a generation is."""
    ledger = status.ledger
    cost = CostBody.model_validate(
        {
            "spent_usd": ledger.spent,
            "reserved_usd": ledger.reserved,
            "in_doubt_usd": ledger.in_doubt,
            "budget_usd": status.budget,
            "calls": ledger.n_calls,
        }
    )
    error = None if status.error is None else ErrorBody(**status.error)
    return ProgressBody(**{name: getattr(status, name) for name in _SAME}, cost=cost, error=error)


def unit_body(unit: EndedUnit) -> UnitBody:
    """A unit that has ended."""
    return UnitBody(
        unit=f"{unit.stage}/{unit.ordinal}",
        stage=unit.stage,
        ordinal=unit.ordinal,
        state="done" if unit.state == "done" else "failed",
        name=unit.name,
        error=None if unit.error is None else UnitErrorBody(**unit.error),
        finished_at=unit.finished_at,
    )


def progress_digest(progress: ProgressBody) -> str:
    """The same as long as nothing but the clocks has moved."""
    said = progress.model_dump_json(exclude=CLOCKS)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def hierarchy_body(frame: Hierarchy) -> HierarchyBody:
    """A codeframe as a tree."""
    below: dict[str | None, list[Any]] = {}
    for node in frame.nodes:
        below.setdefault(node.parent_key, []).append(node)

    def children(parent: str | None) -> tuple[NodeBody, ...]:
        return tuple(_node(node, frame.generation.n_answers, children(node.key)) for node in below.get(parent, []))

    return HierarchyBody(
        generation_id=frame.generation.id, version=VERSION, mece=_mece(frame), hierarchy=children(None)
    )


def _node(node: Any, n_answers: int, children: tuple[NodeBody, ...]) -> NodeBody:
    return NodeBody(
        id=node.id,
        node_type=node.node_type,
        kind=node.details.get("kind", "content"),
        number=node.number,
        level=node.level,
        name=node.name,
        description=node.description,
        confidence=round(node.confidence, 4),
        keyphrases=tuple(node.details.get("keyphrases", ())),
        frequency=node.n_answers,
        n_answers=node.n_answers,
        share=round(node.n_answers / n_answers, 6) if n_answers else 0.0,
        examples=tuple(ExampleBody(**example) for example in node.examples),
        approval="pending",
        children=children,
    )


def _mece(frame: Hierarchy) -> MeceBody:
    said = (frame.generation.result or {}).get("mece") or {}
    ids = {node.key: node.id for node in frame.nodes}
    issues = tuple(
        MeceIssueBody(**issue | {"nodes": tuple(ids[key] for key in issue["nodes"] if key in ids)})
        for issue in said.get("issues", ())
    )
    figures = {name: said.get(name, 0.0) for name in ("score", "exclusivity", "exhaustiveness")}
    return MeceBody(**figures, issues=issues, stability=said.get("stability"))
