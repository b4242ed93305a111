"""Who owns the servers of a data folder, and who uses them: locks that the system takes back from the dead.

HOME/owner.lock  locked by the owner, the one process that keeps the servers up
HOME/users.lock  locked in common by every process that attached to them
HOME/turn.lock   locked for the moment in which a process enters, leaves or takes over

All of that happens in turns, so that nobody attaches to servers which their owner is about to stop, and so that of two
that leave together the second one knows that it is the last.
"""

import contextlib
import fcntl
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from holdfast.embedded.folders import writing_to

T = TypeVar("T")


class Share:
    """One process's part in a data folder: owner of its servers, one of their users, or neither."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._owner: IO[str] | None = None
        self._user: IO[str] | None = None

    @property
    def owns(self) -> bool:
        return self._owner is not None and not self._owner.closed

    def become_owner(self) -> bool:
        """Own the servers from now on, unless another living process does; says whether that is so."""
        with self._turn():
            self._try_to_own()
            if self.owns:
                _unlock(self._user)
                self._user = None
        return self.owns

    def become_user(self, found: Callable[[], T | None]) -> T | None:
        """Use the servers from now on if `found` has any; they are not stopped until this process leaves or dies."""
        with self._turn():
            servers = found()
            if servers is not None:
                self._user = self._lock("users", fcntl.LOCK_SH)
        return servers

    def has_others(self) -> bool:
        """Whether there are users beside this process."""
        with self._turn():
            return self._in_use()

    def leave(self, *, handing_over: Callable[[], None], last: Callable[[], None]) -> bool:
        """Give up this process's part; True for the last one, who owns the servers until `release` and must stop them.

        In the same turn, so that nobody enters in between, `handing_over` is called if the others are left with servers
        of their own, `last` if there are no others.
        """
        with self._turn():
            _unlock(self._user)
            self._user = None
            self._try_to_own()  # a user that leaves after its owner was killed may be the last who can stop them
            if not self.owns:
                return False
            if not self._in_use():
                last()
                return True
            handing_over()
            _unlock(self._owner)
            self._owner = None
            return False

    def release(self) -> None:
        """Let the next owner in."""
        _unlock(self._owner)
        self._owner = None

    def _try_to_own(self) -> None:
        if not self.owns:
            self._owner = self._lock("owner", fcntl.LOCK_EX)

    def _in_use(self) -> bool:
        probe = self._lock("users", fcntl.LOCK_EX)
        _unlock(probe)
        return probe is None

    def _lock(self, name: str, kind: int) -> IO[str] | None:
        """The locked file, or None if others have it; servers do not inherit it, so that it ends with this process."""
        with writing_to(self._home):
            file = (self._home / f"{name}.lock").open("a")
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return None
        _held.add(file)
        return file

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with writing_to(self._home):
            file = (self._home / "turn.lock").open("a")
            _held.add(file)
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            _unlock(file)


_held: weakref.WeakSet[IO[str]] = weakref.WeakSet()


def _unlock(file: IO[str] | None) -> None:
    if file is not None and not file.closed:
        fcntl.flock(file, fcntl.LOCK_UN)  # at once, also if a child that is being started has the file for a moment
        file.close()


def _forget_locks() -> None:
    for file in list(_held):
        file.close()


# A forked child shares the locks: one that outlives the owner would lock out the next owner.
os.register_at_fork(after_in_child=_forget_locks)
