"""The codeframe of a sentiment coding: positive, neutral or mixed, negative, and apart from them what says nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence

from holdfast.codeframe.bundles import Reading
from holdfast.codeframe.framing import Draft, RowCodes, frame_of, other_draft, rule_drafts, unread_note
from holdfast.codeframe.preprocess import normalise, prepare, spelled_alike
from holdfast.codeframe.rules import rule_of
from holdfast.codeframe.sentiment import Sentiment, sentiment_of
from holdfast.codeframe.values import AssembledFrame, FrameConfig, Mece

CODES = (
    Draft(key="code/1", number=1, name="Positive", description="Praise, or more praise than blame."),
    Draft(
        key="code/2",
        number=2,
        name="Neutral or mixed",
        description="Praise and blame in one answer, or no sign of either (those have a score of 0.5).",
    ),
    Draft(key="code/3", number=3, name="Negative", description="Blame or a request, or more of that than praise."),
)
NUMBERS = {"positive": 1, "neutral": 2, "negative": 3}
PLAIN_SIGN = (
    2.0  # weight of praise or blame that an answer a rule would set aside must have to be read: `no complaints`
)
SILENT = 0.6  # share of answers without a sign that the user should know of


OTHER = other_draft("Answers of which the model gave no usable reading.")
MEANT = {**NUMBERS, "mixed": 2}


def sentiment_stage(
    texts: Sequence[str], config: FrameConfig, read: Mapping[str, Reading] | None = None
) -> AssembledFrame:
    """Every answer with one of three codes and how sure that is, or with a rule code.

    `read`: what a model has read in distinct texts; one that it was asked about in vain is in Other.
    """
    del config  # nothing to choose
    return _by_words(texts) if read is None else _by_model(texts, read)


def _by_model(texts: Sequence[str], read: Mapping[str, Reading]) -> AssembledFrame:
    """What a rule sets aside is read by its words, as without a model."""
    prepared = prepare(texts)
    said = spelled_alike(texts, prepared)
    coded = {text: ((MEANT[read[text][0]], read[text][1]),) if text in read else () for text in prepared.distinct}
    rows: list[RowCodes] = [
        (coded[text] or ((OTHER.number, 0.0),)) if place >= 0 else _code(text, sentiment_of(text))
        for text, place in zip(said, prepared.index.tolist(), strict=True)
    ]
    missing = sum(codes[0][0] == OTHER.number for codes in rows)
    drafts = [*CODES, *([OTHER] if missing else []), *rule_drafts(rows, parent=None)]
    notes = unread_note(said, prepared.distinct, read)
    return frame_of(texts, drafts, rows, mece=_mece(missing, len(rows)), notes=notes)


def _by_words(texts: Sequence[str]) -> AssembledFrame:
    weights = Counter(texts)
    found = {text: sentiment_of(text) for text in weights}
    coded = {text: _code(text, sentiment) for text, sentiment in found.items()}
    rows = [coded[text] for text in texts]
    silent = sum(
        weights[text] for text, said in found.items() if not said.praise + said.blame and coded[text][0][0] in {1, 2, 3}
    )
    read = sum(codes[0][0] in {1, 2, 3} for codes in rows)
    drafts = [*CODES, *rule_drafts(rows, parent=None)]
    return frame_of(texts, drafts, rows, mece=_mece(silent, len(rows)), notes=_notes(silent, read))


def _code(text: str, said: Sentiment) -> RowCodes:
    rule = rule_of(normalise(text))
    if rule and max(said.praise, said.blame) < PLAIN_SIGN:
        return ((rule.number, 1.0),)
    return ((NUMBERS[said.polarity], said.certainty),)


def _mece(silent: int, n: int) -> Mece:
    """One code an answer; an answer without a sign is not really covered."""
    covered = 1 - silent / n if n else 0.0
    exclusivity = 1.0 if n else 0.0
    return Mece(
        score=round(50 * (exclusivity + covered), 1),
        exclusivity=exclusivity,
        exhaustiveness=round(covered, 4),
        issues=(),
    )


def _notes(silent: int, read: int) -> list[str]:
    if not read or silent < SILENT * read:
        return []
    return [f"{silent} answers have no word of praise or blame known here; sentiment is read in English only"]
