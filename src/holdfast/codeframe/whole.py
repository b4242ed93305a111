"""A small survey whole in one prompt: a model makes the codeframe and codes every answer with it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from holdfast.codeframe.framing import Draft, RowCodes, frame_of, other_draft, rule_drafts, unread_note
from holdfast.codeframe.grouping import levels_of
from holdfast.codeframe.mece import score_mece
from holdfast.codeframe.merging import name_vectors
from holdfast.codeframe.preprocess import Prepared, prepare, spelled_alike
from holdfast.codeframe.prompting import Prompt
from holdfast.codeframe.replies import TEXT_CHARS, line, named, numbers, parsed, plain, sentence, share
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.values import APART_NUMBER, FIRST_THEME, OTHER_NUMBER, AssembledFrame, FrameConfig, Mece
from holdfast.errors import BadReply

VERSION = "whole-1"
MOST_TEXTS = 150  # different answers
SHOWN = 400  # characters of an answer that are shown: 150 of them are at most about 15,000 tokens
MOST_CODES = 3  # of an answer
LIKELY_CODES = 30  # for which the reply has room
TOKENS, TOKENS_A_TEXT, TOKENS_A_CODE = 400, 8, 100  # of the reply

OTHER = other_draft("Answers to which the model gave no code; read them for codes that are missing.")
APART = Draft(
    key="theme/apart",
    number=APART_NUMBER,
    node_type="theme",
    kind="rule",
    name="No content",
    description="Answers that fit no code, or that say nothing.",
)
UNTHEMED = "Further codes"

_TEXT: Mapping[str, Any] = {"type": "string"}
_CODE: Mapping[str, Any] = {
    "name": _TEXT,
    "description": _TEXT,
    "theme": _TEXT,
    "confidence": {"type": "number"},
    "answers": {"type": "array", "items": {"type": "integer"}},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "codes": {
            "type": "array",
            "items": {"type": "object", "properties": _CODE, "required": list(_CODE), "additionalProperties": False},
        }
    },
    "required": ["codes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCode:
    """A code of the frame, with the distinct texts that have it."""

    name: str
    description: str
    theme: str  # empty: none
    confidence: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFrame:
    """A checked reply: names of their own, known texts only, each in at most three codes."""

    codes: tuple[WholeCode, ...] = ()  # in the order of the reply

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(codes=tuple(WholeCode(**{**part, "texts": tuple(part["texts"])}) for part in value["codes"]))


def whole_prompt(prepared: Prepared, config: FrameConfig, *, question: str | None = None) -> Prompt:
    """What a model is asked about all answers together, which go as JSON strings; their ids count from 1."""
    shown = zip(prepared.distinct, prepared.weights.tolist(), strict=True)
    document = {
        "question": question,
        "n_codes": config.n_clusters,
        "themes": config.hierarchy not in {"flat", "adaptive"} or _may_need_themes(prepared, config),
        "existing_codes": list(config.existing_codes),
        "language": config.target_language,
        "answers": [{"id": n, "text": text[:SHOWN], "respondents": m} for n, (text, m) in enumerate(shown, start=1)],
    }
    codes = config.n_clusters or LIKELY_CODES
    tokens = TOKENS + TOKENS_A_TEXT * len(prepared.distinct) + TOKENS_A_CODE * codes
    return Prompt.of(VERSION, document, schema=SCHEMA, max_tokens=tokens)


def _may_need_themes(prepared: Prepared, config: FrameConfig) -> bool:
    return levels_of(config.hierarchy, config.n_clusters or min(LIKELY_CODES, len(prepared.distinct))) > 0


def read_whole(text: str, finish: str, prepared: Prepared, config: FrameConfig) -> WholeFrame:
    """The frame in a reply. Raises BadReply, and nothing else, for a reply that codes less than half of the texts.

    Ids that were not sent are left out, codes of one name are one, and a text's fourth code is not used.
    """
    said = parsed(text, finish).get("codes")
    if not isinstance(said, list):
        raise BadReply("the model's reply is not of the asked shape; it is stored and paid for", kind="wrong_schema")
    found: dict[str, WholeCode] = {}
    codes_of = dict.fromkeys(prepared.distinct, 0)
    for part in said:
        code = _code(part, prepared.distinct, config) if isinstance(part, dict) else None
        if code is None:
            continue
        before = found.get(plain(code.name))
        held = before.texts if before else ()
        new = [each for each in code.texts if codes_of[each] < MOST_CODES and each not in held]
        codes_of |= {each: codes_of[each] + 1 for each in new}
        if held or new:
            found[plain(code.name)] = replace(before or code, texts=(*held, *new))
    covered = sum(n > 0 for n in codes_of.values())
    if len(found) < min(2, len(codes_of)) or 2 * covered < len(codes_of):
        raise BadReply("the model's codes do not hold the answers; its reply is stored and paid for", kind="no_frame")
    return WholeFrame(codes=tuple(found.values()))


def _code(part: Mapping[str, Any], distinct: Sequence[str], config: FrameConfig) -> WholeCode | None:
    given = line(part.get("name"), TEXT_CHARS)
    existing = next((code for code in config.existing_codes if plain(code) == plain(given)), None)
    name, ids = existing or named(part.get("name")), part.get("answers")
    if not name or not isinstance(ids, list):
        return None
    return WholeCode(
        name=name,
        description=sentence(part.get("description"), TEXT_CHARS),
        theme=named(part.get("theme")),
        confidence=share(part.get("confidence")),
        texts=tuple(distinct[one - 1] for one in numbers(ids) if 1 <= one <= len(distinct)),
    )


def whole_stage(texts: Sequence[str], config: FrameConfig, found: WholeFrame) -> AssembledFrame:
    """Every row with the codes the model gave it; one that it gave none is in Other."""
    prepared = prepare(texts)
    said = spelled_alike(texts, prepared)
    weight = dict(zip(prepared.distinct, prepared.weights.tolist(), strict=True))
    codes = sorted(found.codes, key=lambda code: (-sum(weight[text] for text in code.texts), code.name))
    of: dict[str, list[tuple[int, float]]] = {}
    for number, code in enumerate(codes, start=1):
        for text in code.texts:
            of.setdefault(text, []).append((number, code.confidence))
    rows: list[RowCodes] = [
        tuple(of.get(text, [(OTHER_NUMBER, 0.0)])) if rule is None else ((RULES[rule].number, 1.0),)
        for text, rule in zip(said, prepared.rules, strict=True)
    ]
    is_themed = levels_of(config.hierarchy, len(codes)) > 0
    drafts = _drafts(codes, rows, config, is_themed=is_themed)
    read = {text: True for code in codes for text in code.texts}
    notes = unread_note(said, prepared.distinct, read)
    if config.n_clusters is not None and codes and len(codes) != config.n_clusters:
        notes.append(f"{config.n_clusters} codes were asked for; the model made {len(codes)}")
    blank = Mece(score=0.0, exclusivity=0.0, exhaustiveness=0.0, issues=())
    frame = frame_of(said, drafts, rows, mece=blank, notes=notes)
    names = name_vectors([node.name for node in frame.nodes], None)
    return replace(frame, mece=score_mece(frame.nodes, frame.assignments, names))


def _drafts(
    codes: Sequence[WholeCode], rows: Sequence[RowCodes], config: FrameConfig, *, is_themed: bool
) -> list[Draft]:
    """Themes in the order of their largest codes, codes below them, and apart from them Other and the rule codes."""
    numbered = list(enumerate(codes, start=1))
    names = {plain(code.name) for code in codes}
    if not is_themed:
        return [*(_draft(n, code, None, config) for n, code in numbered), OTHER, *rule_drafts(rows, parent=None)]
    themes: dict[str, list[tuple[int, WholeCode]]] = {}
    for n, code in numbered:
        theme = code.theme if code.theme and plain(code.theme) not in names else UNTHEMED
        themes.setdefault(plain(theme), []).append((n, replace(code, theme=theme)))
    drafts: list[Draft] = []
    for place, below in enumerate(themes.values()):
        key = f"theme/{place + 1}"
        told = ", ".join(code.name for _, code in below)
        theme = below[0][1].theme
        drafts.append(Draft(key=key, number=FIRST_THEME + place, node_type="theme", name=theme, description=f"{told}."))
        drafts += [_draft(n, code, key, config) for n, code in below]
    return [*drafts, APART, replace(OTHER, parent=APART.key), *rule_drafts(rows, parent=APART.key)]


def _draft(number: int, code: WholeCode, parent: str | None, config: FrameConfig) -> Draft:
    return Draft(
        key=f"code/{number}",
        number=number,
        name=code.name,
        description=code.description,
        parent=parent,
        confidence=code.confidence,
        existing=code.name if code.name in config.existing_codes else None,
    )
