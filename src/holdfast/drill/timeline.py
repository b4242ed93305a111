"""Done clusters against time as one SVG, with what was killed and what was started again."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from holdfast.drill.facts import Moment, Run

WIDTH, HEIGHT = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 18, 62, 40
ROW = 17  # between two labels that would stand on each other
CHARACTER = 6.6  # of a label, wide
TICKS = (1, 2, 5, 10, 15, 30, 60)  # seconds between two of them
MOST_TICKS = 12


class _Scale:
    """Seconds and clusters as places in the drawing."""

    def __init__(self, run: Run) -> None:
        self.seconds = max(run.seconds, 1.0)
        self.clusters = max(run.clusters, 1)

    def x(self, at: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * at / self.seconds, 1)

    def y(self, done: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * done / self.clusters, 1)


def timeline(run: Run) -> str:
    """The drawing; its colours come from the page's CSS variables."""
    scale = _Scale(run)
    said = f"{run.title}: {run.completed} of {run.clusters} clusters done after {run.seconds:.0f} seconds"
    parts = [*_outages(run, scale), *_grid(run, scale), *_line(run, scale), *_moments(run.moments, scale)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said)}">'
        f"<title>{escape(said)}</title>{''.join(parts)}</svg>"
    )


def _outages(run: Run, scale: _Scale) -> Iterator[str]:
    """A band from each kill to the start that follows it."""
    for before, after in pairwise(run.moments):
        if (before.kind, after.kind) == ("kill", "start"):
            x, end = scale.x(before.at), scale.x(after.at)
            yield (
                f'<rect class="outage" x="{x}" y="{TOP}" width="{max(1.0, round(end - x, 1))}" '
                f'height="{HEIGHT - TOP - BOTTOM}"/>'
            )


def _grid(run: Run, scale: _Scale) -> Iterator[str]:
    for done in sorted({0, run.clusters // 2, run.clusters}):
        y = scale.y(done)
        yield f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
        yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{done}</text>'
    every = next((tick for tick in TICKS if scale.seconds / tick <= MOST_TICKS), TICKS[-1])
    for second in range(0, int(scale.seconds) + 1, every):
        x = scale.x(second)
        yield f'<line class="axis" x1="{x}" y1="{HEIGHT - BOTTOM}" x2="{x}" y2="{HEIGHT - BOTTOM + 5}"/>'
        yield f'<text class="tick" x="{x}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{second} s</text>'


def _line(run: Run, scale: _Scale) -> Iterator[str]:
    """Steps: a cluster is done at one moment, not little by little."""
    points = sorted(run.line, key=lambda point: point.at)
    path = f"M{scale.x(points[0].at)} {scale.y(points[0].done)}" if points else ""
    for point in points[1:]:
        path += f"H{scale.x(point.at)}V{scale.y(point.done)}"
    path += f"H{scale.x(scale.seconds)}"
    if not points:
        return
    yield f'<path class="area" d="{path}V{scale.y(0)}H{scale.x(points[0].at)}Z"/>'
    yield f'<path class="done" d="{path}"/>'
    for point in points[1:]:
        hint = f"{point.done} done after {point.at:.1f} s"
        yield (
            f'<circle class="dot" cx="{scale.x(point.at)}" cy="{scale.y(point.done)}" r="3.5">'
            f"<title>{hint}</title></circle>"
        )


def _moments(moments: Sequence[Moment], scale: _Scale) -> Iterator[str]:
    """A line for each, and its label in the first row above where it has room."""
    ends: list[float] = []  # of the last label in each row
    labels: list[str] = []  # drawn last: no line may cross a label
    for moment in moments:
        x, words = scale.x(moment.at), _words(moment)
        wide = len(words) * CHARACTER
        start = min(x, WIDTH - RIGHT - wide)
        row = next((row for row, end in enumerate(ends) if end < start), len(ends))
        ends[row : row + 1] = [start + wide + 8]
        y = TOP - 8 - ROW * min(row, 2)
        yield f'<line class="moment {moment.kind}" x1="{x}" y1="{y + 4}" x2="{x}" y2="{HEIGHT - BOTTOM}"/>'
        labels.append(f'<text class="label {moment.kind}" x="{round(start, 1)}" y="{y}">{escape(words)}</text>')
    yield from labels


def _words(moment: Moment) -> str:
    sign = {"kill": "✕ kill -9 ", "start": "▶ back: ", "note": ""}[moment.kind]
    return f"{sign}{moment.what} · {moment.at:.1f} s"
