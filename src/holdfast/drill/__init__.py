"""The persistence drills: kill things on purpose and check the five criteria."""

from holdfast.drill.criteria import Criterion, judge, passed
from holdfast.drill.facts import NAMES, Name, Played, Run, Setting
from holdfast.drill.folders import clear_away, own_folder
from holdfast.drill.page import page
from holdfast.drill.persistence_drill import play_persistence
from holdfast.drill.play import OUTAGES, play
from holdfast.drill.programs import Program, Programs, environment_of
from holdfast.drill.redis_drill import play_redis
from holdfast.drill.report import Report, report_json, report_of
from holdfast.drill.sampler import Sampler
from holdfast.drill.server_drill import play_server
from holdfast.drill.servers import Fsync
from holdfast.drill.stage import Stage, open_stage
from holdfast.drill.verdicts import Check

__all__ = [
    "NAMES",
    "OUTAGES",
    "Check",
    "Criterion",
    "Fsync",
    "Name",
    "Played",
    "Program",
    "Programs",
    "Report",
    "Run",
    "Sampler",
    "Setting",
    "Stage",
    "clear_away",
    "environment_of",
    "judge",
    "open_stage",
    "own_folder",
    "page",
    "passed",
    "play",
    "play_persistence",
    "play_redis",
    "play_server",
    "report_json",
    "report_of",
]
