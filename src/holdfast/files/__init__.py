"""Files of answers, read and written row by row: csv, tsv, xlsx, sav in; csv, xlsx, json, sav, html out."""

from holdfast.files.answer_files import AnswerFile, AnswerRow, open_answer_file
from holdfast.files.coded_files import CodedFile, CodedRow, read_coded_file
from holdfast.files.export_html import write_report
from holdfast.files.export_rows import ExportRow, FrameRow
from holdfast.files.exporting import check_table_path, is_report, write_table
from holdfast.files.report import Disc, Dot, Report, ReportIssue, ReportMap, ReportMece, ReportNode

__all__ = [
    "AnswerFile",
    "AnswerRow",
    "CodedFile",
    "CodedRow",
    "Disc",
    "Dot",
    "ExportRow",
    "FrameRow",
    "Report",
    "ReportIssue",
    "ReportMap",
    "ReportMece",
    "ReportNode",
    "check_table_path",
    "is_report",
    "open_answer_file",
    "read_coded_file",
    "write_report",
    "write_table",
]
