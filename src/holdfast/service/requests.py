"""What a generation is asked for, checked once for every door (HTTP, CLI, Python)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal, get_args

from holdfast.codeframe import MAP_ABOVE, FrameConfig, named_codes
from holdfast.durable import fingerprint
from holdfast.errors import BadInput, NotConfigured, Problem

Hierarchy = Literal["flat", "two_level", "three_level", "adaptive"]
HIERARCHIES: tuple[str, ...] = get_args(Hierarchy)
OPEN_ENDED, BRAND, SENTIMENT = CODING_TYPES = ("open-ended", "brand", "sentiment")
OFFLINE = "offline"
PROVIDERS = ("anthropic", "openai")
MIN_ANSWERS = 10
MOST_EXAMPLES, MOST_NAMED = 10_000, 200

_LATER = {"embedder", "examples_digest", "map_above"}

# name -> (least, most), as specs of the HTTP API
BOUNDS = {"n_clusters": (2, 200), "min_cluster_size": (2, 50), "min_samples": (1, 20), "map_above": (0, 1_000_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationConfig:
    """How the codeframe is to be made."""

    n_clusters: int | None = None  # None: estimated
    hierarchy: str = "adaptive"
    min_cluster_size: int = 5
    min_samples: int = 3
    existing_codes: tuple[str, ...] = ()
    target_language: str = "en"
    seed: int = 0
    model: str = "offline"
    in_doubt: str = "repeat"
    coding_type: str = "open-ended"
    batch: bool = False  # through the provider's batch API: half the price, within a day
    frame_of: str | None = None  # id of a generation whose codes are used instead of finding new ones
    # Texts with the names or numbers of their codes, as a person confirmed them; none says Other. Without `frame_of`
    # the codes they name, and the existing ones, are the codeframe.
    examples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    examples_digest: str | None = None  # as kept: the examples, megabytes, are beside it (store.generations.examples)
    review: bool = False  # one more call over all labels: merges and themes
    whole: bool = False  # a small survey in one prompt: the model makes the frame and codes the answers
    code_answers: bool = False  # the model codes every answer against the finished frame
    map_above: int = MAP_ABOVE  # clusters with more different answers are read in parts by the model; 0: none is
    embedder: str | None = None  # whose vectors are bought, as it was estimated; None: only what costs nothing

    def to_json(self) -> dict[str, Any]:
        examples = [[text, list(codes)] for text, codes in self.examples]
        told = {**asdict(self), "existing_codes": list(self.existing_codes), "examples": examples}
        told["map_above"] = self.map_above if self._may_map else None
        # What came later than generations that are under way is left out: the same request keeps its fingerprint.
        return {name: value for name, value in told.items() if name not in _LATER or value is not None}

    def older_forms(self) -> list[dict[str, Any]]:
        """What releases before this one would have kept of the same request, and may have begun with."""
        told = self.to_json()
        return [{name: value for name, value in told.items() if name != "map_above"}] if "map_above" in told else []

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "GenerationConfig":
        """What was kept, by this release or one before it. Raises NotConfigured for what only a newer one knows."""
        unknown = sorted(set(value) - {known.name for known in fields(cls)})
        if unknown:
            raise NotConfigured(
                f"this generation was begun by a newer Holdfast, which knows {', '.join(unknown)}: "
                "upgrade this one, then resume the generation"
            )
        examples = tuple((text, tuple(codes)) for text, codes in value.get("examples", ()))
        # One that was kept without it was estimated without it: nothing is read in parts.
        given = {"map_above": 0, **value}
        return cls(**{**given, "existing_codes": tuple(value["existing_codes"]), "examples": examples})

    @property
    def is_direct(self) -> bool:
        """Whether the answers are coded by their words, without clusters and labels."""
        return self.coding_type != OPEN_ENDED

    @property
    def is_taught(self) -> bool:
        """Whether the codes are there already, and the answers are coded with them."""
        return bool(self.frame_of or self.examples or self.examples_digest)

    @property
    def maps(self) -> bool:
        """Whether a model reads large clusters in parts."""
        return self._may_map and self.map_above > 0

    @property
    def _may_map(self) -> bool:
        """Whether it could; in a batch, labels would have to wait for a second one."""
        return not (self.model == OFFLINE or self.is_direct or self.whole or self.batch)

    def names_given(self) -> list[str]:
        """Codes as the examples and the existing codes write them."""
        return [*self.existing_codes, *(code for _, codes in self.examples for code in codes)]

    def frame(self) -> FrameConfig:
        """What the pipeline needs of it."""
        return FrameConfig(
            n_clusters=self.n_clusters,
            hierarchy=self.hierarchy,  # type: ignore[arg-type] # `check` has seen it
            min_cluster_size=self.min_cluster_size,
            min_samples=self.min_samples,
            existing_codes=self.existing_codes,
            target_language=self.target_language,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """A generation to start."""

    category_id: int
    config: GenerationConfig = field(default_factory=GenerationConfig)
    answer_ids: Sequence[int] | None = None  # None: every answer of the category
    idempotency_key: str | None = None
    budget: Decimal | None = None  # most its calls may cost, US dollars; None: no limit but the settings'
    client: dict[str, Any] | None = None  # kept for the client, e.g. where the CLI writes its table


def is_paid(model: str) -> bool:
    """Whether the model, of words or of vectors, is a provider's, which is paid for what it makes."""
    provider, colon, name = model.partition(":")
    return provider in PROVIDERS and bool(colon and name.strip())


