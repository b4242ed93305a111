"""How the suite comes by Node's packages."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.interop import packages
from tests.missing import give_up


def test_the_pins_name_no_address() -> None:
    lock = (packages.SCRIPTS / "package-lock.json").read_text(encoding="utf-8")

    assert '"integrity"' in lock
    assert re.findall(r"resolved|://", lock) == []


@pytest.mark.parametrize(
    ("variable", "outcome"),
    [("", pytest.skip.Exception), ("CI", pytest.fail.Exception), ("HOLDFAST_NOTHING_SKIPPED", pytest.fail.Exception)],
)
def test_without_node_the_tests_are_skipped_with_a_word_but_never_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("HOLDFAST_NOTHING_SKIPPED", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if variable:
        monkeypatch.setenv(variable, "1")

    with pytest.raises(outcome, match="there is no node on PATH"):
        packages.installed()


def test_an_install_that_was_cut_off_is_not_taken_for_a_whole_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in_for_npm(monkeypatch, tmp_path, 'mkdir node_modules\n[ -e "$0.works" ]')

    with pytest.raises(pytest.fail.Exception, match="npm ci could not install"):
        packages.installed()
    assert [path.suffix for path in tmp_path.glob("interop/*/")] == [".part"]

    (tmp_path / "npm.works").touch()
    folder = packages.installed()

    assert (folder / "node_modules").is_dir()
    assert list(tmp_path.glob("interop/*.part")) == []


def test_who_begins_at_the_same_moment_installs_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in_for_npm(monkeypatch, tmp_path, 'echo once >> "$0.ran"; mkdir node_modules; sleep 0.2')

    with ThreadPoolExecutor(3) as workers:
        folders = set(workers.map(lambda _: packages.installed(), range(3)))

    assert len(folders) == 1
    assert (tmp_path / "npm.ran").read_text() == "once\n"


def stand_in_for_npm(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Let `npm` be this script, and the cache empty."""
    node = Path(shutil.which("node") or give_up("this test needs node"))
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{node.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOLDFAST_CACHE", str(folder))
    monkeypatch.setenv("CI", "1")
