"""The five criteria: from what was measured to pass or fail, with the figures that say why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from holdfast.drill.facts import LogLines, Money, Name, Played, Run

Verdict: TypeAlias = Literal["pass", "fail", "not played"]
SHOWN_WRONGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One of the five, and what came of it."""

    number: int
    name: str
    verdict: Verdict
    figures: tuple[str, ...]
    wrong: tuple[str, ...]  # what was not as it must be; empty: it passed

    @property
    def shown_wrong(self) -> tuple[str, ...]:
        """The first of them, and how many more there are: a person needs no more, a script has them all."""
        more = len(self.wrong) - SHOWN_WRONGS
        return self.wrong[:SHOWN_WRONGS] + ((f"and {more} more",) if more > 0 else ())


def judge(played: Played) -> tuple[Criterion, ...]:
    """All five, in their order."""
    runs = played.runs
    return (
        _of(1, "goes on after a server restart", _of_drill(played, "server"), _server_figures, _server_wrong),
        _of(
            2, "reconnects and resumes after a Redis restart", _of_drill(played, "redis"), _redis_figures, _redis_wrong
        ),
        _of(3, "the status is accurate", runs, _status_figures, _status_wrong),
        _of(4, "nothing is lost, nothing is done or billed twice", runs, _effect_figures, _effect_wrong),
        _of(5, "persisted in Redis", runs, _look_figures, _look_wrong),
    )


def passed(criteria: Sequence[Criterion]) -> bool:
    """Whether all that was played passed, and anything was."""
    verdicts = {criterion.verdict for criterion in criteria}
    return "fail" not in verdicts and "pass" in verdicts


def dollars(amount: Decimal) -> str:
    """Money to the cent."""
    return f"${amount:.2f}"


def _of_drill(played: Played, drill: Name) -> Sequence[Run]:
    return [run for run in played.runs if run.drill == drill]


def _of(
    number: int,
    name: str,
    runs: Sequence[Run],
    figures: Callable[[Sequence[Run]], Iterator[str]],
    wrong: Callable[[Run], Iterator[str]],
) -> Criterion:
    found = [f"{run.title}: {each}" for run in runs for each in wrong(run)]
    verdict: Verdict = "not played" if not runs else "fail" if found else "pass"
    return Criterion(number=number, name=name, verdict=verdict, figures=tuple(figures(runs)), wrong=tuple(found))


def _server_figures(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        yield f"{run.told_before} of {run.clusters} when killed, {run.told_after} of {run.clusters} when back"
        yield f"{run.completed} of {run.clusters} at the end, {_resumed(run)}"


def _server_wrong(run: Run) -> Iterator[str]:
    if run.told_before is None or run.told_after is None or run.told_after < run.told_before:
        yield f"the status said {run.told_before} before and {run.told_after} after"
    yield from _unfinished(run)


def _redis_figures(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        away = max((lines.after or 0.0 for lines in run.log), default=0.0)
        yield f"{run.title}: {len(run.log)} workers reconnected after {away:.1f} s, {_resumed(run)}"


def _redis_wrong(run: Run) -> Iterator[str]:
    if not run.log:
        yield "no worker was there to lose its connection"
    for lines in run.log:
        yield from (f"worker {lines.worker} did not say {said!r}" for said in _unsaid(lines))
    yield from _unfinished(run)


def _unsaid(lines: LogLines) -> Iterator[str]:
    said = {
        "redis connection lost": lines.lost,
        "redis reconnected": lines.reconnected,
        "resuming pending jobs": lines.resuming,
    }
    yield from (name for name, times in said.items() if not times)


def _unfinished(run: Run) -> Iterator[str]:
    if run.resumed_after is None:
        yield "no job was taken afterwards"
    if run.ended != "completed" or run.completed != run.clusters:
        yield f"ended {run.ended} with {run.completed} of {run.clusters} clusters"


def _resumed(run: Run) -> str:
    return "not resumed" if run.resumed_after is None else f"resumed after {run.resumed_after:.1f} s"


def _status_figures(runs: Sequence[Run]) -> Iterator[str]:
    samples, unanswered = (sum(getattr(run.status, name) for run in runs) for name in ("samples", "unanswered"))
    gap = max((run.status.longest_gap for run in runs), default=0.0)
    yield f"{samples} samples, {sum(run.status.n_wrong for run in runs)} wrong, longest gap {gap:.1f} s"
    yield f"{unanswered} looks while the API was dead"


def _status_wrong(run: Run) -> Iterator[str]:
    yield from run.status.wrong
    if not run.status.samples:
        yield "the status was never read"


def _effect_figures(runs: Sequence[Run]) -> Iterator[str]:
    owed, done = sum(run.balance.owed for run in runs), sum(run.balance.done for run in runs)
    billed, twice = sum(run.money.billed for run in runs), sum(run.money.twice for run in runs)
    doubts = sum(run.money.in_doubt for run in runs)
    usd, listed = (
        sum((getattr(run.money, name) for run in runs), Decimal(0)) for name in ("billed_usd", "in_doubt_usd")
    )
    yield f"{owed} units owed, {done} done, {sum(run.balance.lost for run in runs)} lost"
    yield f"{sum(run.clusters for run in runs)} labels, {billed} calls billed ({dollars(usd)}), {twice} billed twice"
    yield f"{doubts} calls in doubt and listed (at most {dollars(listed)})"


def _effect_wrong(run: Run) -> Iterator[str]:
    balance = run.balance
    if balance.lost or balance.failed:
        yield f"{balance.lost} units lost, {balance.failed} failed of {balance.owed}"
    if balance.done_twice:
        yield f"{balance.done_twice} labels have two replies"
    if run.in_two_states:
        yield f"{run.in_two_states} jobs are in two lists of Redis"
    if run.money.twice > run.cut_off:
        yield f"{run.money.twice} calls billed twice, {run.cut_off} were cut off between bill and reply"
    yield from _money_wrong(run.money, labels=run.clusters)


def _money_wrong(money: Money, *, labels: int) -> Iterator[str]:
    if money.billed - money.twice != labels:
        yield f"{money.billed} calls billed, {money.twice} of them twice, for {labels} labels"
    if money.twice > money.in_doubt:
        yield f"{money.twice} calls billed twice, only {money.in_doubt} listed as in doubt"
    if not money.spent <= money.billed_usd <= money.spent + money.in_doubt_usd:
        listed = f"the ledger {dollars(money.spent)} and {dollars(money.in_doubt_usd)} in doubt"
        yield f"the bill says {dollars(money.billed_usd)}, {listed}"
    if money.reserved:
        yield f"{dollars(money.reserved)} are still reserved"


def _look_figures(runs: Sequence[Run]) -> Iterator[str]:
    looks = [look for run in runs for look in run.looks]
    states = dict.fromkeys(state for look in looks for state in look.by_state)
    yield f"{len(looks)} looks by plain commands, {sum(look.hashes for look in looks)} job hashes compared"
    differ = sum(len(look.wrong) for look in looks)
    yield f"{differ} differ from the database; jobs seen in {', '.join(states) or 'no state'}"


def _look_wrong(run: Run) -> Iterator[str]:
    if not run.looks:
        yield "nobody looked"
    for look in run.looks:
        yield from (f"{look.when}: {each}" for each in look.wrong)
