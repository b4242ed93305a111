"""What the documents show is there: code that compiles, commands that exist."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = {"", "sh", "bash", "console", "shell"}


def blocks(document: Path, *languages: str) -> list[str]:
    return [code for language, code in FENCE.findall(document.read_text(encoding="utf-8")) if language in languages]


def commands(program: str) -> set[str]:
    """What documents ask `program` to do: the word behind it at the start of a line."""
    shell = "\n".join(code for document in DOCUMENTS for code in blocks(document, *SHELL))
    return set(re.findall(rf"^(?:\$ )?(?:\.venv/bin/)?{program} ([a-z][a-z-]*)", shell, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_in_documents_compiles(document: Path) -> None:
    for code in blocks(document, "python", "py"):
        tree = compile(code, str(document), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

        assert tree.body


def test_every_target_of_make_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert {"demo", "test"} <= commands("make")
    assert commands("make") <= targets


def test_every_command_of_holdfast_in_the_documents_exists() -> None:
    assert "generate" in commands("holdfast")
    for command in commands("holdfast"):
        done = subprocess.run(
            [Path(sys.executable).with_name("holdfast"), command, "--help"],
            capture_output=True,
            timeout=60,
            check=False,
        )

        assert done.returncode == 0, f"holdfast {command}: {done.stderr.decode()}"


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{document.name}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]

    assert dead == []


def test_every_test_that_a_promise_names_exists() -> None:
    promises = (ROOT / "docs/explanation/guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promises)

    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in _source(ROOT / path)]

    assert len(named) > 15
    assert missing == []


def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
