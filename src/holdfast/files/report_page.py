"""The report as one HTML page that needs nothing else, works without a script, and runs none but its own."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from string import Template

from holdfast.files.report import Fact, Report, ReportIssue, ReportMap, ReportMece, colours_of
from holdfast.files.report_map import drawing
from holdfast.files.report_tree import anchors_of, tree
from holdfast.files.report_words import percent, shown

NAMED = 4  # themes without a colour of their own that the legend names

TEMPLATE, STYLE, SCRIPT = "report.html", "report.css", "report.js"


def page(report: Report) -> str:
    """The whole page. A content security policy names the hash of its own script: no other one runs."""
    script = _file(SCRIPT)
    return Template(_file(TEMPLATE)).substitute(
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        style=_file(STYLE),
        title=shown(report.title),
        question=f'<p class="question" dir="auto">{shown(report.question)}</p>' if report.question else "",
        said=shown(report.said),
        figures="".join(_facts(report.figures)),
        map=_map(report),
        tree=tree(report.nodes),
        n_codes=sum(node.is_code for node in report.nodes),
        mece=_mece(report),
        made="".join(_facts(report.made)),
        notes="".join(f"<li>{shown(note)}</li>" for note in report.notes),
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    for what, value in facts:
        yield f"<div><dt>{shown(what)}</dt><dd>{shown(value)}</dd></div>"


def _map(report: Report) -> str:
    if not isinstance(report.map, ReportMap):
        return f'<p class="absent">There is no map: {shown(report.map)}.</p>'
    return (
        f'<figure class="map">{drawing(report.map, report.nodes)}'
        f'<p class="tip" hidden></p><ul class="legend">{"".join(_legend(report))}</ul>'
        f"<figcaption>{_caption(report.map)}</figcaption></figure>"
    )


def _legend(report: Report) -> Iterator[str]:
    colours, anchors = colours_of(report.nodes), anchors_of(report.nodes)
    tops = [node for node in report.nodes if node.parent is None]
    for node in sorted(tops, key=lambda node: -node.n_answers):
        if colours[node.key] not in {"rest", "none"}:
            yield f'<li class="{colours[node.key]}"><a href="#{anchors[node.key]}">{shown(node.name)}</a></li>'
    for colour in ("rest", "none"):
        names = [node.name for node in tops if colours[node.key] == colour]
        if names:
            said = ", ".join(names) if len(names) <= NAMED else f"{len(names)} others"
            yield f'<li class="{colour}">{shown(said)}</li>'


def _caption(drawn: ReportMap) -> str:
    left_out = f" Of the different answers {drawn.n_left_out:,} are not drawn." if drawn.n_left_out else ""
    return (
        "A dot is an answer, larger where several say the same; a disc is a code, near to the codes it is like. The"
        f" most typical answers are in its middle, the others on the side of the codes they lean to.{left_out}"
    )


def _mece(report: Report) -> str:
    mece = report.mece
    if mece is None:
        return '<p class="absent">It was not checked.</p>'
    anchors = anchors_of(report.nodes)
    names = {node.key: node.name for node in report.nodes}
    issues = "".join(_issue(issue, anchors, names) for issue in mece.issues)
    return f'<p>{_score(mece)}</p><ul class="issues">{issues}</ul>' if issues else f"<p>{_score(mece)}</p>"


def _score(mece: ReportMece) -> str:
    found = "" if mece.issues else " Nothing was found that needs a look."
    return (
        f"<strong>{mece.score:.0f} of 100.</strong> Codes exclude each other to {shown(percent(mece.exclusivity))}, and"
        f" {shown(percent(mece.exhaustiveness))} of the answers fit one of them or are set aside by a rule.{found}"
    )


def _issue(issue: ReportIssue, anchors: dict[str, str], names: dict[str, str]) -> str:
    kind, word = ("error", "Problem") if issue.is_error else ("warning", "Look at")
    links = ", ".join(
        f'<a href="#{anchors[key]}" dir="auto">{shown(names[key])}</a>' for key in issue.nodes if key in anchors
    )
    return (
        f'<li class="{kind}"><span class="pill">{word}</span><div><p>{shown(issue.message)}</p>'
        f"{f'<p>{links}</p>' if links else ''}</div></li>"
    )
