"""Bytes for a stage's result: a JSON header and raw arrays, the same bytes for the same values."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"HFC1"


def pack(meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Meta must be JSON values; arrays keep their dtype and shape."""
    listed = [(name, np.ascontiguousarray(array)) for name, array in sorted(arrays.items())]
    layout = [[name, array.dtype.str, list(array.shape)] for name, array in listed]
    header = json.dumps({"arrays": layout, "meta": meta}, sort_keys=True, ensure_ascii=False).encode()
    return b"".join([MAGIC, len(header).to_bytes(8, "little"), header, *(array.tobytes() for _, array in listed)])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The meta and the arrays of `pack`; raises ValueError for anything else."""
    if data[:4] != MAGIC:
        raise ValueError("these bytes are no packed stage result")
    end = 12 + int.from_bytes(data[4:12], "little")
    header = json.loads(data[12:end])
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, dtype, shape in header["arrays"]:
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        if end + count * kind.itemsize > len(data):
            raise ValueError("the packed stage result is cut short")
        arrays[name] = np.frombuffer(data, dtype=kind, count=count, offset=end).reshape(shape)
        end += count * kind.itemsize
    if end != len(data):
        raise ValueError("the packed stage result is too long")
    return header["meta"], arrays
