"""The deployment checklist as a program: facts in, one line each out, with the exact fix."""

from holdfast.doctor.examination import Doctor
from holdfast.doctor.lines import NAMES, Level, Line, Report
from holdfast.doctor.opening import examined

__all__ = ["NAMES", "Doctor", "Level", "Line", "Report", "examined"]
