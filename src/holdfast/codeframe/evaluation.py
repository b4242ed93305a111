"""A coding beside a person's of the same answers, as one set of figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast.codeframe.agreement import (
    Confusion,
    Figures,
    best_matching,
    code_figures,
    cohen_kappa,
    confusions,
    krippendorff_alpha,
    masi,
    micro_figures,
)

Codes = tuple[str, ...]  # of one answer, the best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How far our coding agrees with a person's; kappa and alpha are None where chance alone explains everything."""

    n: int  # answers compared
    all_codes: Figures  # over every pair of answer and code
    accuracy: float  # share of the answers whose best code is the person's first
    kappa: float | None  # of the best codes
    alpha: float | None  # Krippendorff's, of the best codes
    alpha_sets: float | None  # of the sets of codes, with MASI's distance
    by_code: Mapping[str, Figures]
    confused: Sequence[Confusion]
    matching: Mapping[str, str] | None  # our code -> the person's it was taken for; None: names were compared

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            **_figures(self.all_codes, prefix="micro_"),
            "accuracy": self.accuracy,
            "kappa": self.kappa,
            "alpha": self.alpha,
            "alpha_masi": self.alpha_sets,
            "codes": [
                {"code": code, "n": figures.n, "found": figures.found, **_figures(figures)}
                for code, figures in self.by_code.items()
            ],
            "confused": [asdict(pair) for pair in self.confused],
            "matching": None if self.matching is None else dict(self.matching),
        }


def evaluate(ours: Sequence[Codes], theirs: Sequence[Codes], *, match: bool = False) -> Evaluation:
    """Compare two codings of the same answers; `match` first finds which of their codes each of ours stands for.

    Codes are the same whatever their case and white space; an answer's codes are the best first.
    """
    names = _Names()
    left, right = ([names.folded(codes) for codes in side] for side in (ours, theirs))
    matching = best_matching(*map(_sets, (left, right))) if match else None
    if matching is not None:
        # One of ours without a partner must not count as theirs of the same name.
        left = [tuple(matching.get(code, f"\0{code}") for code in codes) for codes in left]
        names.shown |= {f"\0{code}": f"{name} (ours)" for code, name in names.shown.items()}
    mine, person = _sets(left), _sets(right)
    best, first = ([codes[0] if codes else "" for codes in side] for side in (left, right))
    by_code = code_figures(mine, person)
    return Evaluation(
        n=len(left),
        all_codes=micro_figures(mine, person),
        accuracy=sum(a == b for a, b in zip(best, first, strict=True)) / max(len(left), 1),
        kappa=cohen_kappa(best, first),
        alpha=krippendorff_alpha(list(zip(best, first, strict=True))),
        alpha_sets=krippendorff_alpha(list(zip(mine, person, strict=True)), masi),
        by_code={names.shown[code]: by_code[code] for code in sorted(by_code, key=lambda c: (-by_code[c].n, c))},
        confused=[
            Confusion(ours=names.shown[pair.ours], theirs=names.shown[pair.theirs], n=pair.n)
            for pair in confusions(mine, person)
        ],
        matching=None if matching is None else {names.shown[a]: names.shown[b] for a, b in sorted(matching.items())},
    )


class _Names:
    """Codes as they are compared, and how each was written first in sorted order."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}

    def folded(self, codes: Codes) -> Codes:
        for code in codes:
            key = " ".join(code.split()).casefold()
            self.shown[key] = min(self.shown.get(key, code), code)
        return tuple(dict.fromkeys(" ".join(code.split()).casefold() for code in codes))


def _sets(side: Sequence[Codes]) -> list[frozenset[str]]:
    return [frozenset(codes) for codes in side]


def _figures(figures: Figures, *, prefix: str = "") -> dict[str, float]:
    return {f"{prefix}{name}": getattr(figures, name) for name in ("precision", "recall", "f1")}
