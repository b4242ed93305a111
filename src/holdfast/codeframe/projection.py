"""A map of the answers: every code a disc beside the codes it is like, every answer inside the disc of its code.

Distances between codes come from the centroids (classical multidimensional scaling: W. S. Torgerson, Psychometrika 17,
1952). Inside a disc an answer is the farther from the middle the less typical it is, on the side of the codes it leans
to. Everything is computed in an order of the vectors' own, so shuffled rows give the same map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.values import Floats, Ints, Vectors

FILLED = 0.5  # of the map's area is covered by discs
LEAST_RADIUS = 0.25  # of the mean disc's, so that a rare code can still be seen
GAP, GAP_OF_THEMES = 0.12, 0.5  # of the mean disc's radius, between two discs of one theme and of two
APART = 0.35  # of the mean distance, added between codes of different themes
KEPT, ITERATIONS = 24, 5  # principal components the answers' own spread is read from; rounds of finding them
SPREADING = 0.6  # how much a code's own spread turns its answers, beside the codes they lean to
SETTLING, PULL = 200, 0.04  # rounds of moving discs apart; how far each goes back to its place in one round
UNTANGLING = 300  # rounds at most of moving apart alone


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Where everything is; x runs from 0 to the aspect, y from 0 (top) to 1."""

    points: Floats  # one row a vector
    centres: Floats  # one row a code
    radii: Floats  # of the codes' discs; 0 for a code without answers here


def sample_answers(codes: Ints, *, most: int, seed: int) -> Ints:
    """At most `most` places, ascending: of every code its share, and of a rare one at least an answer or two."""
    if len(codes) <= most:
        return np.arange(len(codes), dtype=np.int32)
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    _, starts, counts = np.unique(codes[order], return_index=True, return_counts=True)
    rank = np.arange(len(codes)) - np.repeat(starts, counts)
    # The k-th of a code's n answers stands at (k + 1/2) / n: taking the smallest first is fair to every code.
    turn = (rank + 0.5) / np.repeat(counts, counts)
    turn[rank < 2] /= len(codes)
    return np.sort(order[np.argsort(turn, kind="stable")[:most]]).astype(np.int32)


def project(vectors: Vectors, codes: Ints, weights: Ints, themes: Sequence[int], *, aspect: float = 1.5) -> Projection:
    """The map of unit vectors: `codes` says each one's code, `themes` each code's theme (both numbered from 0).

    A code's area is proportional to the weight of its answers. Takes less than a second for 5,000 vectors.
    """
    n_codes = len(themes)
    if not len(vectors):
        return Projection(points=np.zeros((0, 2)), centres=np.zeros((n_codes, 2)), radii=np.zeros(n_codes))
    order = np.lexsort((weights, codes, *vectors.T[:6]))
    given, labels, heavy = vectors[order].astype(np.float64), codes[order], weights[order].astype(np.float64)
    mass: Floats = np.bincount(labels, weights=heavy, minlength=n_codes).astype(np.float64)
    shown = np.flatnonzero(mass)
    centroids = _centroids(given, labels, heavy, n_codes)
    radii = _radii(mass, aspect)
    centres = np.zeros((n_codes, 2))
    centres[shown] = _laid_out(centroids[shown], np.asarray(themes)[shown], radii[shown], aspect)
    inside = _inside(given, labels, centroids, centres, shown)
    points = np.empty((len(order), 2))
    points[order] = centres[labels] + inside * radii[labels, None]
    return _fitted(points, centres, radii, shown, aspect)


