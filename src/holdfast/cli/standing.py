"""How a generation stands, in words: what it cost beside what was said before, why it waits, how to go on."""

from decimal import Decimal

from holdfast.cli.words import counted, dollars, plain
from holdfast.service import Status


def compared(status: Status) -> str:
    """What it has cost, beside its estimate and its budget."""
    parts = [f"{dollars(status.spent_usd)} for {counted(status.ledger.n_calls, 'call')}"]
    if status.estimate:
        low, high = (Decimal(status.estimate[name]) for name in ("low_usd", "high_usd"))
        parts.append(f"estimated {dollars(low)} to {dollars(high)}")
    if status.budget is not None:
        parts.append(f"budget {dollars(status.budget)}")
    return ", ".join(parts)


def in_doubt(status: Status) -> str:
    """Which money nobody knows of, and what to do about it."""
    ledger = status.ledger
    return (
        f"{counted(ledger.n_in_doubt, 'call')} in doubt, at most {dollars(ledger.in_doubt)}: they may or may not be on "
        f"the provider's bill (holdfast costs {status.generation_id} lists them)"
    )


def why(status: Status) -> str:
    """Why it failed or waits."""
    return plain(str((status.error or {}).get("message") or "no reason was kept"))


def going_on(status: Status) -> str:
    """The command that lets it go on."""
    match (status.error or {}).get("code"):
        case "budget_used_up":
            return f"holdfast resume {status.generation_id} --budget USD"
        case "in_doubt":
            return f"holdfast resolve {status.generation_id}, then holdfast resume {status.generation_id}"
        case _:
            return f"holdfast resume {status.generation_id}"
