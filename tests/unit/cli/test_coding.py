"""`holdfast code`: last wave's codes and numbers for new answers, what moved, what is new, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from holdfast.cli.app import app
from holdfast.cli.orders import Order
from holdfast.errors import BadInput, NotConfigured
from holdfast.files import ExportRow, FrameRow, write_table

SAID = {
    "Parking": ["the car park was full", "parking costs too much", "no parking near the door", "car park always full"],
    "Friendly staff": ["friendly staff", "the staff were kind and friendly", "nurses friendly", "kind friendly staff"],
    "Food": ["the food was cold", "cold food again", "hospital food is bad", "food came late and cold"],
}
NUMBERS = {"Parking": 7, "Friendly staff": 3, "Food": 12}


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Words are counted: the same everywhere, and quick."""
    monkeypatch.setattr("holdfast.codeframe.model_files.find_model", lambda **_: None)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    """Last wave as `holdfast table` writes it; a tenth about parking."""
    path = tmp_path / "frame.json"
    told = [(f"{text} {day}", code) for code, texts in SAID.items() for text in texts for day in ("today", "on Monday")]
    rows = [ExportRow(values=(text,), theme=code, code=code, codes=(code,), score=0.9) for text, code in told]
    codes = [
        FrameRow(number=n, level=1, theme=code, code=code, description="", n_answers=8, share=0.3, quote="")
        for code, n in NUMBERS.items()
    ]
    write_table(path, columns=["answer"], rows=rows, frame=codes, summary={})
    return path


def run(tmp_path: Path, frame: Path, answers: list[str], *options: str | Path) -> tuple[Result, Path]:
    file, out = tmp_path / "new.csv", tmp_path / "out.json"
    file.write_text("id,answer\n" + "".join(f"{n},{text}\n" for n, text in enumerate(answers)), encoding="utf-8")
    arguments = ["code", file, "--frame", frame, "--out", out, *options]
    return CliRunner().invoke(app, [str(each) for each in arguments]), out


NEW = [*SAID["Parking"] * 12, *SAID["Food"], *SAID["Friendly staff"], "n/a", ""]


def test_new_answers_get_last_wave_s_codes_and_every_row_is_there(tmp_path: Path, frame: Path) -> None:
    done, out = run(tmp_path, frame, NEW)

    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text("utf-8"))
    expected = [*["Parking"] * 48, *["Food"] * 4, *["Friendly staff"] * 4, "No answer", "No answer"]
    assert [row["answer"] for row in told["answers"]] == NEW
    assert [row["code"] for row in told["answers"]] == expected
    assert {row["code"]: row["number"] for row in told["codeframe"]} == NUMBERS | {"No answer": 999}
    assert {row["number"]: row["answers"] for row in told["codeframe"]} == {7: 48, 3: 4, 12: 4, 999: 2}


def test_a_share_that_moved_is_marked(tmp_path: Path, frame: Path) -> None:
    done, _ = run(tmp_path, frame, NEW)

    parking = next(line for line in done.stdout.splitlines() if "Parking" in line)
    assert "33.3%" in parking
    assert "82.8%" in parking
    assert "*" in parking


def test_confirmed_examples_are_kept_and_teach_their_like(tmp_path: Path, frame: Path) -> None:
    examples = tmp_path / "confirmed.csv"
    quiet = ["quiet at night", "the ward was quiet", "so quiet"]
    examples.write_text("answer,codes\n" + "".join(f"{text},3\n" for text in quiet), encoding="utf-8")

    done, out = run(tmp_path, frame, [*NEW, *quiet, "the ward was so quiet"], "--examples", examples)

    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text("utf-8"))
    assert [row["code"] for row in told["answers"]][-4:] == ["Friendly staff"] * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [("answer,codes\nso quiet,Quiet\n", "no code 'Quiet'"), ("id,codes\n1,3\n", "no column of answers")],
)
def test_examples_that_cannot_teach_are_refused(tmp_path: Path, frame: Path, content: str, message: str) -> None:
    examples = tmp_path / "confirmed.csv"
    examples.write_text(content, encoding="utf-8")

    done, out = run(tmp_path, frame, NEW, "--examples", examples)

    assert isinstance(done.exception, BadInput)
    assert message in str(done.exception)
    assert not out.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"codeframe": [], "answers": []}', '{"codeframe": 1}'])
def test_a_frame_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "frame.json"
    path.write_text(content, encoding="utf-8")

    done, _ = run(tmp_path, path, NEW)

    assert isinstance(done.exception, BadInput)


def test_the_embedder_that_the_settings_name_is_used(
    tmp_path: Path, frame: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_EMBEDDER", "minilm")

    done, out = run(tmp_path, frame, NEW)

    assert isinstance(done.exception, NotConfigured)  # its model is not there; words would be the wrong answer
    assert not out.exists()


def test_generate_takes_examples_from_tables_and_another_generation_s_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered: list[Order] = []

    async def kept(settings: Any, order: Order, stop: Any, *, silent: bool) -> int:
        ordered.append(order)
        return 0

    monkeypatch.setattr("holdfast.cli.generating.generate_table", kept)
    first, second, id_ = tmp_path / "one.csv", tmp_path / "two.json", "0f8e2c1a-0000-0000-0000-000000000000"
    first.write_text("answer,codes\nso quiet,Quiet|Night\nnot looked at,\n", encoding="utf-8")
    second.write_text(json.dumps({"codeframe": [], "answers": [{"text": "lo\0ud", "codes": ["Noise"]}]}), "utf-8")
    examples = ["--examples", str(first), "--examples", str(second)]

    for more in ([], ["--frame-of", id_]):
        arguments = ["generate", str(first), "--out", str(tmp_path / "out.csv"), *examples, *more]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output

    found = [order.config for order in ordered]
    assert [each.examples for each in found] == [(("so quiet", ("Quiet", "Night")), ("loud", ("Noise",)))] * 2
    assert [each.frame_of for each in found] == [None, id_]
