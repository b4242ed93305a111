"""What the demo shows in the end, and whether it held."""

from dataclasses import dataclass

from holdfast.drill import Check, Sampler
from holdfast.service import Balance, Census, Hierarchy, Service, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One SIGKILL and what it hit."""

    what: str
    labels_pending: int  # when it came
    in_hands: int  # labels that were being made by what was killed, or were under way at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was measured."""

    hierarchy: Hierarchy
    status: Status
    balance: Balance
    census: Census
    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        return all(check.held for check in self.checks)


async def audit(service: Service, status: Status, sampler: Sampler[Status], kills: list[Kill]) -> Report:
    """Read database and Redis, and compare. Raises NotFound if there is no codeframe."""
    generations = service.generations
    hierarchy = await generations.hierarchy(status.generation_id)
    balance = await generations.balance(status.generation_id)
    census = await generations.census(status.generation_id)
    checks = (
        _kills_hit(kills),
        _all_coded(hierarchy),
        _nothing_lost(balance),
        _nothing_twice(balance),
        _each_job_once(balance, census),
        _status_true(status, balance, sampler),
    )
    return Report(hierarchy=hierarchy, status=status, balance=balance, census=census, checks=checks)


def _kills_hit(kills: list[Kill]) -> Check:
    hit = [kill for kill in kills if kill.labels_pending and kill.in_hands]
    figures = " · ".join(f"{kill.what}: {kill.in_hands} of {kill.labels_pending} owed" for kill in kills)
    return Check(name="both kills hit labels under way", held=len(hit) == len(kills) == 2, figures=figures or "no kill")


def _all_coded(hierarchy: Hierarchy) -> Check:
    given, coded = hierarchy.generation.n_answers, hierarchy.n_assigned
    return Check(name="every answer is coded", held=given == coded, figures=f"{coded:,} of {given:,}")


def _nothing_lost(balance: Balance) -> Check:
    return Check(
        name="nothing is lost",
        held=balance.lost == 0 and balance.failed == 0,
        figures=f"{balance.owed} units owed, {balance.done} done, {balance.failed} failed",
    )


def _nothing_twice(balance: Balance) -> Check:
    cut_off = f"{balance.in_doubt} calls cut off, {balance.repeated} repeated"
    figures = f"{balance.steps} labels, {balance.done_twice} answered twice; {cut_off}"
    held = balance.done_twice == 0 and balance.repeated == balance.in_doubt
    return Check(name="nothing is done twice", held=held, figures=figures)


def _each_job_once(balance: Balance, census: Census) -> Check:
    found = ", ".join(f"{number} {state}" for state, number in census.by_state.items())
    held = census.in_two_states == 0 and census.by_state == {"completed": balance.owed}
    return Check(name="each job is in one list of Redis", held=held, figures=f"{found} of {balance.owed}")


def _status_true(status: Status, balance: Balance, sampler: Sampler[Status]) -> Check:
    wrong = list(dict.fromkeys(sampler.wrong))
    if status.status == "completed" and status.n_completed != status.n_clusters:
        wrong.append("completed, but not every cluster is")
    if balance.steps != status.n_clusters:
        wrong.append(f"{status.n_clusters} clusters in the status, {balance.steps} labels in the database")
    figures = f"{sampler.samples} samples, longest gap {sampler.longest_gap:.1f} s"
    return Check(name="the status never contradicts", held=not wrong, figures="; ".join([figures, *wrong[:3]]))
