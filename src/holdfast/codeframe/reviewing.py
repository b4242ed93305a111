"""What a model is asked about the frame as a whole, and what of its reply is used."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from holdfast.codeframe.grouping import levels_of, theme_sizes
from holdfast.codeframe.prompting import Prompt
from holdfast.codeframe.proposals import Merge, Proposal, ProposedTheme
from holdfast.codeframe.replies import TEXT_CHARS, named, numbers, parsed, plain, sentence
from holdfast.codeframe.values import Brief, ClusterLabel, FrameConfig
from holdfast.errors import BadReply

VERSION = "review-1"
EXAMPLES, EXAMPLE_CHARS = 2, 160  # of each code
DESCRIPTION_CHARS = 240
TOKENS, TOKENS_A_CODE = 600, 30  # of the reply
FEWEST = 3  # codes with which there is something to review

_TEXT: Mapping[str, Any] = {"type": "string"}
_IDS: Mapping[str, Any] = {"type": "array", "items": {"type": "integer"}}


def _objects(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    items = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "array", "items": items}


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "merges": _objects(ids=_IDS, name=_TEXT, description=_TEXT),
        "themes": _objects(ids=_IDS, name=_TEXT, description=_TEXT, group=_TEXT),
    },
    "required": ["merges", "themes"],
    "additionalProperties": False,
}


def wants_review(labels: Mapping[int, ClusterLabel], config: FrameConfig) -> bool:
    """Whether a proposal could change anything: codes that may be merged, or themes to find."""
    return len(labels) >= FEWEST and (may_merge(config) or levels_of(config.hierarchy, len(labels)) > 0)


def may_merge(config: FrameConfig) -> bool:
    """Whether the number of codes is ours to choose."""
    return config.n_clusters is None


def review_prompt(
    briefs: Sequence[Brief], labels: Mapping[int, ClusterLabel], config: FrameConfig, *, question: str | None = None
) -> Prompt:
    """What a model is asked about all labels together; they and the answers go as JSON strings."""
    levels = levels_of(config.hierarchy, len(labels))
    document = {
        "question": question,
        "codes": [_code(briefs[k], labels[k]) for k in sorted(labels)],
        "may_merge": may_merge(config),
        "levels": levels,
        "n_themes": (theme_sizes(levels, len(labels)) or [0])[-1],
        "existing_codes": list(config.existing_codes),
        "language": config.target_language,
    }
    return Prompt.of(VERSION, document, schema=SCHEMA, max_tokens=TOKENS + TOKENS_A_CODE * len(labels))


def read_review(text: str, finish: str, labels: Mapping[int, ClusterLabel], config: FrameConfig) -> Proposal:
    """The proposal in a reply. Raises BadReply, and nothing else, for a reply that proposes no frame.

    Ids that were not sent and ids that came before are left out; merges where the number of codes was asked for, or of
    more than half of the codes, are not used.
    """
    reply = parsed(text, finish)
    if not isinstance(reply.get("merges"), list) or not isinstance(reply.get("themes"), list):
        raise BadReply("the model's reply is not of the asked shape; it is stored and paid for", kind="wrong_schema")
    merges, notes = _merges(reply["merges"], labels, config), []
    if merges and not may_merge(config):
        merges, notes = [], ["the model proposed merges; the number of codes was asked for, so they are not used"]
    if 2 * sum(len(merge.clusters) - 1 for merge in merges) > len(labels):
        merges, notes = [], ["the model proposed to merge more than half of the codes; its merges are not used"]
    n_codes = len(labels) - sum(len(merge.clusters) - 1 for merge in merges)
    levels = levels_of(config.hierarchy, n_codes)
    themes = _themes(reply["themes"], labels, merges) if levels else []
    if levels:
        notes += _check(themes, labels, n_codes)
    return Proposal(merges=tuple(merges), themes=tuple(themes), notes=tuple(notes))


def _code(brief: Brief, label: ClusterLabel) -> dict[str, Any]:
    texts = {exemplar.distinct: exemplar.text for exemplar in brief.exemplars}
    shown = [texts[distinct] for distinct in label.exemplars if distinct in texts][:EXAMPLES]
    return {
        "id": label.k,
        "name": label.name,
        "description": sentence(label.description, DESCRIPTION_CHARS),
        "n": brief.n_answers,
        "examples": [sentence(text, EXAMPLE_CHARS) for text in shown],
    }


def _merges(found: Sequence[Any], labels: Mapping[int, ClusterLabel], config: FrameConfig) -> list[Merge]:
    existing = {plain(code) for code in config.existing_codes}
    left, merges = set(labels), []
    for part in found:
        clusters = _taken(part, left)
        if len(clusters) < 2:
            left |= set(clusters)  # it merges nothing; another one may name the code
            continue
        kept = next((labels[k].name for k in clusters if plain(labels[k].name) in existing), None)
        description = sentence(part.get("description"), TEXT_CHARS)
        merges.append(Merge(clusters=clusters, name=kept or named(part.get("name")), description=description))
    return merges


def _themes(found: Sequence[Any], labels: Mapping[int, ClusterLabel], merges: Sequence[Merge]) -> list[ProposedTheme]:
    """In the order of the reply; two of one name are one, and what is merged stays together."""
    whole = {k: merge.clusters for merge in merges for k in merge.clusters}
    left = set(labels)
    themes: dict[str, ProposedTheme] = {}
    for part in found:
        clusters = tuple(dict.fromkeys(k for one in _taken(part, left) for k in whole.get(one, (one,))))
        left -= set(clusters)
        name = named(part.get("name")) if clusters else ""
        if not name:
            left |= set(clusters)
            continue
        before = themes.get(plain(name))
        themes[plain(name)] = ProposedTheme(
            clusters=(*(before.clusters if before else ()), *clusters),
            name=before.name if before else name,
            description=sentence(part.get("description"), TEXT_CHARS),
            group=before.group if before else named(part.get("group")),
        )
    return list(themes.values())


def _check(themes: Sequence[ProposedTheme], labels: Mapping[int, ClusterLabel], n_codes: int) -> Iterable[str]:
    """Raises BadReply for themes that are no structure; says which codes were left out."""
    missing = len(labels) - sum(len(theme.clusters) for theme in themes)
    least = min(2, theme_sizes(1, n_codes)[0])
    if not least <= len(themes) <= max(1, n_codes - 1) or 2 * missing > len(labels):
        raise BadReply("the model's themes do not hold the codes; its reply is stored and paid for", kind="no_frame")
    return [f"the model left {missing} codes without a theme; they are with those most like them"] if missing else []


def _taken(part: Any, left: set[int]) -> tuple[int, ...]:
    """The ids of one part of a reply that are still to be had; they are taken out of `left`."""
    ids = part.get("ids") if isinstance(part, dict) else None
    taken = tuple(one for one in numbers(ids) if one in left)
    left -= set(taken)
    return taken
