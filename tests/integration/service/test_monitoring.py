"""The dashboard, the alert rules and the guide name what `/metrics` really serves, and nothing else."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.service.measured import MODEL, begun, ended, scraped
from tests.service_worker import working

from holdfast.service import Service

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs/how-to/monitoring.md"
RULES = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy/monitoring/dashboard.json").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]

OF_PROMETHEUS = {"job", "instance"}  # labels that the scrape adds
METRIC = re.compile(r"\b((?:holdfast|process)_\w+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
WORTH_TELLING = {  # what to wake somebody for: nobody may drop one by mistake
    "HoldfastDown",
    "HoldfastServerAway",
    "HoldfastNoWorkers",
    "HoldfastQueueWaits",
    "HoldfastReconcilerStopped",
    "HoldfastUnitOwedLong",
    "HoldfastUnitsFailed",
    "HoldfastTakeOvers",
    "HoldfastLockLosses",
    "HoldfastRedisReconnects",
    "HoldfastCallsInDoubt",
    "HoldfastBudgetNearlyUsed",
    "HoldfastProviderClosed",
    "HoldfastJobsLeftAlone",
}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and what it is."""
    for alert in ALERTS:
        yield alert["alert"], alert["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


@pytest.fixture
async def served(paying: Service) -> dict[str, set[str]]:
    """Every metric of a service that has made a paid generation, with its labels."""
    generation_id = await begun(paying, model=MODEL, budget="5")
    scrapes = [await scraped(paying)]  # now something is owed
    async with working(paying):
        await ended(paying, generation_id)
    for kept in (paying.scrapes._redis, paying.scrapes._work, paying.scrapes._money):
        kept._kept = None  # figures are kept for a moment; these are to be those of now
    scrapes.append(await scraped(paying))
    found: dict[str, set[str]] = defaultdict(set)
    for scrape in scrapes:
        for name, labels in scrape.names():
            found[name] |= labels
    return found


async def test_every_metric_and_label_of_alerts_and_dashboard_is_served(served: dict[str, set[str]]) -> None:
    wrong = []
    for place, expression in expressions():
        known = set(OF_PROMETHEUS)
        for name, matchers in METRIC.findall(expression):
            if name not in served:
                wrong.append(f"{place}: nobody serves {name}")
            labels = served.get(name, set()) | OF_PROMETHEUS
            known |= labels
            wrong += [
                f"{place}: {name} has no {label}"
                for label in re.findall(r"(\w+) ?[=!]", matchers)
                if label not in labels
            ]
        grouped = ",".join(GROUPING.findall(expression)).split(",")
        wrong += [f"{place}: groups by {label}" for label in map(str.strip, grouped) if label and label not in known]

    assert wrong == []


async def test_the_guide_lists_every_metric_that_is_served_and_no_other(served: dict[str, set[str]]) -> None:
    listed = set(re.findall(r"^\| `(holdfast_\w+)`", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))

    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served if name.startswith("holdfast_")}
    ours = {name for name in ours if not name.endswith("_created")}  # when a counter began, beside each
    assert listed == ours


def test_every_alert_says_what_it_is_and_links_what_to_do() -> None:
    headings = re.findall(r"^#+ (.*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}

    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"page", "ticket"}, alert["alert"]
        assert len(alert["annotations"]["summary"]) > 20, alert["alert"]
        path, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert ROOT / path == GUIDE
        assert anchor == alert["alert"].lower()
        assert anchor in anchors, alert["alert"]


def test_every_failure_worth_waking_somebody_has_its_alert() -> None:
    assert {alert["alert"] for alert in ALERTS} == WORTH_TELLING
    assert len(ALERTS) == len(WORTH_TELLING)


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "queue"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["targets"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
        used = set(re.findall(r"\$(\w+)", " ".join(target["expr"] for target in panel["targets"])))
        assert used <= {"queue", "__rate_interval"}, panel["title"]


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }

        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
