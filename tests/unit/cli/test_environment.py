"""What the environment says is checked once, and named when it is wrong."""

import pytest

from holdfast.cli.environment import read_settings
from holdfast.errors import NotConfigured


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HOLDFAST_PORT", "http"), ("REDIS_PORT", "x"), ("HOLDFAST_CONCURRENCY", "0"), ("HOLDFAST_LOG", "xml")],
)
def test_a_wrong_variable_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(NotConfigured, match=f"^{variable}: "):
        read_settings()


def test_the_value_of_a_wrong_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PORT", "6379:password")

    with pytest.raises(NotConfigured) as raised:
        read_settings()

    assert "password" not in str(raised.value)
