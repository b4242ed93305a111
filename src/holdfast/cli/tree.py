"""A codeframe as a tree in the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from holdfast.cli.words import counted, plain
from holdfast.service import Hierarchy, StoredNode

INDENT = 4  # columns rich's tree takes for one level
NAME_WIDTH = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much of a codeframe to show."""

    themes: int = 1000
    codes: int = 1000  # of each theme
    quotes: bool = True


WHOLE = Shape()
SHORT = Shape(themes=12, codes=4, quotes=False)


def show_tree(console: Console, hierarchy: Hierarchy, *, title: str, shape: Shape = WHOLE) -> None:
    """Print the codeframe: names, counts, shares and, if asked for, one quote a code."""
    console.print(_tree(hierarchy, title, shape, console.width), overflow="ellipsis", no_wrap=True)


def summary(hierarchy: Hierarchy) -> str:
    """The figures of a codeframe in one line."""
    result = hierarchy.generation.result or {}
    themes, codes = int(result.get("n_themes", 0)), int(result.get("n_codes", 0))
    parts = [counted(hierarchy.generation.n_answers, "answer"), counted(codes, "code")]
    if themes:
        parts.append(counted(themes, "theme"))
    mece = (result.get("mece") or {}).get("score")
    if mece is not None:
        parts.append(f"MECE score {mece:.0f} of 100")
    stable = (result.get("mece") or {}).get("stability")
    if stable is not None:
        parts.append(f"stability {stable:.2f}")
    return " · ".join(parts)


def _tree(hierarchy: Hierarchy, title: str, shape: Shape, width: int) -> Tree:
    below: dict[str | None, list[StoredNode]] = {}
    for node in hierarchy.nodes:
        if node.stands_empty:
            continue
        below.setdefault(node.parent_key, []).append(node)
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    painter = _Painter(n_answers=hierarchy.generation.n_answers, below=below, shape=shape, width=width)
    painter.add(tree, None, depth=1)
    return tree


@dataclass(frozen=True, kw_only=True)
class _Painter:
    n_answers: int
    below: dict[str | None, list[StoredNode]]
    shape: Shape
    width: int

    def add(self, tree: Tree, parent: str | None, *, depth: int) -> None:
        nodes = self.below.get(parent, [])
        most = self.shape.themes if parent is None else self.shape.codes
        for node in nodes[:most]:
            self.add(tree.add(self._line(node, depth)), node.key, depth=depth + 1)
        if len(nodes) > most:
            tree.add(Text(f"… {len(nodes) - most} more", style="dim"))

    def _line(self, node: StoredNode, depth: int) -> Text:
        is_leaf = node.key not in self.below
        room = max(12, NAME_WIDTH - INDENT * (depth - 1))
        share = node.n_answers / self.n_answers if self.n_answers else 0.0
        line = Text(f"{plain(node.name, room):{room}}", style="" if is_leaf else "bold")
        line.append(f" {node.n_answers:>6,} {share:>6.1%}", style="cyan")
        if self.shape.quotes and is_leaf and node.examples:
            left = self.width - INDENT * depth - room - 17
            line.append(f"  “{plain(_shortest(node.examples), max(16, left))}”", style="italic dim")
        return line


def _shortest(examples: Sequence[dict[str, Any]]) -> str:
    """Of the typical answers one that can be read in its line; the most typical one if none is short."""
    short = [example["text"] for example in examples if 15 <= len(example["text"]) <= 60]
    return str(short[0] if short else examples[0]["text"])
