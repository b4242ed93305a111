"""Text as it goes into the page: nothing in it is taken for markup."""

import re
from html import escape

from holdfast.files.export_rows import writable

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def shown(text: str) -> str:
    """The text for the inside of an element or of a quoted attribute."""
    return escape(writable(_CONTROL.sub("\ufffd", text)))


def percent(share: float) -> str:
    """A share as a person reads it; what is there is never called nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share:.1%}".replace("%", " %")


def answers(n: int) -> str:
    """A number of answers."""
    return f"{n:,} answer" if n == 1 else f"{n:,} answers"
