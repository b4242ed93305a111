"""The codeframe and the coded answers as one JSON document, written answer by answer."""

import io
import json
import math
from typing import Any, BinaryIO

from holdfast.files.export_rows import FRAME_COLUMNS, Export, ExportRow, writable


def write_json(file: BinaryIO, export: Export) -> None:
    """Write `{"codeframe": […], "answers": […], "summary": {…}}`; an answer is an object with its own columns first."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    frame = [dict(zip(FRAME_COLUMNS, row.cells, strict=True)) for row in export.frame]
    text.write(f'{{"codeframe": {_line(frame)},\n"answers": [')
    before = "\n"
    for row in export.rows:
        text.write(before + _line(_answer(export, row)))
        before = ",\n"
    text.write(f'\n],\n"summary": {_line(dict(export.summary))}}}\n')
    text.flush()
    text.detach()


def _answer(export: Export, row: ExportRow) -> dict[str, Any]:
    own = dict(zip(export.columns, row.values, strict=True))
    return own | dict(zip(export.ours, (row.theme, row.code, list(row.codes), row.score), strict=True))


def _line(value: object) -> str:
    try:
        return writable(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str))
    except ValueError:
        return writable(json.dumps(_finite(value), ensure_ascii=False, default=str))


def _finite(value: object) -> object:
    """The value with null for what JSON has no word for."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case _:
            return value
