"""The environment, read once: settings, and what goes where on the terminal."""

import os

from pydantic import ValidationError

from holdfast.errors import NotConfigured
from holdfast.settings import Settings


def read_settings() -> Settings:
    """The settings of this process; raises NotConfigured that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{_variable(part['loc'])}: {part['msg']}" for part in error.errors(include_input=False))
        raise NotConfigured(f"{wrong}. Change or unset it") from error


def debugging() -> bool:
    """Whether traces are wanted."""
    return os.environ.get("HOLDFAST_DEBUG", "") not in {"", "0"}


def _variable(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else "HOLDFAST_…"
    return name if name.isupper() else f"HOLDFAST_{name.upper()}"
