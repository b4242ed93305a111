"""What of a file is on the disk, and not only in memory: what a power cut leaves. Linux 6.5 or newer tells."""

import ctypes
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from queue_driver.programs import Failed

CACHESTAT = 451  # number of the system call, on every architecture
PAUSE = 0.002  # seconds between two looks


class _Range(ctypes.Structure):
    _fields_ = (("offset", ctypes.c_uint64), ("length", ctypes.c_uint64))


class _State(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("cached", "dirty", "writeback", "evicted", "recent"))


class DiskWatch:
    """Watches, while the block runs, up to which byte a growing file has been written to the disk."""

    def __init__(self, file: Path) -> None:
        self.synced = 0  # bytes
        self._file = os.open(file, os.O_RDONLY)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        os.close(self._file)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._look()
            time.sleep(PAUSE)  # the kernel tells nobody when a page has reached the disk

    def _look(self) -> None:
        # The size first: when nothing is dirty after that, all of these bytes are on the disk.
        size, state, whole = os.fstat(self._file).st_size, _State(), _Range(0, 0)
        if self._libc.syscall(CACHESTAT, self._file, ctypes.byref(whole), ctypes.byref(state), 0) != 0:
            raise Failed(f"this kernel does not tell what is on the disk: {os.strerror(ctypes.get_errno())}")
        if state.dirty == 0 and state.writeback == 0:
            self.synced = max(self.synced, size)
