"""A stable name for a step's inputs."""

import hashlib
import json
from typing import Any


def fingerprint(*inputs: Any) -> str:
    """32 hex digits over the canonical JSON of the inputs; equal inputs, in any process, give equal digits.

    Raises TypeError for a value JSON cannot hold.
    """
    canonical = json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()
