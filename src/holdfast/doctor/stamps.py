"""When the last backup was made, by what its maker leaves: the time of a file."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time

STAMPS = "/var/backups/holdfast"  # for those who have said no other place


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFacts:
    """What is known of one server's backup."""

    stamped: timedelta | None  # since the stamp was touched; None: there is none
    most: timedelta  # an older backup is too old
    stamps: str  # the folder of the stamps
    home: str | None  # the data folder, when the server is an embedded one

    def fix(self, of: str, command: str) -> str:
        """How to make one and leave the stamp; an embedded server is copied with its folder, while it stands still."""
        if self.home is not None:
            command = f"tar -czf {self.stamps}/{of}.tgz -C '{self.home}' ."
        said = "nothing of Holdfast runs meanwhile; " if self.home is not None else ""
        return f"{command} && touch {self.stamps}/{of}  # {said}with HOLDFAST_BACKUP_STAMP={self.stamps}"


def stamp(place: Path | None, *, of: str) -> timedelta | None:
    """How old the stamp is: of the file `of` in the folder, or of the file itself, which is for all servers then."""
    if place is None:
        return None
    file = place / of if place.is_dir() else place
    try:
        return timedelta(seconds=max(0.0, time() - file.stat().st_mtime))
    except OSError:
        return None
