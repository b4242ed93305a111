"""The codeframe of a brand question: brands by how sure they are, and apart from them what names none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.codeframe.brand_coder import asked_brands
from holdfast.codeframe.brands import Brand, BrandCoding, code_brands
from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.framing import Draft, RowCodes, frame_of, other_draft, rule_drafts, unread_note
from holdfast.codeframe.preprocess import prepare, spelled_alike
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import (
    APART_NUMBER,
    FIRST_THEME,
    OTHER_NUMBER,
    AssembledFrame,
    FrameConfig,
    Mece,
    MeceIssue,
)

MOST_BRANDS = 900  # numbers below Other's and the rule codes'
MOST_ISSUES = 50

VERIFIED = Draft(
    key="theme/verified",
    number=FIRST_THEME,
    node_type="theme",
    name="Verified",
    description="Brands of your list, and names that many answers spell alike.",
)
REVIEW = Draft(
    key="theme/review",
    number=FIRST_THEME + 1,
    node_type="theme",
    name="Review",
    description="Names that few answers give, or that may be another brand misspelt. Read them before you count them.",
)
SPAM = Draft(
    key="theme/spam",
    number=APART_NUMBER,
    node_type="theme",
    kind="rule",
    name="Spam",
    description="Answers that name nothing: runs of keys, single letters, numbers, and those who do not know.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coded:
    """The brands that get a code of their own, and every row's codes."""

    brands: tuple[Brand, ...]
    rows: list[RowCodes]
    left_out: int  # brands without a code, their answers in Other


def brand_stage(texts: Sequence[str], config: FrameConfig, read: Mapping[str, Reading] | None = None) -> AssembledFrame:
    """Every answer coded to all brands it names, the first named first.

    Brands of `config.existing_codes` come before what is found; `config.min_cluster_size` answers make a brand that
    is not listed a verified one. `read`: what a model has read in distinct texts; one that it was asked about in vain
    is in Other.
    """
    said, asked, notes = list(texts), tuple[str, ...](), list[str]()
    if read is not None:
        prepared = prepare(texts)
        asked = asked_brands(prepared, config.existing_codes)
        said = spelled_alike(texts, prepared)
        notes = unread_note(said, asked, read)
    coding = code_brands(said, listed=config.existing_codes, many=config.min_cluster_size, asked=asked, read=read)
    coded = _code(said, coding)
    drafts = _drafts(coded, themed=config.hierarchy != "flat")
    return frame_of(texts, drafts, coded.rows, mece=_mece(coded), notes=[*_notes(coded), *notes])


def _code(texts: Sequence[str], coding: BrandCoding) -> _Coded:
    """Numbers are places, from 1; a row without a brand has one rule code, or Other with score 0."""
    brands = coding.brands[:MOST_BRANDS]
    numbers: dict[str, RowCodes] = {}
    for text, named in coding.coded.items():
        kept = tuple((place + 1, score) for place, score in named if place < len(brands))
        rule = coding.spam.get(text)
        numbers[text] = kept or (((RULES[rule].number, 1.0),) if rule else ((OTHER_NUMBER, 0.0),))
    return _Coded(brands=brands, rows=[numbers[text] for text in texts], left_out=len(coding.brands) - len(brands))


def _drafts(coded: _Coded, *, themed: bool) -> list[Draft]:
    """Verified brands, then those to review with Other, then spam; themes only where there is something below."""
    found: list[Draft] = []
    for theme, group in ((VERIFIED, "verified"), (REVIEW, "review")):
        parent = theme.key if themed else None
        below = [_draft(n, brand, parent) for n, brand in enumerate(coded.brands, 1) if brand.group == group]
        if theme is REVIEW:
            below += _other(coded.rows, parent)
        found += [theme, *below] if below and themed else below
    spam = rule_drafts(coded.rows, parent=SPAM.key if themed else None)
    return [*found, *([SPAM] if spam and themed else []), *spam]


def _draft(number: int, brand: Brand, parent: str | None) -> Draft:
    sure = 0.99 if brand.listed else 0.95 if brand.group == "verified" else 0.3 if brand.is_unsure else 0.5
    return Draft(
        key=f"code/{number}",
        number=number,
        name=brand.name,
        description=brand.evidence,
        parent=parent,
        confidence=sure,
        keyphrases=tuple(text for text, _ in brand.spellings[:8]),
        existing=brand.listed,
    )


def _other(rows: Sequence[RowCodes], parent: str | None) -> list[Draft]:
    if all(codes[0][0] != OTHER_NUMBER for codes in rows):
        return []
    return [
        other_draft("Answers in which no brand was recognised; read them for brands that are missing.", parent=parent)
    ]


def _mece(coded: _Coded) -> Mece:
    """Naming several brands is no overlap; what may be either of two is."""
    n = max(len(coded.rows), 1)
    unsure = {number for number, brand in enumerate(coded.brands, 1) if brand.is_unsure}
    doubtful = sum(any(number in unsure for number, _ in codes) for codes in coded.rows)
    missed = sum(codes[0][0] == OTHER_NUMBER for codes in coded.rows)
    issues = [
        MeceIssue(
            kind="overlap",
            severity="warning",
            message=f"“{coded.brands[number - 1].name}”: {coded.brands[number - 1].evidence}",
            nodes=(f"code/{number}",),
            value=round(coded.brands[number - 1].n_rows / n, 4),
        )
        for number in sorted(unsure)[:MOST_ISSUES]
    ]
    exclusivity, exhaustiveness = (1 - doubtful / n, 1 - missed / n) if coded.rows else (0.0, 0.0)
    return Mece(
        score=round(50 * (exclusivity + exhaustiveness), 1),
        exclusivity=round(exclusivity, 4),
        exhaustiveness=round(exhaustiveness, 4),
        issues=tuple(issues),
    )


def _notes(coded: _Coded) -> list[str]:
    review = sum(brand.group == "review" for brand in coded.brands)
    notes = [f"{review} of {len(coded.brands)} brands are for you to review"] if review else []
    if coded.left_out:
        notes.append(f"{coded.left_out} rarer names have no code of their own; their answers are in Other")
    return notes
