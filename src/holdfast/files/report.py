"""What a report of a codeframe consists of; the page that shows it is `report_page`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["content", "other", "rule"]
Fact: TypeAlias = tuple[str, str]  # what, value

COLOURS = 8  # themes with a colour of their own, the largest ones


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNode:
    """One theme or code, parents before their children."""

    key: str
    parent: str | None
    is_code: bool
    kind: Kind  # "other" and "rule" stand apart from the content
    name: str
    description: str
    keyphrases: tuple[str, ...]
    n_answers: int
    share: float  # of all answers, 0..1
    quotes: tuple[str, ...]  # answers that are typical of it, the most typical first


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIssue:
    """Something a person should look at."""

    is_error: bool
    message: str
    nodes: tuple[str, ...]  # keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMece:
    """How mutually exclusive and collectively exhaustive the frame is."""

    score: float  # 0..100
    exclusivity: float  # 0..1
    exhaustiveness: float  # 0..1
    issues: tuple[ReportIssue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One answer on the map, or several of the same words."""

    x: float  # 0 to the map's aspect, from the left
    y: float  # 0 to 1, from the top
    weight: int  # answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A code's place on the map."""

    key: str
    x: float
    y: float
    radius: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMap:
    """The map of the answers."""

    aspect: float  # width for a height of 1
    discs: tuple[Disc, ...]
    n_left_out: int  # dots that were not drawn because there are too many


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page shows."""

    title: str
    question: str
    said: str  # when and by whom it was made, in a line
    figures: Sequence[Fact]  # the ones to see first
    nodes: Sequence[ReportNode]
    mece: ReportMece | None
    map: ReportMap | str  # or why there is none
    made: Sequence[Fact]  # how
    notes: Sequence[str]


def colours_of(nodes: Sequence[ReportNode]) -> dict[str, str]:
    """Node -> the class that colours it: t1 to t8 for the largest themes with all below them, then rest and none."""
    tops = [node for node in nodes if node.parent is None and node.kind == "content"]
    largest = sorted(tops, key=lambda node: -node.n_answers)
    found = {node.key: f"t{place}" if place <= COLOURS else "rest" for place, node in enumerate(largest, start=1)}
    for node in nodes:  # parents come first
        if node.key not in found:
            found[node.key] = found.get(node.parent or "", "none") if node.kind == "content" else "none"
    return found
