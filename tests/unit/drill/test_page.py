"""The report as a page and as JSON."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from tests.unit.drill.made import LOOK, REDIS, SERVER, played, server

from holdfast.drill import Report, Run, Setting, page, report_json, report_of
from holdfast.drill.facts import Moment
from holdfast.drill.timeline import timeline


def report(*runs: Run) -> Report:
    return report_of(
        played(*runs),
        version="0.1.0",
        began=datetime(2026, 11, 25, 13, 0, tzinfo=UTC),
        seconds=98.2,
        settings=(Setting(name="queue", value="<bull>:codeframe-generation:*"),),
    )


class Parsed(HTMLParser):
    """Open tags, and what the page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [str(value) for name, value in attrs if name in {"src", "href"}]
        self.loaded += [tag] if tag in {"script", "link", "img", "iframe"} else []
        if tag not in {"meta", "br", "rect", "line", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"rect", "line", "circle"}:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = page(report(SERVER, REDIS))
    parsed = Parsed(text)

    assert parsed.open == []
    assert parsed.loaded == []
    assert not re.search(r"url\(|@import|https?:", text)
    assert "It held." in text
    assert text.count("<svg") == 2
    assert "persistence</b> was not played: it was not asked for" in text


def test_what_failed_is_said_and_nothing_is_taken_for_markup() -> None:
    text = page(report(server(looks=(replace(LOOK, wrong=("<script>alert(1)</script>",)),), title="a & b")))

    assert "It did not hold." in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "a &amp; b" in text
    assert "&lt;bull&gt;" in text


def test_the_plot_shows_each_cluster_each_kill_and_the_time_between_kill_and_start() -> None:
    drawing = ET.fromstring(timeline(SERVER))  # noqa: S314 - our own text
    by_class = {name: drawing.findall(f"*[@class='{name}']") for name in ("done", "dot", "outage", "moment kill")}

    assert len(by_class["dot"]) == 3
    assert len(by_class["moment kill"]) == 1
    assert len(by_class["outage"]) == 1
    assert "✕ kill -9 API and 2 workers · 12.5 s" in timeline(SERVER)
    kill, start = (float(each.attrib["x1"]) for each in drawing.findall("line") if "moment" in each.attrib["class"])
    assert abs(float(by_class["outage"][0].attrib["width"]) - (start - kill)) < 0.2


def test_a_plot_of_nothing_and_of_many_moments_is_still_a_plot() -> None:
    moments = tuple(Moment(at=n / 10, kind="note", what=f"note {n}") for n in range(9))

    assert ET.fromstring(timeline(server(line=(), moments=(), seconds=0.0))) is not None  # noqa: S314
    assert timeline(server(moments=moments)).count('class="label note"') == 9


def test_the_json_says_the_same_in_plain_values() -> None:
    told = json.loads(json.dumps(report_json(report(SERVER))))

    assert told["passed"] is True
    assert told["began"] == "2026-11-25T13:00:00+00:00"
    assert [each["verdict"] for each in told["criteria"]] == ["pass", "not played", "pass", "pass", "pass"]
    assert told["runs"][0]["money"]["billed_usd"] == "15.00"
    assert told["runs"][0]["line"][-1] == {"at": 30.1, "done": 10}
    assert told["left_out"] == {"persistence": "it was not asked for"}
