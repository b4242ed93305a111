"""The demo: 1,000 real answers are coded while a worker and then Redis are killed, and everything is counted."""

from holdfast.demo.audit import Report
from holdfast.demo.scenario import ANSWERS, play
from holdfast.demo.stage import LABEL_SECONDS, Stage, open_stage

__all__ = ["ANSWERS", "LABEL_SECONDS", "Report", "Stage", "open_stage", "play"]
