"""How the suite comes by Node's packages."""

import re
import shutil
from pathlib import Path

import pytest
from tests.interop import packages


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
    monkeypatch.setenv("HOLDFAST_CACHE", str(tmp_path))
    monkeypatch.setenv("CI", "1")
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\nmkdir node_modules\n[ -e "$0.works" ]\n')
    npm.chmod(0o755)
    monkeypatch.setenv(
        "PATH", f"{tmp_path}:{Path(shutil.which('node') or pytest.skip('needs node')).parent}:/usr/bin:/bin"
    )

    with pytest.raises(pytest.fail.Exception, match="npm ci could not install"):
        packages.installed()
    assert not list(tmp_path.glob("interop/*/node_modules")) or list(tmp_path.glob("interop/*.part"))

    (tmp_path / "npm.works").touch()
    folder = packages.installed()

    assert (folder / "node_modules").is_dir()
    assert list(tmp_path.glob("interop/*.part")) == []
