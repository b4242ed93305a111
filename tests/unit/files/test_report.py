"""The report as a page: whole, self-contained, and nothing in it taken for markup."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from holdfast.errors import BadInput
from holdfast.files import Disc, Dot, Report, ReportIssue, ReportMap, ReportMece, ReportNode, write_report
from holdfast.files.report_page import page

EVIL = "<script>alert(1)</script></style></title>\"' onload=x <!-- &amp; \x00\ud800"
VOID = {"meta", "link", "input", "br"}


def node(key: str, *, parent: str | None = None, **values: object) -> ReportNode:
    plain = ReportNode(
        key=key,
        parent=parent,
        is_code=parent is not None,
        kind="content",
        name=f"Name of {key}",
        description=f"What {key} means",
        keyphrases=("one", "two"),
        n_answers=30,
        share=0.3,
        quotes=(f"a quote of {key}",),
    )
    return replace(plain, **values)  # type: ignore[arg-type]


NODES = (node("theme/1"), node("code/1", parent="theme/1"), node("code/2", parent="theme/1", n_answers=1, share=0.0004))
OTHER = node("other", is_code=True, kind="other")
MAP = ReportMap(
    aspect=1.5,
    discs=(
        Disc(key="code/1", x=0.5, y=0.5, radius=0.2, dots=(Dot(x=0.5, y=0.5, weight=1), Dot(x=0.6, y=0.5, weight=40))),
        Disc(key="other", x=1.1, y=0.5, radius=0.1, dots=(Dot(x=1.1, y=0.5, weight=1),)),
    ),
    n_left_out=7,
)
MECE = ReportMece(
    score=91.6,
    exclusivity=0.9,
    exhaustiveness=0.93,
    issues=(ReportIssue(is_error=True, message="these two are one", nodes=("code/1", "code/2", "gone")),),
)
REPORT = Report(
    title="answers.csv",
    question="What was good?",
    said="25 November 2026",
    figures=[("answers", "1,000")],
    nodes=(*NODES, OTHER),
    mece=MECE,
    map=MAP,
    made=[("seed", "0")],
    notes=["there were fewer"],
)


class Parsed(HTMLParser):
    """Open tags, ids, links, and what the page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        assert not [name for name in named if name.startswith("on")]
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" else []
        self.loaded += [value for name, value in named.items() if name in {"src", "href"} and not value.startswith("#")]
        self.loaded += [tag] if tag in {"img", "iframe", "object", "embed", "use", "image"} else []
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_loads_nothing_and_every_link_leads_somewhere() -> None:
    text = page(REPORT)
    parsed = Parsed(text)

    assert parsed.open == []
    assert parsed.loaded == ["data:,"], "an empty icon, so that no browser asks for one"
    assert not re.search(r"url\(|@import|https?:|//[a-z]", text.replace("// What", ""))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    for shown in (
        "Name of code/2",
        "a quote of code/1",
        "92 of 100",
        "these two are one",
        "there were fewer",
        "7 are not drawn",
    ):
        assert shown in text
    assert "&lt; 0.1 %" in text, "a code that somebody has is not shown as nobody's"


def test_nothing_from_answers_names_or_notes_is_taken_for_markup() -> None:
    evil = [
        replace(each, name=EVIL, description=EVIL, keyphrases=(EVIL,), quotes=(EVIL, EVIL)) for each in (*NODES, OTHER)
    ]
    mece = replace(MECE, issues=(ReportIssue(is_error=False, message=EVIL, nodes=("code/1",)),))
    report = replace(
        REPORT, title=EVIL, question=EVIL, said=EVIL, nodes=evil, mece=mece, made=[(EVIL, EVIL)], notes=[EVIL]
    )

    text = page(report)
    parsed = Parsed(text)

    assert parsed.open == []
    assert parsed.scripts == 1
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert text.encode("utf-8"), "halves of surrogate pairs are gone"
    assert "\x00" not in text
    assert "<script>alert" not in page(replace(REPORT, map=EVIL, mece=None))


def test_the_page_s_policy_lets_its_own_script_run_and_no_other() -> None:
    text = page(REPORT)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)

    assert script is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]


def test_a_report_without_a_map_says_why_and_without_a_check_too() -> None:
    text = page(replace(REPORT, map="the vectors are gone", mece=None))

    assert "There is no map: the vectors are gone." in text
    assert "It was not checked" in text
    assert "<svg" not in text
    assert Parsed(text).open == []


def test_the_map_names_each_disc_and_draws_every_dot() -> None:
    text = page(REPORT)

    assert text.count('class="disc ') == 2
    assert 'aria-label="Name of code/1 (Name of theme/1): 30 answers, 30.0 %"' in text
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", text)) == 3
    widths = [float(width) for width in re.findall(r'stroke-width="([\d.]+)"', text)]
    assert widths[0] > 2 * widths[1], "an answer of forty people is larger than one of one"


def test_it_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")

    with pytest.raises(AttributeError):
        write_report(path, replace(REPORT, mece="nonsense"))  # type: ignore[arg-type]
    assert path.read_text() == "before"
    write_report(path, REPORT)

    assert path.read_text("utf-8") == page(REPORT)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(BadInput, match="there is no folder"):
        write_report(tmp_path / "nowhere" / "report.html", REPORT)
