"""What cannot be used is refused before anything is kept; what can be mended is mended and said."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.cli.command import Done, Holdfast

from holdfast.service import Service

ANSWERS = [
    "The staff were friendly and kind", "Parking is too expensive", "I waited three hours", "The food was cold",
    "Clean rooms and quiet nights", "Nobody answered the phone", "The doctor explained everything",
    "My appointment was cancelled twice", "Nothing to complain about",
]  # fmt: skip


def table(answers: list[str], ids: list[str] | None = None) -> str:
    keys = ids or [str(number) for number in range(len(answers))]
    return "id,answer\n" + "".join(f'{key},"{answer}"\n' for key, answer in zip(keys, answers, strict=True))


def is_refused(done: Done, message: str) -> None:
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert message in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (b"", "answer", "empty"),
        (b"id,answer\n", "answer", "no rows"),
        (table(ANSWERS * 2).encode(), "reply", "'reply'"),
        (table(ANSWERS).encode(), "answer", "at least 10"),
        (table([*ANSWERS, "", "  "]).encode(), "answer", "9 answers and 2 empty ones"),
        (b"%PDF-1.7 \x00\x01\x02", "answer", "PDF"),
    ],
    ids=["empty", "header alone", "missing column", "9 answers", "9 answers and 2 blanks", "no table"],
)
async def test_a_file_that_cannot_be_used_leaves_nothing_behind(
    holdfast: Holdfast, service: Service, tmp_path: Path, content: bytes, column: str, message: str
) -> None:
    file = tmp_path / "answers.csv"
    file.write_bytes(content)

    done = holdfast.run("generate", file, "--text-column", column, "--out", tmp_path / "out.csv")

    is_refused(done, message)
    assert (await service.imports.categories())[1] == 0
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "out.pdf"], ".xlsx"),
        (["--out", "nowhere/out.csv"], "folder"),
        (["--out", "answers.csv"], "is the file with the answers"),
        (["--out", "out.csv", "--clusters", "1"], "between 2 and 200"),
        (["--out", "out.csv", "--min-cluster-size", "99"], "between 2 and 50"),
    ],
)
def test_options_that_cannot_work_are_refused_before_any_server_is_asked(
    home: Path, tmp_path: Path, options: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answers.csv").write_text(table(ANSWERS * 2))
    monkeypatch.chdir(tmp_path)
    nobody = Holdfast(
        REDIS_URL="redis://127.0.0.1:1", DATABASE_URL="postgresql://127.0.0.1:1/x", HOLDFAST_HOME=str(home)
    )

    is_refused(nobody.run("generate", "answers.csv", *options), message)


def test_a_file_that_is_not_there_is_said(holdfast: Holdfast, tmp_path: Path) -> None:
    is_refused(holdfast.run("generate", tmp_path / "gone.csv", "--out", tmp_path / "out.csv"), "there is no file")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (table([*ANSWERS, "Das Essen war kühl … leider “sehr”"] * 2).encode("cp1252"), "1252"),
        (table([*ANSWERS, "a NUL \0 in it"] * 2).encode(), "NUL"),
        (table([*ANSWERS * 2], ["7", "7", *map(str, range(100, 116))]).encode(), "an id that is there already"),
        (table([*ANSWERS * 2, "long " * 10_000]).encode(), ""),
    ],
    ids=["cp1252", "NUL bytes", "duplicate ids", "50,000 characters"],
)
def test_a_file_that_can_be_mended_is_mended_and_said(
    holdfast: Holdfast, tmp_path: Path, content: bytes, note: str
) -> None:
    file, out = tmp_path / "answers.csv", tmp_path / "out.csv"
    file.write_bytes(content)

    done = holdfast.run("generate", file, "--text-column=answer", "--id-column=id", "--clusters=3", "--out", out)

    assert (done.code, done.err) == (0, "")
    assert note in " ".join(line for line in done.out.splitlines() if line.startswith("note: "))
    assert out.exists()


@pytest.mark.parametrize("given", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_generation_is_said(holdfast: Holdfast, given: str, real_answers: Callable[[int], Path]) -> None:
    is_refused(holdfast.run("status", given), given)
    is_refused(holdfast.run("resume", given), given)


def test_a_wrong_variable_is_named(holdfast: Holdfast) -> None:
    is_refused(holdfast.run("worker", HOLDFAST_CONCURRENCY="none"), "HOLDFAST_CONCURRENCY")
    is_refused(holdfast.run("worker", HOLDFAST_FAULT="nonsense"), "HOLDFAST_FAULT")
