"""What is said of watching, disk, models and backups' stamps."""

import os
import time
from datetime import timedelta
from pathlib import Path

from tests.unit.doctor.facts import GB, check_line, models

from holdfast.doctor import upkeep_checks as checks
from holdfast.doctor.models import model_facts
from holdfast.doctor.stamps import stamp
from holdfast.settings import Settings


def test_metrics_nobody_reads_are_told_of() -> None:
    check_line(checks.metrics(timedelta(seconds=20)), "ok", "read 20 s ago")
    check_line(checks.metrics(timedelta(minutes=6)), "warn", "read 6 min ago", "scrape_configs")
    check_line(checks.metrics(None), "warn", "nobody has read", "scrape_configs")


def test_alerts_are_what_the_operator_says() -> None:
    check_line(checks.alerts(True), "ok", "HOLDFAST_ALERTS")
    check_line(checks.alerts(False), "warn", "unknown", "HOLDFAST_ALERTS=true")


def test_a_disk_that_gets_full_warns_and_then_fails() -> None:
    check_line(checks.disk(20 * GB, 100 * GB, "/data"), "ok", "20.0 GB free of 100.0 GB in /data")
    check_line(checks.disk(GB, 100 * GB, "/data"), "warn", "1.0 GB free", "df -h '/data'")
    check_line(checks.disk(GB // 8, 100 * GB, "/data"), "fail", "128.0 MB free", "HOLDFAST_HOME")


def test_a_model_in_use_that_cannot_be_called_fails() -> None:
    check_line(checks.provider_keys(models()), "ok", "anthropic set, openai not set; no paid model is in use")
    check_line(checks.provider_keys(models(in_use=("anthropic:a",))), "ok", "enough for anthropic:a")
    missing = models(in_use=("openai:o",), unusable={"openai:o": "set OPENAI_API_KEY"})
    check_line(
        checks.provider_keys(missing), "fail", "openai:o is in use: set OPENAI_API_KEY", "export OPENAI_API_KEY=<key>"
    )


def test_a_model_in_use_without_a_price_fails() -> None:
    check_line(checks.prices(models()), "ok", "no paid model")
    check_line(checks.prices(models(in_use=("anthropic:a",))), "ok", "known for anthropic:a")
    unknown = models(in_use=("openai:o",), unpriced={"openai:o": "no price"})
    check_line(checks.prices(unknown), "fail", "not known for openai:o", """HOLDFAST_PRICES='{"openai:o": {"input":""")


def test_keys_and_prices_are_looked_for_without_a_request_and_never_shown() -> None:
    settings = Settings(anthropic_key="sk-very-secret", openai_key=None, prices={})
    used = ["offline", "anthropic:claude-sonnet-4-5", "openai:my-own-model"]

    found = model_facts(settings, used)

    assert found.in_use == ("anthropic:claude-sonnet-4-5", "openai:my-own-model")
    assert list(found.unusable) == ["openai:my-own-model"]
    assert "OPENAI_API_KEY" in found.unusable["openai:my-own-model"]
    assert list(found.unpriced) == ["openai:my-own-model"]
    assert "sk-very-secret" not in repr(found)


def test_versions_are_told() -> None:
    check_line(checks.versions("1.2.3"), "ok", "Holdfast 1.2.3, Python 3.")


def test_a_stamp_is_the_time_of_a_file_for_each_server_or_for_all(tmp_path: Path) -> None:
    (tmp_path / "redis").touch()
    os.utime(tmp_path / "redis", (time.time() - 7200,) * 2)

    ages = [stamp(tmp_path, of="redis"), stamp(tmp_path / "redis", of="postgresql")]

    assert all(age is not None and 7200 <= age.total_seconds() < 7260 for age in ages)
    assert stamp(tmp_path, of="postgresql") is None
    assert stamp(None, of="redis") is None


def test_a_stamp_of_tomorrow_is_fresh(tmp_path: Path) -> None:
    os.utime(tmp_path, (time.time() + 86_400,) * 2)

    assert stamp(tmp_path / "absent", of="redis") is None
    (tmp_path / "redis").touch()
    os.utime(tmp_path / "redis", (time.time() + 86_400,) * 2)
    assert stamp(tmp_path, of="redis") == timedelta(0)
