"""From a file of answers to a report that a real browser shows."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from tests.browser import browser
from tests.integration.cli.command import Holdfast

from holdfast.service import Service

EVIL = (
    '<script>document.title="taken"</script><img src="http://127.0.0.1:9/x" onerror="document.title=1"> </script> staff'
)

SHOWN = "[...document.querySelectorAll('.tree li.code')].filter(each => each.checkVisibility()).length"
TYPE = """(() => {
  const field = document.querySelector("input");
  field.value = "%s";
  field.dispatchEvent(new Event("input"));
})()"""


def with_evil_answers(answers: Path) -> Path:
    """The file with thirty more answers that would run if they were taken for markup."""
    with answers.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([f"evil{n}", f"{EVIL} {n}", "q"] for n in range(30))
    return answers


async def test_a_browser_shows_every_code_and_asks_the_network_for_nothing(
    holdfast: Holdfast, service: Service, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"

    done = holdfast.run("generate", with_evil_answers(real_answers(300)), "--text-column=answer", "--out", out)

    assert (done.code, done.err) == (0, "")
    assert f"the report is {out}" in done.out
    generation = re.search(r"generation (\S+)", done.out)
    assert generation is not None
    nodes = (await service.generations.hierarchy(generation[1])).nodes  # type: ignore[arg-type]
    with browser(tmp_path) as page:
        page.open(out.as_uri())
        assert page.value("document.title").endswith("· codeframe")
        names = page.value("[...document.querySelectorAll('.tree summary > :first-child')].map(e => e.textContent)")
        assert sorted(names) == sorted(node.name for node in nodes if not node.stands_empty)
        assert page.value("document.querySelectorAll('script').length") == 1
        assert page.value("document.querySelectorAll('img').length") == 0
        assert page.value("document.body.textContent.includes('<script>document.title')"), "shown as it was written"
        assert page.value("document.querySelectorAll('.disc').length") > 3
        assert page.requested == [out.as_uri(), "data:,"][: len(page.requested)]
        assert page.errors == []


async def test_its_filter_its_links_and_its_print_work(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    assert holdfast.run("generate", real_answers(200), "--text-column=answer", "--clusters=8", "--out", out).code == 0
    with browser(tmp_path) as page:
        page.open(out.as_uri())
        every = page.value(SHOWN)

        page.value(TYPE % "no answer says this")
        assert page.value(SHOWN) == 0
        assert page.value("document.querySelector('.found').textContent") == f"0 of {every} codes"
        name = page.value("document.querySelector('.tree li.code summary > :first-child').textContent")
        page.value(TYPE % name.upper())
        assert 1 <= page.value(SHOWN) < every
        page.value(TYPE % "")
        assert page.value(SHOWN) == every

        page.value("document.querySelector('.disc').dispatchEvent(new MouseEvent('mouseenter'))")
        assert "answer" in page.value("document.querySelector('.tip').textContent")
        target = page.value("document.querySelector('.disc').getAttribute('href')")
        opened = "new Promise(done => addEventListener('hashchange', () => setTimeout(done)))"
        page.value(f"(location.hash = '{target}', {opened})")
        assert page.value(f"document.querySelector('{target} > details').open")

        page.value("dispatchEvent(new Event('beforeprint'))")
        assert page.value("document.querySelectorAll('details:not([open])').length") == 0
        assert page.errors == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    assert holdfast.run("generate", real_answers(120), "--text-column=answer", "--out", out).code == 0

    with browser(tmp_path) as page:
        page.ask("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
        page.open(out.as_uri())

        assert page.value("document.documentElement.scrollWidth") == 360


async def test_a_generation_whose_vectors_are_gone_still_has_a_report_that_says_so(
    holdfast: Holdfast, service: Service, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    done = holdfast.run("generate", real_answers(60), "--text-column=answer", "--out", tmp_path / "out.csv")
    generation = re.search(r"generation (\S+)", done.out)
    assert generation is not None
    await service.database.run(
        lambda connection: connection.execute(text("UPDATE holdfast.units SET output = NULL WHERE stage = 'embed'"))
    )

    again = holdfast.run("table", generation[1], "--out", tmp_path / "report.html")

    assert again.code == 0
    assert "note: the report has no map: the vectors of its answers are not kept any more" in again.out
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "There is no map" in page
    assert 'class="code ' in page
