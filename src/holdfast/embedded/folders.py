"""Folders and small files of the embedded servers: private, written whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from holdfast.errors import EmbeddedError


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn the system's refusal to write below `folder` into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(
            f"the data folder {folder} cannot be used ({error.strerror or error}); "
            "make it writable for this user, free some space, or set HOLDFAST_HOME to another folder"
        ) from error


def make_private(folder: Path) -> Path:
    """Make the folder for this user alone if it is missing (those above it as usual); returns its real path."""
    with writing_to(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder.resolve(strict=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone."""
    with writing_to(path.parent):
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def read_text(path: Path) -> str | None:
    """The text of a small file, or None if there is no such file."""
    with writing_to(path.parent):
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


def kept_secret(path: Path, given: str | None = None) -> str:
    """The password in the file; `given`, or a new random one, is put there if it holds another or none."""
    kept = (read_text(path) or "").strip()
    password = given or kept or secrets.token_hex(32)
    if password != kept:
        write_private(path, password)
    return password
