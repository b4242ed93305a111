"""What the owner of the servers tells the other processes: a private file in the data folder."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

import psutil

from holdfast.embedded.folders import read_text, write_private

FILE = "servers.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Where the servers are, and who keeps them up."""

    owner: int  # its process id; 0: it left them to the others, one of whom is about to become the owner
    owner_since: float  # when that process was created: process ids are used again
    urls: dict[str, str] = field(repr=False)  # by kind of server; they hold the passwords
    pids: dict[str, int | None]

    @classmethod
    def of_this_process(cls, *, urls: Mapping[str, str], pids: Mapping[str, int | None]) -> Self:
        since = psutil.Process().create_time()
        return cls(owner=os.getpid(), owner_since=since, urls=dict(urls), pids=dict(pids))

    @property
    def is_fresh(self) -> bool:
        """False for one whose owner was killed, or left."""
        try:
            return self.owner != 0 and psutil.Process(self.owner).create_time() == self.owner_since
        except psutil.Error:
            return False

    def without_owner(self) -> Self:
        return replace(self, owner=0)


NOTHING = Announcement(owner=0, owner_since=0, urls={}, pids={})


def announce(home: Path, told: Announcement) -> None:
    """Let the others know, in one step."""
    write_private(home / FILE, json.dumps(asdict(told)))


def withdraw(home: Path) -> None:
    """Nobody may attach any more."""
    (home / FILE).unlink(missing_ok=True)


def last_announced(home: Path) -> Announcement:
    """The last word, also of an owner that is gone; NOTHING if there is none."""
    with contextlib.suppress(ValueError, TypeError):
        return Announcement(**json.loads(read_text(home / FILE) or ""))
    return NOTHING


def announced(home: Path) -> Announcement | None:
    """What the living owner says; None while there is none, or while it starts."""
    told = last_announced(home)
    return told if told.is_fresh else None
