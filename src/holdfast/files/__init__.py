"""Files of answers, read and written row by row: csv, tsv, xlsx, sav in; csv, xlsx, json out."""

from holdfast.files.answer_files import AnswerFile, AnswerRow, open_answer_file
from holdfast.files.export_rows import ExportRow, FrameRow
from holdfast.files.exporting import check_table_path, write_table

__all__ = [
    "AnswerFile",
    "AnswerRow",
    "ExportRow",
    "FrameRow",
    "check_table_path",
    "open_answer_file",
    "write_table",
]
