"""As root, PostgreSQL's user gets just the permissions it needs."""

import pwd
from pathlib import Path

import pytest

from holdfast.embedded.cluster import account_for, let_through
from holdfast.errors import NotConfigured


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_private_folders_above_can_be_passed_but_not_listed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    programs, folder = home / "venv" / "pginstall" / "bin", home / "data" / "postgres"
    programs.mkdir(parents=True)
    folder.mkdir(parents=True)
    (programs / "postgres").touch(mode=0o755)
    (home / "diary").touch(mode=0o600)
    home.chmod(0o700)

    let_through(programs, folder)

    assert mode(home) == 0o701
    assert mode(home / "diary") == 0o600


def test_programs_installed_for_root_alone_become_readable(tmp_path: Path) -> None:
    programs = tmp_path / "wheel" / "pginstall" / "bin"
    programs.mkdir(parents=True, mode=0o700)
    (tmp_path / "wheel.libs").mkdir(mode=0o700)
    (tmp_path / "wheel.libs" / "libpq.so").touch(mode=0o700)
    (programs / "postgres").touch(mode=0o700)
    (programs.parent / "catalog").touch(mode=0o600)
    programs.chmod(0o700)

    let_through(programs, tmp_path)

    assert mode(programs) == 0o705
    assert mode(programs / "postgres") == 0o705
    assert mode(programs.parent / "catalog") == 0o604
    assert mode(tmp_path / "wheel.libs") == 0o705
    assert mode(tmp_path / "wheel.libs" / "libpq.so") == 0o705


def test_a_user_who_is_not_root_runs_postgres_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert account_for(tmp_path) is None


def test_root_without_a_user_nobody_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", unknown)

    with pytest.raises(NotConfigured, match="DATABASE_URL"):
        account_for(tmp_path / "data")
