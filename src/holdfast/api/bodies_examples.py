"""Bodies of what a person says of answers' codes."""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field, StrictInt

from holdfast.api.bodies import Body, Id, Storable

Code: TypeAlias = StrictInt | Annotated[Storable, Field(strict=True, min_length=1, max_length=200)]
GivenCodes: TypeAlias = Annotated[
    tuple[Code, ...],
    Field(max_length=20, description="Numbers or names of the codeframe's codes, the best first; none says Other"),
]
MOST_AT_ONCE = 10_000


class ConfirmBody(Body):
    """What an answer's codes are."""

    codes: GivenCodes


class ConfirmOneBody(Body):
    """What the codes of one of many answers are."""

    answer_id: Id
    codes: GivenCodes


class ConfirmManyBody(Body):
    """Many answers' codes at once."""

    items: tuple[ConfirmOneBody, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ConfirmationBody(Body):
    """An answer's codes as a person confirmed or corrected them."""

    answer_id: int
    text: str
    numbers: tuple[int, ...] = Field(description="The best first; none: Other")
    confirmed_at: datetime


class ConfirmationsBody(Body):
    """A page of confirmed answers, by their ids."""

    items: tuple[ConfirmationBody, ...]
    total: int
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null: this is the last one")


class ConfirmedBody(Body):
    """What was kept."""

    n_kept: int
    total: int = Field(description="Confirmed answers of the generation, all in all")


class SuggestionBody(Body):
    """An answer whose codes are worth confirming."""

    answer_id: int
    text: str
    n_rows: int = Field(description="Answers that say the same")
    number: int = Field(description="The most probable code's")
    code: str
    probability: float


class SuggestionsBody(Body):
    """What to confirm next, the most useful first."""

    items: tuple[SuggestionBody, ...]
    n_confirmed: int = Field(description="Different answers that are confirmed")


class CodeAgreementBody(Body):
    """One code's figures."""

    code: str
    n: int = Field(description="Answers to which the person gave it")
    found: int = Field(description="Answers to which the generation gave it")
    precision: float
    recall: float
    f1: float


class ConfusedBody(Body):
    """A code that was given for another."""

    ours: str
    theirs: str
    n: int


class AgreementBody(Body):
    """How far the generation's codes agree with those a person confirmed."""

    n: int = Field(description="Answers compared")
    micro_precision: float
    micro_recall: float
    micro_f1: float
    accuracy: float = Field(description="Share of the answers whose best code is the person's first")
    kappa: float | None = Field(description="Cohen's, of the best codes; null: chance alone explains everything")
    alpha: float | None = Field(description="Krippendorff's, of the best codes")
    alpha_masi: float | None = Field(description="Krippendorff's, of the sets of codes, with MASI's distance")
    codes: tuple[CodeAgreementBody, ...]
    confused: tuple[ConfusedBody, ...]


class AssignedCodeBody(Body):
    """A code that an answer got."""

    number: int
    name: str
    score: float


class AssignmentBody(Body):
    """An answer with its codes."""

    answer_id: int
    external_id: str | None
    text: str
    state: str = Field(description="coded | other (near no code) | set_aside (says nothing that could be coded)")
    codes: tuple[AssignedCodeBody, ...] = Field(description="As the generation gave them, the best first")
    confirmed: tuple[int, ...] | None = Field(
        description="Numbers of the codes that a person gave it; none: Other; null: nobody said anything"
    )


class AssignmentsBody(Body):
    """A page of answers with their codes."""

    items: tuple[AssignmentBody, ...]
    total: int = Field(description="Answers that were asked for, on all pages")
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null: this is the last one")


class CodeByHandBody(Body):
    """What an answer's codes are in a codeframe."""

    generation_id: UUID
    codes: GivenCodes


class CodedBody(Body):
    """An answer's codes as they are kept now."""

    answer_id: int
    generation_id: UUID
    confirmed: tuple[int, ...] = Field(description="Numbers, the best first; none: Other")
