"""The limits of size, and what no file of the project may hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"file": 400, "test file": 500, "function": 50, "lua": 80}

# What is over a limit, by how much and why. This list may only shrink: a thing that got smaller lowers its number here.
EXCEPTIONS: dict[str, tuple[int, str]] = {}

BAD_NAMES = {"utils.py", "util.py", "helpers.py", "base.py", "common.py", "misc.py", "manager.py", "common", "utils"}
# Written so that this file passes its own test.
HOSTS = ("pypi[.]org", "python[h]osted", "registry[.]npmjs", "deb[.]debian", "proxy[.]golang", "--(extra-)?index-url")
PLACES = ("work", "root", "farm")
FORBIDDEN = re.compile("|".join([*HOSTS, *(rf"(?<![\w.~$}}>-])/{place}/" for place in PLACES)]))


@cache
def tracked(*endings: str) -> list[Path]:
    """The files of the project: what git tracks; in an unpacked archive, what lies there."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = told.stdout.decode().split("\0") if told.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [
        path for top in ("src", "tests") for path in (ROOT / top).rglob("*") if "__pycache__" not in path.parts
    ]
    return sorted(path for path in found if path.is_file() and (not endings or path.suffix in endings))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def source() -> list[Path]:
    return [path for path in tracked(".py") if path.is_relative_to(ROOT / "src")]


@cache
def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement behind the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def sizes() -> Iterator[tuple[str, int, int]]:
    """Everything that has a limit: its name, its size, its limit."""
    for path in tracked(".py"):
        kind = "test file" if path.is_relative_to(ROOT / "tests") else "file"
        yield shown(path), len(path.read_text(encoding="utf-8").splitlines()), LIMITS[kind]
        for function in functions(path):
            yield f"{shown(path)}::{function.name}", body_lines(function), LIMITS["function"]
    for path in tracked(".lua"):
        code = re.sub(r"--\[\[.*?\]\]|--[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield shown(path), sum(1 for line in code.splitlines() if line.strip()), LIMITS["lua"]


def test_every_file_and_function_is_small_enough() -> None:
    too_long = [
        f"{name}: {size} lines, the limit is {limit}"
        for name, size, limit in sizes()
        if size > EXCEPTIONS.get(name, (limit, ""))[0]
    ]

    assert too_long == []


def test_the_list_of_exceptions_only_shrinks() -> None:
    real = {name: size for name, size, limit in sizes() if size > limit}

    assert {name: size for name, (size, _) in EXCEPTIONS.items()} == {name: real.get(name) for name in EXCEPTIONS}
    assert [name for name, (_, reason) in EXCEPTIONS.items() if not reason] == []


def test_no_file_is_named_for_nothing() -> None:
    parts = {shown(path): set(path.relative_to(ROOT).parts) for path in tracked()}

    assert [name for name, words in parts.items() if words & BAD_NAMES] == []


def test_only_the_command_line_prints() -> None:
    allowed = (ROOT / "src/holdfast/cli", ROOT / "src/holdfast/demo")
    printing = [
        f"{shown(path)}:{node.lineno}"
        for path in source()
        if not path.is_relative_to(allowed[0]) and not path.is_relative_to(allowed[1])
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert printing == []


def test_no_file_names_a_registry_or_a_place_on_a_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = text.splitlines()
        found += [f"{shown(path)}:{n}: {hit[0]}" for n, line in enumerate(lines, 1) if (hit := FORBIDDEN.search(line))]

    assert found == []


def doors() -> list[Path]:
    return [path for path in source() if path.name == "__init__.py" and _all_of(path) is not None]


def _all_of(path: Path) -> list[str] | None:
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order in which ruff sorts imports and `__all__`."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


def _bound(path: Path) -> set[str]:
    """The public names that the module takes from our own, maybe lazily, or makes itself."""
    names: set[str] = set()
    body = parsed(path).body
    lazy = [each for node in body if isinstance(node, ast.If) and _for_types(node) for each in node.body]
    for node in [*body, *lazy]:
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("holdfast"):
                names |= {alias.asname or alias.name for alias in node.names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign():
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case _:
                pass
    return {name for name in names if not name.startswith("_")}


def _for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _used(path: Path) -> set[str]:
    """The names that the module's own code reads."""
    return {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def test_a_package_s_door_lists_all_its_public_names_in_order() -> None:
    assert doors()
    for path in doors():
        listed = _all_of(path) or []
        assert listed == sorted(listed, key=_rank), f"{shown(path)}: __all__ is not sorted"
        bound = _bound(path)
        assert {name for name in listed if not name.startswith("__")} <= bound, (
            f"{shown(path)}: lists what is not there"
        )
        assert bound - set(listed) - _used(path) == set(), f"{shown(path)}: not in __all__, and not used inside"


# Side doors: they need an extra, so the front door must not import them.
SIDE_DOORS = {"holdfast.queue.metrics", "holdfast.queue.telemetry"}


def test_no_package_reaches_past_the_door_of_another() -> None:
    opened = {path.parent.name: set(_all_of(path) or []) for path in doors() if path.parent.parent.name == "holdfast"}
    reaching = [
        f"{shown(path)}:{node.lineno}: {node.module}"
        for path in source()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and (parts := (node.module or "").split("."))[0] == "holdfast"
        if len(parts) > 2 and parts[1] != path.relative_to(ROOT / "src/holdfast").parts[0]
        if parts[2] not in opened.get(parts[1], set()) and node.module not in SIDE_DOORS
    ]

    assert reaching == []


@cache
def _calls(path: Path) -> list[tuple[str, frozenset[str]]]:
    """Each function of the file with what it calls; an assert, or a call named for raising, counts as `assert_`."""
    return [(each.name, frozenset(_called(each))) for each in functions(path)]


def _called(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            yield "assert_"
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield "assert_" if name.startswith(("assert_", "check_", "require_")) else name


def _checking_names(path: Path) -> set[str]:
    """What checks when a test of this file calls it: pytest's own, and functions here or in a conftest above."""
    found = {"assert_", "raises", "warns", "fail", "run_state_machine_as_test"}
    files = [path, *(folder / "conftest.py" for folder in path.parents if (folder / "conftest.py").exists())]
    for _ in range(3):  # a test may check by calling what calls what checks
        found |= {name for file in files for name, called in _calls(file) if called & found}
    return found


def test_every_test_can_fail() -> None:
    toothless = []
    for path in tracked(".py"):
        if path.is_relative_to(ROOT / "tests") and path.name.startswith("test_"):
            checking = _checking_names(path)
            tests = ((name, called) for name, called in _calls(path) if name.startswith("test_"))
            toothless += [f"{shown(path)}::{name}" for name, called in tests if not called & checking]

    assert toothless == []


def test_every_test_file_is_found_by_pytest_and_has_a_tier() -> None:
    tiers = {"unit", "integration", "interop", "faults", "ui", "project"}
    tests = [path.relative_to(ROOT / "tests") for path in tracked(".py") if path.is_relative_to(ROOT / "tests")]

    astray = [str(path) for path in tests if path.name.startswith("test_") and path.parts[0] not in tiers]
    unseen = [
        shown(ROOT / "tests" / path)
        for path in tests
        if not path.name.startswith(("test_", "conftest"))
        and any(each.name.startswith("test_") for each in functions(ROOT / "tests" / path))
    ]

    assert list(chain(astray, unseen)) == []
