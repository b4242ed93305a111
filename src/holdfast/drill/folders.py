"""The data folder of one demo or drill: made for it, removed after it, and cleared away later if it was killed."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.embedded import open_servers
from holdfast.errors import HoldfastError

LEFT_BEHIND = 600.0  # seconds after which the folder of a run that was killed is cleared away


@contextmanager
def own_folder(runs: Path, *, keep: bool) -> Iterator[Path]:
    """A new folder below `runs`, removed at the end unless it is to be kept. Raises HoldfastError."""
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
    except OSError as error:
        raise HoldfastError(
            f"the data folder {runs} cannot be used ({error.strerror}); set HOLDFAST_HOME to another folder"
        ) from error
    try:
        yield folder
    finally:
        if keep:
            (folder / "kept").touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)


def clear_away(runs: Path, *, older_than: float = LEFT_BEHIND) -> None:
    """Stop and remove what runs left behind that were killed themselves, once that is `older_than` seconds ago.

    The bound keeps a run safe that made its folder and does not own its servers yet.
    """
    for folder in runs.glob("run-*"):
        with contextlib.suppress(OSError, HoldfastError):
            if time.time() - folder.stat().st_mtime < older_than or (folder / "kept").exists():
                continue
            with open_servers(folder) as servers:  # attaches if that run is alive, adopts its servers if not
                is_dead = servers.owned
            if is_dead:
                shutil.rmtree(folder, ignore_errors=True)
