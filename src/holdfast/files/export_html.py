"""A report of the codeframe as one HTML file: all of it or nothing, as the tables."""

from pathlib import Path

from holdfast.files.exporting import appearing_whole, check_table_path, is_report
from holdfast.files.report import Report
from holdfast.files.report_page import page


def write_report(path: Path, report: Report) -> None:
    """Write the page under its name only when it is whole. Raises BadInput for a path that cannot be written."""
    check_table_path(path)
    assert is_report(path)
    with appearing_whole(path) as file:
        file.write(page(report).encode("utf-8"))
