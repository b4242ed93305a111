"""The tree of the report: every theme and code with its bar, its description and its quotes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.files.report import ReportNode, colours_of
from holdfast.files.report_words import answers, percent, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branches:
    """The nodes by what is above them."""

    below: Mapping[str | None, Sequence[ReportNode]]
    anchors: Mapping[str, str]
    colours: Mapping[str, str]
    largest: float  # share


def anchors_of(nodes: Sequence[ReportNode]) -> dict[str, str]:
    """Node -> the id of its place in the page."""
    return {node.key: f"n{place}" for place, node in enumerate(nodes, start=1)}


def tree(nodes: Sequence[ReportNode]) -> str:
    """Nested lists of <details>: they open without a script, and with the keyboard."""
    below: dict[str | None, list[ReportNode]] = {}
    for node in nodes:
        below.setdefault(node.parent, []).append(node)
    branches = _Branches(
        below=below,
        anchors=anchors_of(nodes),
        colours=colours_of(nodes),
        largest=max((node.share for node in nodes), default=0.0),
    )
    return _list(below.get(None, []), branches, depth=0)


def _list(nodes: Sequence[ReportNode], branches: _Branches, *, depth: int) -> str:
    return f'<ul class="depth{depth}">{"".join(_item(node, branches, depth) for node in nodes)}</ul>'


def _item(node: ReportNode, branches: _Branches, depth: int) -> str:
    children = branches.below.get(node.key, ())
    kind = "code" if node.is_code else "theme"
    inside = _list(children, branches, depth=depth + 1) if children else ""
    return (
        f'<li id="{branches.anchors[node.key]}" class="{kind} {branches.colours[node.key]}">'
        f"<details{' open' if children else ''}><summary>{_line(node, branches, depth)}</summary>"
        f'<div class="about">{_about(node)}</div>{inside}</details></li>'
    )


def _line(node: ReportNode, branches: _Branches, depth: int) -> str:
    width = 100 * node.share / branches.largest if branches.largest else 0.0
    heading = min(3 + depth, 6)
    return (
        f'<h{heading} dir="auto">{shown(node.name)}</h{heading}>'
        f'<span class="bar" aria-hidden="true"><i style="width:{width:.1f}%"></i></span>'
        f'<span class="n">{node.n_answers:,}<span class="unseen"> {answers(node.n_answers).split()[-1]},</span></span>'
        f'<span class="share">{shown(percent(node.share))}</span>'
    )


def _about(node: ReportNode) -> str:
    parts = [f'<p dir="auto">{shown(node.description)}</p>'] if node.description else []
    if node.is_code:
        phrases = " · ".join(map(shown, node.keyphrases))
        parts += [f'<p class="phrases" dir="auto">{phrases}</p>'] if phrases else []
        parts += [f'<blockquote dir="auto">{shown(quote)}</blockquote>' for quote in node.quotes]
    return "".join(parts)
