"""How a command ends when something is wrong."""

import asyncio
from pathlib import Path

import pytest

from holdfast.cli.app import run_app
from holdfast.cli.exits import explain
from holdfast.errors import BadInput, Conflict, HoldfastError, NotConfigured, NotFound, Unavailable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("mend\nit"), 2),
        (NotConfigured("set it"), 2),
        (NotFound(kind="generation", id=7), 2),
        (Conflict("not now"), 1),
        (Unavailable("away"), 1),
    ],
)
def test_what_the_caller_can_mend_is_exit_code_2(
    error: HoldfastError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(error, debug=False, logs=None) == code

    assert capsys.readouterr().err == f"error: {' '.join(str(error).split())}\n"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, asyncio.CancelledError])
def test_ctrl_c_is_no_error_of_ours_once_or_twice(
    kind: type[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: object) -> None:
        raise kind

    monkeypatch.setattr("holdfast.cli.app.app", interrupted)

    assert run_app() == 130
    assert capsys.readouterr().err == ""


def test_an_error_inside_task_groups_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    error = ExceptionGroup("one", [ExceptionGroup("two", [BadInput("mend it")])])

    assert explain(error, debug=False, logs=None) == 2
    assert capsys.readouterr().err == "error: mend it\n"


def test_an_unexpected_error_is_one_line_and_a_private_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ValueError("the patient said: ouch"), debug=False, logs=tmp_path / "logs") == 1

    (kept,) = (tmp_path / "logs").iterdir()
    said = capsys.readouterr().err
    assert said == f"error: something unexpected happened (ValueError); the trace is in {kept}\n"
    assert "ouch" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_written_hides_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.touch()

    assert explain(ValueError(), debug=False, logs=in_the_way) == 1
    assert "HOLDFAST_DEBUG=1" in capsys.readouterr().err


def test_the_trace_is_shown_when_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    explain(ValueError("why"), debug=True, logs=None)

    assert "ValueError: why" in capsys.readouterr().err


def test_a_missing_library_is_told_with_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ModuleNotFoundError(name="sqlalchemy"), debug=False, logs=None) == 2
    assert 'pip install "holdfast[app]"' in capsys.readouterr().err


def test_a_missing_module_of_our_own_is_our_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ModuleNotFoundError(name="holdfast.nowhere"), debug=False, logs=None) == 1
    assert "pip install" not in capsys.readouterr().err
