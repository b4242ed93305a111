"""Small files are private and written whole; a folder that cannot be used is said with what to do."""

from pathlib import Path

import pytest

from holdfast.embedded.folders import kept_secret, make_private, read_text, write_private
from holdfast.errors import EmbeddedError


def test_a_secret_is_random_private_and_kept(tmp_path: Path) -> None:
    first, other = kept_secret(tmp_path / "a"), kept_secret(tmp_path / "b")

    assert first == kept_secret(tmp_path / "a")
    assert first != other
    assert len(first) == 64
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_given_secret_replaces_the_kept_one(tmp_path: Path) -> None:
    kept_secret(tmp_path / "a")

    assert kept_secret(tmp_path / "a", "mine") == "mine"
    assert kept_secret(tmp_path / "a") == "mine"


def test_a_write_that_fails_leaves_the_old_text_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write_private(tmp_path / "a", "old")
    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(EmbeddedError, match=r"No space left.*HOLDFAST_HOME"):
        write_private(tmp_path / "a", "new")

    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert read_text(tmp_path / "a") == "old"


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "missing") is None


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert make_private(tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_of_the_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EmbeddedError, match="set HOLDFAST_HOME to another folder"):
        make_private(tmp_path / "file" / "home")
