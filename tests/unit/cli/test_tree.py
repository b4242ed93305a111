"""A codeframe in the terminal."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console

from holdfast.cli.tree import SHORT, WHOLE, Shape, show_tree, summary
from holdfast.service import Hierarchy, StoredNode
from holdfast.store.generations import Generation

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def node(key: str, parent: str | None, name: str, n_answers: int, *quotes: str) -> StoredNode:
    return StoredNode(
        id=1,
        key=key,
        parent_key=parent,
        node_type="code" if parent else "theme",
        level=2 if parent else 1,
        position=0,
        number=1,
        name=name,
        description="",
        confidence=1.0,
        n_answers=n_answers,
        examples=[{"answer_id": 1, "text": quote} for quote in quotes],
    )


def hierarchy(*nodes: StoredNode) -> Hierarchy:
    generation = Generation(
        id=UUID(int=1),
        category_id=1,
        state="completed",
        config={},
        fingerprint="",
        n_answers=200,
        result={"n_themes": 1, "n_codes": 7, "mece": {"score": 93.6}},
        error=None,
        client=None,
        budget_usd=None,
        estimate=None,
        resumes=0,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
    )
    return Hierarchy(generation=generation, nodes=list(nodes), n_assigned=200)


def shown(frame: Hierarchy, shape: Shape) -> list[str]:
    file = io.StringIO()
    show_tree(Console(file=file, width=100), frame, title="frame", shape=shape)
    return [line.rstrip() for line in file.getvalue().splitlines()]


FRAME = hierarchy(
    node("t", None, "Staff", 50, "quotes of themes are not shown"),
    *(node(f"c{n}", "t", f"Code {n}", 10 - n, "x" * 200, "They were [bold]kind[/] \x1b[2J to me") for n in range(7)),
)


def test_every_code_has_its_count_its_share_and_a_quote_that_fits_its_line() -> None:
    lines = shown(FRAME, WHOLE)

    assert lines[0] == "frame"
    assert lines[1].split() == ["└──", "Staff", "50", "25.0%"]
    assert lines[2].endswith("10   5.0%  “They were [bold]kind[/] [2J to me”")
    assert len(lines) == 9
    assert max(map(len, lines)) <= 100


def test_counts_stand_below_each_other_on_every_level() -> None:
    columns = {line.index("%") for line in shown(FRAME, WHOLE) if "%" in line}

    assert len(columns) == 1


def test_the_short_tree_says_what_it_leaves_out() -> None:
    lines = shown(FRAME, SHORT)

    assert lines[-1].endswith("… 3 more")
    assert not any("“" in line for line in lines)


def test_a_long_quote_is_cut_where_no_short_one_is() -> None:
    lines = shown(hierarchy(node("c", None, "Code", 1, "word " * 100)), WHOLE)

    assert lines[1].endswith("…”")
    assert len(lines[1]) <= 100


def test_the_summary_is_one_line_of_figures() -> None:
    assert summary(FRAME) == "200 answers · 7 codes · 1 theme · MECE score 94 of 100"

    generation = replace(FRAME.generation, result={"n_codes": 7, "mece": {"score": 94.0, "stability": 0.816}})
    stable = replace(FRAME, generation=generation)
    assert summary(stable).endswith("MECE score 94 of 100 · stability 0.82")


def test_an_empty_other_has_no_row_and_a_code_of_the_frame_that_nobody_mentions_has() -> None:
    other = replace(node("other", "theme/apart", "Other", 0), details={"kind": "other"})
    apart = replace(node("theme/apart", None, "No content", 0), details={"kind": "rule"})
    unused = replace(node("code/9", "theme/1", "Parking", 0), details={"kind": "content"})
    frame = hierarchy(node("theme/1", None, "Access", 12), unused, apart, other)

    lines = "\n".join(shown(frame, WHOLE))

    assert "Parking" in lines
    assert "Other" not in lines
    assert "No content" not in lines
    full = [replace(part, n_answers=3) for part in (apart, other)]
    assert "Other" in "\n".join(shown(hierarchy(node("theme/1", None, "Access", 12), *full), WHOLE))
