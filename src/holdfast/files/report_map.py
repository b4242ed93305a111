"""The map of the report: every code a disc of its answers, drawn so that it can be read without a script."""

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.files.report import Disc, Dot, ReportMap, ReportNode, colours_of
from holdfast.files.report_tree import anchors_of
from holdfast.files.report_words import answers, percent, shown

HEIGHT = 640  # units of the drawing
LARGEST_DOT, SMALLEST_DOT = 9.0, 2.4  # their width, for one answer
LONGEST_NAME, LONGEST_LINE = 36, 12  # characters of a label and of one in one line; the whole name is in the tree
LINE = 1.12  # height of a line, for a letter's size of 1
WIDE, NARROW = 14.0, 34.0  # sizes of labels, for a screen and for a phone on which the drawing is a third as large
MANY, SMALLER = 45, 11.5  # codes above which the labels for a screen are smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    """A name on the map, and the room it takes."""

    lines: tuple[str, ...]
    x: float
    y: float
    half: float  # of its width
    size: float

    @property
    def height(self) -> float:
        return LINE * self.size * len(self.lines)

    def touches(self, other: "_Label") -> bool:
        beside = abs(self.x - other.x) >= self.half + other.half + 4
        return not beside and abs(self.y - other.y) < (self.height + other.height) / 2


def drawing(drawn: ReportMap, nodes: Sequence[ReportNode]) -> str:
    """The SVG: each disc a link to its code, with its name for a pointer, the keyboard and a screen reader."""
    by_key = {node.key: node for node in nodes}
    anchors, colours = anchors_of(nodes), colours_of(nodes)
    width = drawn.aspect * HEIGHT
    dot = _dot_width(drawn)
    discs = "".join(
        f'<a href="#{anchors[disc.key]}" class="disc {colours[disc.key]}"'
        f' aria-label="{(name := _named(by_key[disc.key], by_key))}"><title>{name}</title>'
        f'<circle cx="{disc.x * HEIGHT:.1f}" cy="{disc.y * HEIGHT:.1f}" r="{disc.radius * HEIGHT + 3:.1f}"/>'
        f"{_dots(disc, dot)}</a>"
        for disc in drawn.discs
    )
    labels = "".join(
        f'<g class="{name}" font-size="{size:.1f}" aria-hidden="true">'
        f"{''.join(map(_text, _labels(drawn, by_key, size, width)))}</g>"
        for name, size in (("wide", WIDE if len(drawn.discs) <= MANY else SMALLER), ("narrow", NARROW))
    )
    return (
        f'<svg viewBox="0 0 {width:.0f} {HEIGHT}" role="group" aria-label="Map of the answers">{discs}'
        f'<g class="labels">{labels}</g></svg>'
    )


def _dot_width(drawn: ReportMap) -> float:
    """Of one answer: as wide as leaves the dots apart in their discs."""
    n_dots = sum(len(disc.dots) for disc in drawn.discs)
    room = sum(math.pi * (disc.radius * HEIGHT) ** 2 for disc in drawn.discs)
    return max(SMALLEST_DOT, min(LARGEST_DOT, 0.55 * math.sqrt(room / max(n_dots, 1))))


def _named(node: ReportNode, by_key: Mapping[str, ReportNode]) -> str:
    parent = by_key.get(node.parent or "")
    above = f" ({parent.name})" if parent else ""
    return shown(f"{node.name}{above}: {answers(node.n_answers)}, {percent(node.share)}")


def _dots(disc: Disc, width: float) -> str:
    """One path for all dots of one size: a line of no length with round ends is a dot."""
    by_size: dict[int, list[Dot]] = {}
    for dot in disc.dots:
        by_size.setdefault(round(2 * math.log2(max(dot.weight, 1))), []).append(dot)
    return "".join(
        f'<path stroke-width="{min(width * 2 ** (size / 4), 1.6 * disc.radius * HEIGHT):.1f}" d="{_steps(dots)}"/>'
        for size, dots in sorted(by_size.items(), reverse=True)
    )


def _steps(dots: Sequence[Dot]) -> str:
    return "".join(f"M{dot.x * HEIGHT:.1f} {dot.y * HEIGHT:.1f}h0" for dot in dots)


def _labels(drawn: ReportMap, by_key: Mapping[str, ReportNode], size: float, width: float) -> Iterator[_Label]:
    """The names of the largest codes that find room; none covers another."""
    placed: list[_Label] = []
    for disc in sorted(drawn.discs, key=lambda disc: -disc.radius):
        name = by_key[disc.key].name
        lines = _lines(name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…")
        half = max(map(_width, lines)) * size / 2
        x = min(max(disc.x * HEIGHT, half + 4), max(width - half - 4, half + 4))
        label = _Label(lines=lines, x=x, y=disc.y * HEIGHT, half=half, size=size)
        if 2 * half < width and not any(label.touches(other) for other in placed):
            placed.append(label)
            yield label


def _lines(name: str) -> tuple[str, ...]:
    """A long name in two lines of about the same width."""
    words = name.split(" ")
    if len(name) <= LONGEST_LINE or len(words) == 1:
        return (name,)
    splits = [(" ".join(words[:place]), " ".join(words[place:])) for place in range(1, len(words))]
    return min(splits, key=lambda lines: max(map(len, lines)))


def _width(text: str) -> float:
    """About how wide the text is, for a letter's size of 1."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in text)


def _text(label: _Label) -> str:
    top = label.y - (len(label.lines) / 2 - 0.78) * LINE * label.size
    return "".join(
        f'<text x="{label.x:.0f}" y="{top + place * LINE * label.size:.0f}">{shown(line)}</text>'
        for place, line in enumerate(label.lines)
    )
