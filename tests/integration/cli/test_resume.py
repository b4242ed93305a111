"""A generation that was interrupted, however hard, goes on where it was."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.cli.command import Holdfast, Running

from holdfast.service import FileToImport, GenerationRequest, Service

# In the middle: some clusters are labelled, more are not.
IN_THE_MIDDLE = r"labelling clusters · [1-9]\d* of 12 clusters"
SLOWLY = {"HOLDFAST_LABEL_PACE": "0.9", "HOLDFAST_CONCURRENCY": "2"}


def generation_of(running: Running) -> UUID:
    return UUID(re.search(r"^generation (\S+)$", running.until("^generation "))[1])  # type: ignore[index]


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_ctrl_c_stops_gracefully_and_resume_goes_on(
    holdfast: Holdfast,
    service: Service,
    real_answers: Callable[[int], Path],
    tmp_path: Path,
    sign: signal.Signals,
    code: int,
) -> None:
    out = tmp_path / "out.csv"
    with holdfast.started("generate", real_answers(200), "--clusters=12", "--out", out, **SLOWLY) as running:
        generation_id = generation_of(running)
        running.until(IN_THE_MIDDLE)
        running.send(sign)
        stopped = running.end()

    before = await service.generations.status(generation_id)
    resumed = holdfast.run("resume", str(generation_id))

    assert (stopped.code, stopped.err) == (code, "")
    assert f"holdfast resume {generation_id}" in stopped.out
    assert 0 < before.n_completed < 12
    assert before.ledger.n_in_doubt == 0  # what ran was finished, not cut off
    assert (resumed.code, resumed.err) == (0, "")
    assert len(out.read_text("utf-8").splitlines()) >= 201
    balance = await service.generations.balance(generation_id)
    assert (balance.steps, balance.done_twice, balance.in_doubt, balance.lost) == (12, 0, 0, 0)


@pytest.mark.timeout(240)
async def test_a_second_ctrl_c_does_not_wait_for_the_labels(
    holdfast: Holdfast, service: Service, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    with holdfast.started("generate", real_answers(200), "--clusters=12", "--out", out,
                          HOLDFAST_LABEL_PACE="1000") as running:  # fmt: skip
        generation_id = generation_of(running)
        running.until("labelling clusters")
        running.send(signal.SIGINT)
        running.until("stopping: ")
        running.send(signal.SIGINT)
        insisted = running.end()

    resumed = holdfast.run("resume", str(generation_id))

    assert insisted.code == 130
    assert "Traceback" not in insisted.err
    assert resumed.code == 0
    balance = await service.generations.balance(generation_id)
    assert (balance.steps, balance.done_twice, balance.lost) == (12, 0, 0)
    assert balance.in_doubt == balance.repeated


async def test_kill_9_loses_nothing_and_resume_needs_no_id(
    holdfast: Holdfast, service: Service, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.xlsx"
    with holdfast.started("generate", real_answers(200), "--clusters=12", "--out", out, **SLOWLY) as running:
        generation_id = generation_of(running)
        running.until(IN_THE_MIDDLE)
        running.send(signal.SIGKILL)

    assert not out.exists()
    resumed = holdfast.run("resume")

    assert resumed.code == 0
    assert str(generation_id) in resumed.out
    assert out.exists()
    balance = await service.generations.balance(generation_id)
    assert (balance.steps, balance.done_twice, balance.lost) == (12, 0, 0)
    assert balance.in_doubt == balance.repeated <= 2


def test_resume_of_a_finished_generation_writes_its_table_again(
    holdfast: Holdfast, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    with holdfast.started("generate", real_answers(60), "--clusters=4", "--out", out) as running:
        generation_id = generation_of(running)
        assert running.end().code == 0
    written = out.read_bytes()
    out.unlink()

    assert holdfast.run("resume", str(generation_id)).code == 0
    assert out.read_bytes() == written
    assert holdfast.run("table", str(generation_id), "--out", tmp_path / "other.csv").code == 0
    assert (tmp_path / "other.csv").read_bytes() == written


def test_nothing_to_resume_is_said(holdfast: Holdfast) -> None:
    done = holdfast.run("resume")

    assert done.code == 2
    assert done.err.startswith("error: no generation is under way")


async def test_another_generation_under_way_is_told_of_and_can_be_cancelled(
    holdfast: Holdfast, service: Service, real_answers: Callable[[int], Path], tmp_path: Path
) -> None:
    file, out = FileToImport(path=real_answers(60)), tmp_path / "out.csv"
    category, _ = await service.imports.import_as_category(file, at_least=10)
    older = (await service.generations.start(GenerationRequest(category_id=category.id))).generation.id

    with holdfast.started("generate", file.path, "--clusters=4", "--out", out) as running:
        told = running.until("also going on with another generation")
    cancelled = holdfast.run("cancel", str(older))
    again = holdfast.run("cancel", "00000000-0000-0000-0000-000000000000")

    assert str(older) in told
    assert (cancelled.code, cancelled.out) == (0, f"generation {older} is cancelled\n")
    assert (await service.generations.status(older)).status == "cancelled"
    assert again.code == 2
