"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template

from holdfast.drill.criteria import SHOWN_WRONGS, Criterion, dollars
from holdfast.drill.facts import Look, Run
from holdfast.drill.report import Report
from holdfast.drill.timeline import timeline

TEMPLATE = "page.html"
MARKS = {"pass": "pass", "fail": "FAIL", "not played": "not played"}


def page(report: Report) -> str:
    """The whole page."""
    template = Template(files(__package__).joinpath(TEMPLATE).read_text("utf-8"))
    counted = {verdict: sum(each.verdict == verdict for each in report.criteria) for verdict in MARKS}
    return template.substitute(
        title=escape(f"Holdfast drill · {'passed' if report.passed else 'failed'}"),
        verdict="pass" if report.passed else "fail",
        headline="It held." if report.passed else "It did not hold.",
        counted=escape(" · ".join(f"{n} {verdict}" for verdict, n in counted.items() if n)),
        when=escape(f"{report.began:%Y-%m-%d %H:%M} UTC"),
        took=f"{report.seconds:.0f} s",
        version=escape(report.version),
        criteria="".join(map(_criterion, report.criteria)),
        runs="".join(map(_run, report.played.runs)),
        left_out="".join(_left_out(report)),
        settings="".join(f"<dt>{escape(each.name)}</dt><dd>{escape(each.value)}</dd>" for each in report.settings),
    )


def _criterion(criterion: Criterion) -> str:
    kind = criterion.verdict.replace(" ", "-")
    return (
        f'<li class="criterion {kind}"><span class="number">{criterion.number}</span>'
        f"<div><h3>{escape(criterion.name)}</h3>{''.join(_lines(criterion))}</div>"
        f'<span class="pill {kind}">{MARKS[criterion.verdict]}</span></li>'
    )


def _lines(criterion: Criterion) -> Iterator[str]:
    yield from (f"<p>{escape(figure)}</p>" for figure in criterion.figures)
    yield from (f'<p class="wrong">{escape(wrong)}</p>' for wrong in criterion.shown_wrong)


def _run(run: Run) -> str:
    facts = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(run))
    rows = "".join(map(_look, run.looks))
    return (
        f'<section class="card"><h2>{escape(run.title)}</h2>'
        f"<figure>{timeline(run)}<figcaption>Clusters done, as the status said it ten times a second</figcaption>"
        f'</figure><dl class="facts">{facts}</dl>'
        f'<div class="scroll"><table><thead><tr><th>Redis, by plain commands</th><th>jobs by state</th>'
        f"<th>hashes</th><th>database</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    money, balance = run.money, run.balance
    yield run.ended, f"{run.completed} of {run.clusters}"
    if run.resumed_after is not None:
        yield "resumed after", f"{run.resumed_after:.1f} s"
    yield "billed", f"{money.billed} calls, {dollars(money.billed_usd)}"
    yield "billed twice", str(money.twice)
    yield "in doubt", f"{money.in_doubt} ({dollars(money.in_doubt_usd)})" if money.in_doubt else "0"
    yield "lost", f"{balance.lost} of {balance.owed} units"
    yield "status", f"{run.status.samples} samples, {run.status.n_wrong} wrong"


def _look(look: Look) -> str:
    states = "".join(f'<span class="state">{n} {escape(state)}</span>' for state, n in look.by_state.items())
    said = '<span class="pill pass">agrees</span>'
    if look.wrong:
        said = "<br>".join(f'<span class="wrong">{escape(each)}</span>' for each in look.wrong[:SHOWN_WRONGS])
    return f"<tr><td>{escape(look.when)}</td><td>{states}</td><td>{look.hashes}</td><td>{said}</td></tr>"


def _left_out(report: Report) -> Iterator[str]:
    for name, why in report.played.left_out.items():
        yield f'<p class="left-out"><b>{escape(name)}</b> was not played: {escape(why)}</p>'