def check(config: GenerationConfig) -> None:
    """Raises BadInput with every problem at once."""
    problems = [
        *_out_of_bounds(config),
        *_unknown_words(config),
        *_without_a_model(config),
        *_beside_the_coding(config),
        *_beside_a_frame(config),
        *_beside_the_whole(config),
    ]
    if problems:
        raise BadInput("; ".join(f"{p.path}: {p.message}" for p in problems), problems=problems)


def request_fingerprint(config: dict[str, Any], category_id: int, input_digest: str) -> str:
    """Two requests with one fingerprint mean the same generation."""
    return fingerprint(config, category_id, input_digest)


def _out_of_bounds(config: GenerationConfig) -> list[Problem]:
    found = []
    for name, (least, most) in BOUNDS.items():
        value = getattr(config, name)
        if value is not None and not least <= value <= most:
            found.append(Problem(path=name, message=f"must be between {least} and {most}, not {value}"))
    return found


def _unknown_words(config: GenerationConfig) -> list[Problem]:
    found = []
    if config.hierarchy not in HIERARCHIES:
        known = ", ".join(HIERARCHIES)
        found.append(Problem(path="hierarchy", message=f"must be one of {known}, not {config.hierarchy!r}"))
    if config.model != OFFLINE and not is_paid(config.model):
        message = f"must be offline, anthropic:MODEL or openai:MODEL, not {config.model!r}"
        found.append(Problem(path="model", message=message))
    if config.coding_type not in CODING_TYPES:
        message = f"must be one of {', '.join(CODING_TYPES)}, not {config.coding_type!r}"
        found.append(Problem(path="coding_type", message=message))
    if config.in_doubt not in {"repeat", "hold"}:
        found.append(Problem(path="in_doubt", message="must be repeat or hold"))
    if not (len(config.target_language) == 2 and config.target_language.isalpha()):
        found.append(Problem(path="target_language", message="must be a two-letter language code such as en"))
    return found


def _without_a_model(config: GenerationConfig) -> list[Problem]:
    """What only a model can be asked for."""
    needed = {
        "batch": "offline labels are not bought: leave batch out",
        "review": "only a model can review the codeframe: leave review out",
        "whole": "only a model can read a survey whole: leave whole out, or name a model",
        "code_answers": "only a model can code the answers one by one: leave that out, or name a model",
    }
    asked = needed if config.model == OFFLINE else {}
    return [Problem(path=name, message=message) for name, message in asked.items() if getattr(config, name)]


def _beside_the_coding(config: GenerationConfig) -> list[Problem]:
    """What makes no sense with a coding that has its codes from elsewhere: refused, not passed over in silence."""
    if config.coding_type not in {BRAND, SENTIMENT}:
        return []
    kind = config.coding_type
    found = []
    if config.review:
        found.append(Problem(path="review", message=f"{kind} coding finds no themes to review: leave review out"))
    if config.code_answers:
        found.append(Problem(path="code_answers", message=f"{kind} coding by a model is just that: leave it out"))
    if config.n_clusters is not None:
        found.append(Problem(path="n_clusters", message=f"{kind} coding makes no clusters: leave the number out"))
    if config.hierarchy not in {"adaptive", "flat", *(["two_level"] if kind == BRAND else [])}:
        known = "adaptive, flat or two_level" if kind == BRAND else "adaptive or flat"
        found.append(Problem(path="hierarchy", message=f"of {kind} coding must be {known}, not {config.hierarchy!r}"))
    if kind == SENTIMENT and config.existing_codes:
        message = "sentiment coding has three codes of its own: leave existing codes out"
        found.append(Problem(path="existing_codes", message=message))
    return found


def _beside_a_frame(config: GenerationConfig) -> list[Problem]:
    """What makes no sense with codes that are there already."""
    if not config.is_taught:
        return []
    of_a_frame = config.frame_of is not None
    refused = {
        "n_clusters": config.n_clusters is not None,
        "hierarchy": config.hierarchy != "adaptive",
        "existing_codes": of_a_frame and bool(config.existing_codes),
        "coding_type": config.coding_type != OPEN_ENDED,
        "model": config.model != OFFLINE,
    }
    beside, whose = ("frame_of", "of that generation") if of_a_frame else ("examples", "that they name")
    message = f"must be left out with {beside}: the codes are those {whose}, and coding with them is offline"
    found = [Problem(path=name, message=message) for name, given in refused.items() if given]
    if len(config.examples) > MOST_EXAMPLES:
        found.append(Problem(path="examples", message=f"must be at most {MOST_EXAMPLES}, not {len(config.examples)}"))
    if not (of_a_frame or 2 <= (n := len(named_codes(config.names_given()))) <= MOST_NAMED):
        message = f"must name between 2 and {MOST_NAMED} codes beside Other, not {n}"
        found.append(Problem(path="examples", message=message))
    return found


def _beside_the_whole(config: GenerationConfig) -> list[Problem]:
    """What makes no sense where one call brings everything."""
    if not config.whole:
        return []
    in_vain = {
        "coding_type": config.is_direct,
        "batch": config.batch,
        "review": config.review,
        "code_answers": config.code_answers,
    }
    found = [
        Problem(path=name, message="a survey that goes into one prompt whole has no use for it: leave one of them out")
        for name, is_asked in in_vain.items()
        if is_asked
    ]
    if config.hierarchy == "three_level":
        message = "of a survey that goes into one prompt whole must be adaptive, flat or two_level, not 'three_level'"
        found.append(Problem(path="hierarchy", message=message))
    return found
