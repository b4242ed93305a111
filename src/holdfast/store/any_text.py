"""Text and JSON from outside as PostgreSQL can hold them: it has no NUL and no half of a surrogate pair."""

import json
import re
from collections.abc import Mapping
from typing import Any

_AS_TEXT = "json"
# How they stand in JSON that is all ASCII; a whole pair is found too, and so is a backslash that only looks like one.
_NOT_HELD = re.compile(r"\\u(?:0000|d[89a-f])")


def kept_json(value: Any) -> tuple[Any, Any]:
    """What to store of a JSON value, and the value as `read_json` will give it. Raises TypeError, ValueError."""
    text = json.dumps(value, allow_nan=False)
    plain = json.loads(text)
    if _NOT_HELD.search(text) or _looks_kept(plain):
        return {_AS_TEXT: text}, plain
    return plain, plain


def read_json(stored: Any) -> Any:
    """The value that `kept_json` was given."""
    return json.loads(stored[_AS_TEXT]) if _looks_kept(stored) else stored


def kept_text(text: str) -> str:
    """The text without what PostgreSQL cannot hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _looks_kept(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {_AS_TEXT} and isinstance(value[_AS_TEXT], str)
