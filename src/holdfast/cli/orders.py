"""What `holdfast generate` was asked for, checked before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Self

from holdfast.errors import BadInput
from holdfast.service import FileToImport, GenerationConfig, check_config, check_payer, check_table_path
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A file to code, how, and for how much."""

    file: FileToImport
    config: GenerationConfig
    out: Path
    budget: Decimal | None

    @classmethod
    def checked(
        cls, settings: Settings, *, file: FileToImport, config: GenerationConfig, out: Path, budget: Decimal | None
    ) -> Self:
        """Raises BadInput for options that cannot work, NotConfigured for a model that nobody here can pay for."""
        check_config(config)
        check_payer(settings, config)
        return cls(file=checked_file(file), config=config, out=checked_out(out, source=file.path), budget=budget)


def asked_config(
    *, clusters: int | None, existing_code: Sequence[str] | None, language: str, **rest: Any
) -> GenerationConfig:
    """What the options ask for; `rest` are those called as the settings are."""
    return GenerationConfig(
        n_clusters=clusters, existing_codes=tuple(existing_code or ()), target_language=language.strip().lower(), **rest
    )


def checked_file(file: FileToImport) -> FileToImport:
    """Raises BadInput for a file that is not there."""
    if not file.path.exists():
        raise BadInput(f"there is no file {file.path}; check the path")
    return file


def checked_out(out: Path, *, source: Path | None = None) -> Path:
    """The absolute path of the table; raises BadInput for one that cannot be written."""
    path = out.absolute()
    check_table_path(path)
    if source is not None and path.exists() and path.samefile(source):
        raise BadInput(f"{out} is the file with the answers; name another one for the table")
    return path


def usd(given: str | None) -> Decimal | None:
    """An amount of US dollars as a person writes it: 15, 0.25, $15. Raises BadInput."""
    if given is None:
        return None
    try:
        amount = Decimal(given.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < Decimal(10) ** 8 or amount != round(amount, 6):
        raise BadInput(f"{given!r} is no amount of US dollars; write it as 15 or 0.25, with at most 6 decimals")
    return amount