def _centroids(vectors: Floats, labels: Ints, weights: Floats, n_codes: int) -> Floats:
    sums = np.zeros((n_codes, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    found: Floats = sums / np.maximum(lengths, 1e-9)
    return found


def _radii(mass: Floats, aspect: float) -> Floats:
    radii = np.sqrt(mass)
    mean = radii[mass > 0].mean()
    radii[mass > 0] = np.maximum(radii[mass > 0], LEAST_RADIUS * mean)
    found: Floats = radii * np.sqrt(FILLED * aspect / (np.pi * np.sum(radii**2)))
    return found


def _laid_out(centroids: Floats, themes: npt.NDArray[np.int_], radii: Floats, aspect: float) -> Floats:
    """Centres of discs that do not touch, as near to the codes' likeness as that allows."""
    if len(centroids) == 1:
        return np.zeros((1, 2))
    distances = np.sqrt(np.maximum(2 - 2 * centroids @ centroids.T, 0))
    distances += APART * distances.sum() / (len(radii) * (len(radii) - 1)) * (themes[:, None] != themes)
    np.fill_diagonal(distances, 0)
    wanted = _scaled(distances)
    room = radii[:, None] + radii + radii.mean() * np.where(themes[:, None] != themes, GAP_OF_THEMES, GAP)
    np.fill_diagonal(room, 0)
    places = _untangled(_spread_out(wanted, aspect), room)
    width, height = np.ptp(places, axis=0)
    # Room that is left on one side is used: discs moved apart along one axis still do not touch.
    places *= [
        min(max(aspect * height / max(width, 1e-9), 1), 1.4),
        min(max(width / aspect / max(height, 1e-9), 1), 1.4),
    ]
    return places


def _spread_out(wanted: Floats, aspect: float) -> Floats:
    """Half-way between the places themselves and their even spread over the map, along each axis."""
    spread = np.maximum(wanted.std(axis=0), 0.2 * wanted.std(axis=0).max() + 1e-12)  # codes in a row stay in a row
    even = np.argsort(np.argsort(wanted.round(9), axis=0, kind="stable"), axis=0) / max(len(wanted) - 1, 1) - 0.5
    found: Floats = (0.11 * wanted / spread + 0.35 * even * (wanted.std(axis=0) > 1e-9)) * [aspect, 1.0]
    return found


def _scaled(distances: Floats) -> Floats:
    """Two dimensions that keep the distances as well as two can; the signs are fixed by the farthest code."""
    n = len(distances)
    centring = np.eye(n) - 1 / n
    values, axes = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    top = axes[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0))
    return _signed(top)


def _signed(columns: Floats) -> Floats:
    """An axis has no direction of its own: its largest entry is made positive."""
    largest = np.abs(columns).round(9).argmax(axis=0)
    signs = np.sign(columns[largest, range(columns.shape[1])])
    found: Floats = columns * np.where(signs == 0, 1, signs)
    return found


def _untangled(wanted: Floats, room: Floats) -> Floats:
    """Discs pulled to where they want to be and pushed off each other, then only pushed until none overlap."""
    homes = wanted[:, 0] + 1j * wanted[:, 1]
    homes = homes + 1e-7 * np.exp(2.4j * np.arange(len(homes)))  # two discs in one place must know where to go
    places = homes.copy()
    for _ in range(SETTLING):
        places += PULL * (homes - places)
        places += _pushes(places, room)
    for _ in range(UNTANGLING):
        pushes = _pushes(places, room)
        if np.abs(pushes).max() < 1e-4:
            break
        places += pushes
    return np.column_stack([places.real, places.imag])


def _pushes(places: npt.NDArray[np.complex128], room: Floats) -> npt.NDArray[np.complex128]:
    """How far each disc is pushed by those it overlaps; places on the map are complex numbers here."""
    apart = places[:, None] - places
    distances = np.abs(apart)
    overlap = np.maximum(room - distances, 0) / np.maximum(distances, 1e-12)
    pushes: npt.NDArray[np.complex128] = 0.5 * (apart * overlap).sum(axis=1)
    return pushes


def _inside(vectors: Floats, labels: Ints, centroids: Floats, centres: Floats, shown: npt.NDArray[np.intp]) -> Floats:
    """Each answer's place in a disc of radius 1."""
    likeness = vectors @ centroids.T
    parts = _components(vectors)
    found = np.zeros((len(vectors), 2))
    for code in shown:
        members = np.flatnonzero(labels == code)
        others = shown[shown != code]
        leaning = _leaning(likeness[members][:, others], centres[others] - centres[code])
        steps = leaning + SPREADING * _spread(parts[members])
        rank = np.argsort(np.argsort(-likeness[members, code].round(6), kind="stable"))
        found[members] = _in_rings(rank, np.arctan2(steps[:, 1], steps[:, 0]))
    return found


def _components(vectors: Floats) -> Floats:
    """The answers along their widest dimensions, found by subspace iteration: a tenth of the time of all of them."""
    centred = vectors - vectors.mean(axis=0)
    covariance = centred.T @ centred
    axes = np.random.default_rng(0).normal(size=(len(covariance), min(KEPT, len(covariance))))
    for _ in range(ITERATIONS):
        axes, _ = np.linalg.qr(covariance @ axes)
    found: Floats = centred @ axes
    return found


def _leaning(likeness: Floats, directions: Floats) -> Floats:
    """To which other codes an answer leans more than its code does, as a step on the map; unit variance."""
    if not likeness.shape[1]:
        return np.zeros((len(likeness), 2))
    units = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    return _unit((likeness - likeness.mean(axis=0)) @ units)


def _spread(parts: Floats) -> Floats:
    """The two directions in which a code's own answers differ most; unit variance."""
    centred = parts - parts.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    top = centred @ _signed(axes[:, ::-1][:, :2])
    if top.shape[1] < 2:
        top = np.column_stack([top, np.zeros(len(top))])
    return _unit(top)


def _unit(columns: Floats) -> Floats:
    found: Floats = columns / np.maximum(columns.std(axis=0), 1e-9)
    return found


def _in_rings(rank: npt.NDArray[np.intp], angles: Floats) -> Floats:
    """Places that fill the disc evenly: the most typical in the middle, each ring in the order of its angles."""
    # Ring r holds 6 r places, so the rings up to r hold 1 + 3 r (r + 1).
    ring = np.ceil((np.sqrt(np.maximum(12 * rank - 3, 0)) - 3) / 6 + 1e-9).astype(np.intp).clip(0)
    places = np.empty(len(rank))
    for each in range(ring.max() + 1):
        on_it = np.flatnonzero(ring == each)
        order = on_it[np.argsort(angles[on_it].round(6), kind="stable")]
        even = np.arange(len(order)) / len(order) * 2 * np.pi
        places[order] = even + np.angle(np.exp(1j * (angles[order] - even)).sum())
    radius = np.sqrt((rank + 0.5) / len(rank)) if len(rank) > 1 else np.zeros(1)
    found: Floats = radius[:, None] * np.column_stack([np.cos(places), np.sin(places)])
    return found


def _fitted(points: Floats, centres: Floats, radii: Floats, shown: npt.NDArray[np.intp], aspect: float) -> Projection:
    """Everything scaled into the map, with a margin."""
    low = (centres[shown] - radii[shown, None]).min(axis=0)
    high = (centres[shown] + radii[shown, None]).max(axis=0)
    size = np.maximum(high - low, 1e-9)
    scale = 0.94 * min(aspect / size[0], 1 / size[1])
    shift = np.array([aspect, 1.0]) / 2 - scale * (low + high) / 2
    return Projection(points=points * scale + shift, centres=centres * scale + shift, radii=radii * scale)
