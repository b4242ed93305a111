"""The one typed caller of each Lua file: arguments in, the script's words turned into types."""

from holdfast.queue.scripts.house import HouseScripts, PresenceScripts, Recovered, RecoveryRules
from holdfast.queue.scripts.keeping import KeepScripts, Moved, Obliterated, Removed
from holdfast.queue.scripts.loading import Script, Word, load
from holdfast.queue.scripts.producing import AddScripts
from holdfast.queue.scripts.working import Blame, Result, Row, WorkScripts

__all__ = [
    "AddScripts",
    "Blame",
    "HouseScripts",
    "KeepScripts",
    "Moved",
    "Obliterated",
    "PresenceScripts",
    "Recovered",
    "RecoveryRules",
    "Removed",
    "Result",
    "Row",
    "Script",
    "Scripts",
    "Word",
    "WorkScripts",
    "load",
]


class Scripts(AddScripts, WorkScripts, KeepScripts, HouseScripts):
    """All scripts of one queue on one link."""
