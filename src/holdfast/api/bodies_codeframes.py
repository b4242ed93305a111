"""Bodies of codeframe generations."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from holdfast.api.bodies import Body, Id, Storable
from holdfast.api.bodies_examples import GivenCodes
from holdfast.api.bodies_money import Budget, CostBody, CostEstimateBody, StatusWord
from holdfast.service import MOST_EXAMPLES, GenerationConfig

HierarchyKind: TypeAlias = Literal["flat", "two_level", "three_level", "adaptive"]


def _language(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError("must be a two-letter language code such as en")
    return text.lower()


Language: TypeAlias = Annotated[str, AfterValidator(_language)]
Codes: TypeAlias = Annotated[
    tuple[Annotated[Storable, Field(min_length=1, max_length=200)], ...],
    Field(max_length=1000, description="Codes you have already; themes that mean the same are linked to them"),
]
MinClusterSize: TypeAlias = Annotated[int, Field(strict=True, ge=2, le=50, description="Least answers of a cluster")]
MinSamples: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=20, description="Least different answers of one")]


class AlgorithmConfigBody(Body):
    """Accepted at the top level as well; `config` is where these belong."""

    min_cluster_size: MinClusterSize = 5
    min_samples: MinSamples = 3
    hierarchy_preference: HierarchyKind = "adaptive"


class TaughtBody(Body):
    """An answer's text with the codes that a person confirmed."""

    text: Storable = Field(min_length=1, max_length=20_000)
    codes: GivenCodes


class ConfigBody(Body):
    """How the codeframe is to be made."""

    target_language: Language = Field("en", description="Language of names written by a model")
    hierarchy_preference: HierarchyKind = "adaptive"
    existing_codes: Codes = ()
    min_cluster_size: MinClusterSize = 5
    min_samples: MinSamples = 3
    model: Storable = Field(
        "offline",
        min_length=1,
        max_length=200,
        description="Who writes the labels, or codes brands and sentiments: `offline` (no key, no cost), "
        "`anthropic:MODEL` or `openai:MODEL`",
    )
    budget_usd: Budget | None = Field(None, description="Most its calls may cost; then it is paused")
    batch: bool = Field(
        False, strict=True, description="Buy the labels in the provider's batch: half the price, within a day"
    )
    review: bool = Field(
        False, strict=True, description="One more paid call over all labels: which codes are one, and the themes"
    )
    whole: bool = Field(
        False, strict=True, description="At most 150 different answers in one paid call that makes the whole codeframe"
    )
    code_answers: bool = Field(
        False, strict=True, description="The model also codes every different answer against the finished frame"
    )
    map_above: int = Field(
        500,
        strict=True,
        ge=0,
        le=1_000_000,
        description="Of a code with more different answers than that, the model reads parts (2 to 8 paid calls more) "
        "before it writes the label; 0: never. Not in a batch",
    )
    in_doubt: Literal["repeat", "hold"] = Field("repeat", description="What to do about calls whose outcome is unknown")
    frame_of: UUID | None = Field(
        None,
        description="A finished generation with whose codes, numbers and confirmed answers these answers are coded, "
        "instead of new codes: the next wave, or the same answers again after some were confirmed",
    )
    examples: tuple[TaughtBody, ...] = Field(
        (),
        max_length=MOST_EXAMPLES,
        description="Answers whose codes a person confirmed, of this survey or another, to learn from. With `frame_of` "
        "they add to what was confirmed there; without it the codes they name are the codeframe",
    )
    seed: int = Field(0, strict=True, ge=0, le=2**32 - 1)

    @field_validator("examples")
    @classmethod
    def _name_codes_without_numbers(cls, given: tuple[TaughtBody, ...], info: ValidationInfo) -> tuple[TaughtBody, ...]:
        numbered = (each for each in given if any(isinstance(code, int) for code in each.codes))
        if info.data.get("frame_of", "invalid") is None and (first := next(numbered, None)):
            raise ValueError(
                f"numbers of codes, as of {first.text[:60]!r}, are those of a codeframe: name its generation in "
                "frame_of, or write the codes' names"
            )
        return given


