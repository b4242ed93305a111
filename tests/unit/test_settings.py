"""What the environment says."""

import pytest
from pydantic import ValidationError

from holdfast.settings import Settings

NAMES = (
    "REDIS_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "DATABASE_URL",
    "HOLDFAST_API_KEYS",
    "HOLDFAST_HOSTS",
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_settings_the_embedded_servers_are_meant() -> None:
    settings = Settings()

    assert settings.redis_url is None
    assert settings.database_url is None
    assert settings.home.name == "holdfast"


def test_host_port_and_password_make_a_redis_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", "redis.example.org")
    monkeypatch.setenv("REDIS_PORT", "6380")
    monkeypatch.setenv("REDIS_PASSWORD", "p@ss/word")

    assert Settings().redis_url == "redis://:p%40ss%2Fword@redis.example.org:6380"


def test_a_redis_url_wins_over_host_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://one")
    monkeypatch.setenv("REDIS_HOST", "other")

    assert Settings().redis_url == "rediss://one"


def test_api_keys_and_hosts_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_API_KEYS", " one, two ,,")
    monkeypatch.setenv("HOLDFAST_HOSTS", "survey.example.org,codes.example.org")

    assert Settings().api_keys == ("one", "two")
    assert Settings().hosts == ("survey.example.org", "codes.example.org")


def test_a_home_folder_of_the_user_is_not_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert str(Settings().home) != "/somewhere"


def test_a_value_out_of_bounds_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_CONCURRENCY", "0")

    with pytest.raises(ValidationError, match="concurrency"):
        Settings()
