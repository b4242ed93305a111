"""The doctor's guide has a row for each of its lines, and no other."""

import re
from pathlib import Path

from holdfast.doctor import NAMES
from holdfast.settings import Settings

GUIDE = Path(__file__).resolve().parents[2] / "docs/how-to/doctor.md"


def test_the_guide_has_every_line_in_the_order_in_which_they_are_shown() -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("## Redis\n")[2]

    assert re.findall(r"^\| `([a-z ]+)` \|", text, re.MULTILINE) == list(NAMES)


def test_the_defaults_it_tells_are_those_of_the_settings() -> None:
    told = dict(re.findall(r"^\| `HOLDFAST_(\w+)` \|.*\| ([^|]+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    fields = Settings.model_fields

    assert told.keys() == {"BACKUP_STAMP", "BACKUP_HOURS", "ALERTS"}
    assert float(told["BACKUP_HOURS"]) == fields["backup_hours"].default
    assert (told["ALERTS"], fields["alerts"].default) == ("`false`", False)
    assert fields["backup_stamp"].default is None
