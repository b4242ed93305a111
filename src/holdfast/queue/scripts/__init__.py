"""The one typed caller of each Lua file: arguments in, the script's words turned into types."""

from holdfast.queue.scripts.auditing import AuditScripts
from holdfast.queue.scripts.house import HouseScripts, PresenceScripts, Recovered, RecoveryRules
from holdfast.queue.scripts.keeping import KeepScripts, Moved, Obliterated, Removed
from holdfast.queue.scripts.limiting import Cancelled, Limits, LimitScripts
from holdfast.queue.scripts.loading import Script, Word, load
from holdfast.queue.scripts.producing import AddScripts
from holdfast.queue.scripts.repeating import Armed, RepeatScripts, Schedule, Standing
from holdfast.queue.scripts.telling import Ending, Fate, TellScripts
from holdfast.queue.scripts.throttling import CallOutcome, Pace, ThrottleScripts
from holdfast.queue.scripts.working import Blame, Exchanged, Result, Row, WorkScripts

__all__ = [
    "AddScripts",
    "Armed",
    "AuditScripts",
    "Blame",
    "CallOutcome",
    "Cancelled",
    "Ending",
    "Exchanged",
    "Fate",
    "HouseScripts",
    "KeepScripts",
    "LimitScripts",
    "Limits",
    "Moved",
    "Obliterated",
    "Pace",
    "PresenceScripts",
    "Recovered",
    "RecoveryRules",
    "Removed",
    "RepeatScripts",
    "Result",
    "Row",
    "Schedule",
    "Script",
    "Scripts",
    "Standing",
    "TellScripts",
    "ThrottleScripts",
    "Word",
    "WorkScripts",
    "load",
]


class Scripts(
    AddScripts,
    RepeatScripts,
    WorkScripts,
    KeepScripts,
    HouseScripts,
    LimitScripts,
    TellScripts,
    AuditScripts,
    ThrottleScripts,
):
    """All scripts of one queue on one link."""