class GenerateBody(Body):
    """A generation to start."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"category_id": 1},
                {
                    "category_id": 1,
                    "n_clusters": 10,
                    "config": {"hierarchy_preference": "two_level", "existing_codes": ["Waiting time"]},
                },
            ]
        }
    )

    category_id: Id
    n_clusters: int | None = Field(None, strict=True, ge=2, le=200, description="Number of codes; null: estimated")
    answer_ids: tuple[Id, ...] | None = Field(None, description="Default: every answer of the category")
    coding_type: Literal["open-ended", "brand", "sentiment"] = "open-ended"
    config: ConfigBody = ConfigBody()
    algorithm_config: AlgorithmConfigBody | None = Field(None, description="Same as the fields of `config`")
    target_language: Language | None = Field(None, description="Same as `config.target_language`")
    existing_codes: Codes | None = Field(None, description="Same as `config.existing_codes`")

    @model_validator(mode="after")
    def _say_each_thing_once(self) -> "GenerateBody":
        for name, value in self._aliases().items():
            if name in self.config.model_fields_set and getattr(self.config, name) != value:
                raise ValueError(f"{name} is given twice, in config and beside it, with different values")
        return self

    def generation_config(self) -> GenerationConfig:
        """Everything that shapes the codeframe, wherever in the body it stood."""
        asked = self.config.model_copy(update=self._aliases())
        return GenerationConfig(
            n_clusters=self.n_clusters,
            hierarchy=asked.hierarchy_preference,
            min_cluster_size=asked.min_cluster_size,
            min_samples=asked.min_samples,
            existing_codes=asked.existing_codes,
            target_language=asked.target_language,
            seed=asked.seed,
            model=asked.model,
            in_doubt=asked.in_doubt,
            coding_type=self.coding_type,
            batch=asked.batch,
            review=asked.review,
            frame_of=None if asked.frame_of is None else str(asked.frame_of),
            examples=tuple((each.text, tuple(map(str, each.codes))) for each in asked.examples),
            whole=asked.whole,
            code_answers=asked.code_answers,
            map_above=asked.map_above,
        )

    def _aliases(self) -> dict[str, Any]:
        given = {"target_language": self.target_language, "existing_codes": self.existing_codes}
        algorithm: BaseModel | None = self.algorithm_config
        named = {} if algorithm is None else {name: getattr(algorithm, name) for name in algorithm.model_fields_set}
        return named | {name: value for name, value in given.items() if value is not None}


class GeneratedBody(Body):
    """The generation that was started, or the one that was meant by a repeated request."""

    generation_id: UUID
    status: StatusWord
    n_answers: int
    poll_url: str
    events_url: str
    cost_estimate: CostEstimateBody


class ErrorBody(Body):
    """Why a generation failed, or why it is paused."""

    model_config = ConfigDict(extra="ignore")

    code: str
    message: str
    unit: str | None = None
    attempt: int | None = None


class ProgressBody(Body):
    """Where a generation is, right now; everything is computed from what is owed and done."""

    generation_id: UUID
    status: StatusWord
    progress: int = Field(ge=0, le=100, description="Percent, never going down")
    phase: Literal["prepare", "whole", "embed", "cluster", "label", "review", "draft", "code", "assemble"] | None = (
        Field(description="null: none under way")
    )
    n_clusters: int = Field(description="Clusters to label; 0 until they are known")
    n_completed: int = Field(description="Clusters labelled")
    n_failed: int = Field(description="Clusters given up")
    n_pending: int = Field(description="Clusters not labelled yet, the running ones included")
    n_running: int = Field(description="Clusters a worker is labelling")
    n_answers: int
    cost: CostBody
    eta_seconds: float | None = Field(description="null: not known yet, or ended")
    processing_time_ms: int
    mece_score: float | None = Field(description="0..100, once there is a codeframe")
    error: ErrorBody | None


class ExampleBody(Body):
    """A typical answer."""

    answer_id: int
    text: str


class UnitErrorBody(Body):
    """Why a unit failed."""

    code: str
    message: str
    attempt: int | None


class UnitBody(Body):
    """A unit of work that has ended."""

    unit: str = Field(description="Its stage and ordinal", examples=["label/3"])
    stage: str
    ordinal: int
    state: Literal["done", "failed"]
    name: str | None = Field(description="The label, if that is what was made")
    error: UnitErrorBody | None
    finished_at: datetime


class NodeBody(Body):
    """A theme or a code, with what is below it."""

    id: int
    node_type: Literal["theme", "code"]
    kind: str = Field(description="content, other (what fits no code) or rule (e.g. no answer)")
    number: int | None = Field(description="The code's number in exports")
    level: int = Field(description="1 at the top")
    name: str
    description: str
    confidence: float = Field(description="0..1, how well the answers below hang together")
    keyphrases: tuple[str, ...]
    frequency: int = Field(description="Same as n_answers")
    n_answers: int = Field(description="Answers with this code, or any below it")
    share: float = Field(description="n_answers of all answers, 0..1")
    examples: tuple[ExampleBody, ...]
    approval: Literal["pending", "approved", "rejected"]
    children: tuple["NodeBody", ...]


class MeceIssueBody(Body):
    """Something about the codeframe a person should look at."""

    kind: str
    severity: Literal["error", "warning"]
    message: str
    nodes: tuple[int, ...] = Field(description="Ids of the nodes it is about")
    value: float


class MeceBody(Body):
    """How mutually exclusive and collectively exhaustive the codeframe is."""

    score: float = Field(description="0..100")
    exclusivity: float = Field(description="0..1")
    exhaustiveness: float = Field(description="0..1")
    issues: tuple[MeceIssueBody, ...]
    stability: float | None = Field(
        default=None, description="How far the clusters come out again from other parts of the answers, up to 1"
    )


class HierarchyBody(Body):
    """A codeframe."""

    generation_id: UUID
    version: int
    mece: MeceBody
    hierarchy: tuple[NodeBody, ...]


class StatusBody(ProgressBody):
    """Where a generation is, and its codeframe once there is one."""

    result: HierarchyBody | None = Field(description="As GET …/hierarchy says it; null until there is one")


class DriftBody(Body):
    """How a code's share moved."""

    number: int
    name: str
    then: float = Field(description="Share of last wave's answers, coded anew in the same way")
    now: float
    p: float = Field(description="Of a difference this large by chance, two-sided, after Holm's correction")


class NewThemeBody(Body):
    """Answers in Other that say the same."""

    name: str
    n_answers: int
    quotes: tuple[str, ...]


class WaveBody(Body):
    """What moved since the wave whose codeframe was used, and what is new."""

    frame_of: UUID
    n_then: int = Field(description="Answers of that wave that were compared")
    drift: tuple[DriftBody, ...]
    new_themes: tuple[NewThemeBody, ...]
