"""From labelled clusters to codes: near-duplicates merged, names made unique, existing codes linked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from holdfast.codeframe.embedding import Embedder
from holdfast.codeframe.labelling import STOP, describe, quotes
from holdfast.codeframe.naming import identity, sentence_case, stems
from holdfast.codeframe.proposals import Merge
from holdfast.codeframe.rules import RULES
from holdfast.codeframe.topics import PLACES
from holdfast.codeframe.values import ClusterLabel, ClusterResult, FrameConfig, Vectors

SAME_NAME, SAME_PLACE = 0.90, 0.80  # cosine of names, and of centroids, above which two clusters are one code
# And of centroids seen from the middle of the survey: where it has one topic, all clusters are near each other and
# named after it, and only those that differ from the rest in the same way say the same.
SAME_SIDE = 1 / 3
RESERVED = ("Other", "No content", *(rule.name for rule in RULES.values()))  # names of what stands beside the codes
LONGEST_QUOTE = 6  # words of an answer that stands for a name
EXISTING = 0.72  # cosine of names above which a code is the existing one


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One or more clusters under one name."""

    clusters: tuple[int, ...]  # the largest first
    name: str
    description: str
    confidence: float
    keyphrases: tuple[str, ...]
    exemplars: tuple[int, ...]  # distinct texts
    alternatives: tuple[str, ...]  # other names it could have had
    existing: str | None = None


def name_vectors(names: Sequence[str], embedder: Embedder | None) -> Vectors:
    """Unit vectors of names: their meaning when an embedder can tell, else their letters."""
    if not names:
        return np.zeros((0, 1), dtype=np.float32)
    if embedder is not None and not embedder.whole_corpus:
        return embedder.embed(names)
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - slow to import

    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=4096, alternate_sign=False)
    return np.asarray(letters.transform(names).toarray(), dtype=np.float32)


def make_codes(
    clustering: ClusterResult,
    labels: Mapping[int, ClusterLabel],
    config: FrameConfig,
    *,
    embedder: Embedder | None,
    merges: Sequence[Merge] = (),
) -> list[Code]:
    """In the order of the clusters; clusters without a label have no code. `merges`: those that were proposed."""
    ordered = [labels[k] for k in range(clustering.n_clusters) if k in labels]
    merges = merges if clustering.automatic else ()
    given = [[labels[k] for k in sorted(merge.clusters)] for merge in merges]
    groups = _groups(ordered, clustering, embedder, given) if clustering.automatic else [[label] for label in ordered]
    named = {k: merge for merge in merges for k in merge.clusters}
    codes = _unique([_as_proposed(_merged(group), named) for group in groups], clustering, embedder)
    return _linked(codes, config.existing_codes, embedder)


def _groups(
    labels: Sequence[ClusterLabel],
    clustering: ClusterResult,
    embedder: Embedder | None,
    given: Sequence[Sequence[ClusterLabel]],
) -> list[list[ClusterLabel]]:
    """The given ones, and clusters that have the same name for the same thing; each joins the first it matches."""
    vectors = name_vectors([label.name for label in labels], embedder)
    near = _near(clustering)
    place_of = {label.k: place for place, label in enumerate(labels)}
    groups: list[list[int]] = [[place_of[label.k] for label in group] for group in given]
    taken = {place for group in groups for place in group}
    for place, label in enumerate(labels):
        if place in taken:
            continue
        for group in groups:
            first = labels[group[0]]
            same = _is_same(first.name, label.name) or vectors[group[0]] @ vectors[place] >= SAME_NAME
            if same and near[first.k, label.k]:
                group.append(place)
                break
        else:
            groups.append([place])
    return [[labels[place] for place in sorted(group)] for group in sorted(groups, key=min)]


def _is_same(name: str, other: str) -> bool:
    """A single noun may stand for two things: "Name" for asking it and for changing it."""
    return stems(name) == stems(other) and (" " in name or name in PLACES)


def _near(clustering: ClusterResult) -> npt.NDArray[np.bool_]:
    """Which pairs of clusters are at one place, as such and beside the others of their survey."""
    plain = clustering.centroids
    mass = np.array([brief.n_answers for brief in clustering.briefs], dtype=np.float32)
    aside = plain - mass @ plain / max(float(mass.sum()), 1.0)
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    return np.asarray((plain @ plain.T >= SAME_PLACE) & (aside @ aside.T >= SAME_SIDE))


def _merged(group: Sequence[ClusterLabel]) -> Code:
    first = group[0]
    return Code(
        clusters=tuple(label.k for label in group),
        name=first.name,
        description=first.description,
        confidence=first.confidence,
        keyphrases=tuple(dict.fromkeys(phrase for label in group for phrase in label.keyphrases))[:8],
        exemplars=tuple(distinct for label in group for distinct in label.exemplars[: -(-8 // len(group))]),
        alternatives=tuple(name for label in group for name in label.alternatives),
    )


def _as_proposed(code: Code, named: Mapping[int, Merge]) -> Code:
    """Under the name proposed for the merged code; its own stay the next best ones."""
    merge = next((named[k] for k in code.clusters if k in named), None)
    if merge is None or not merge.name:
        return code
    others = (code.name, *code.alternatives)
    return replace(code, name=merge.name, description=merge.description or code.description, alternatives=others)


def _unique(codes: Sequence[Code], clustering: ClusterResult, embedder: Embedder | None) -> list[Code]:
    """Larger codes choose first; a name that is taken, or means the same as one, gives way to the next best one."""
    size = [sum(clustering.briefs[k].n_answers for k in code.clusters) for code in codes]
    vectors = name_vectors([code.name for code in codes], embedder)
    taken = {identity(name) for name in RESERVED}
    named: dict[int, Code] = {}
    kept: list[int] = []  # codes with the name they had
    for place in sorted(range(len(codes)), key=lambda p: (-size[p], p)):
        code = codes[place]
        options = [code.name, *code.alternatives, *(f"{code.name}: {phrase}" for phrase in code.keyphrases)]
        options += _short_answers(code, clustering)
        if (vectors[kept] @ vectors[place] >= SAME_NAME).any() or _echoes(code.name, taken):
            options = [*options[1:], code.name]
        name = next((option for option in options if _free(option, taken)), f"{code.name} ({place + 1})")
        taken.add(identity(name))
        kept += [place] * (name == code.name)
        named[place] = code if name == code.name else _renamed(code, name, clustering)
    return [named[place] for place in range(len(codes))]


def _echoes(name: str, taken: set[frozenset[str]]) -> bool:
    """Whether a larger code's name says all of it and more: "friendly and helpful" beside "friendly, helpful staff"."""
    own = stems(name)
    return len(own) > 1 and any(own < other for other in taken)


def _short_answers(code: Code, clustering: ClusterResult) -> list[str]:
    """Typical answers that are no longer than a name."""
    shown = [exemplar for k in code.clusters for exemplar in clustering.briefs[k].exemplars]
    texts = [STOP.split(exemplar.text)[0].strip() for exemplar in sorted(shown, key=lambda shown: -shown.weight)]
    return [sentence_case(text) for text in texts if 2 <= len(text.split()) <= LONGEST_QUOTE]


def _renamed(code: Code, name: str, clustering: ClusterResult) -> Code:
    """With the quotes that show the new name first."""
    shown = quotes(name, [exemplar for k in code.clusters for exemplar in clustering.briefs[k].exemplars])
    description = describe(code.keyphrases, [exemplar.text for exemplar in shown])
    exemplars = tuple(exemplar.distinct for exemplar in shown[:8])
    return replace(code, name=name, description=description, exemplars=exemplars)


def _free(name: str, taken: set[frozenset[str]]) -> bool:
    return identity(name) not in taken


def _linked(codes: list[Code], existing: Sequence[str], embedder: Embedder | None) -> list[Code]:
    """Each existing code goes to the code most like it, best pairs first, once."""
    wanted = [name for name in dict.fromkeys(part.strip() for part in existing) if name]
    if not codes or not wanted:
        return codes
    like = name_vectors([code.name for code in codes], embedder) @ name_vectors(wanted, embedder).T
    for place, code in enumerate(codes):
        for column, name in enumerate(wanted):
            if identity(name) == identity(code.name):
                like[place, column] = 1.0
    linked = list(codes)
    for flat in np.argsort(-like, axis=None, kind="stable"):
        place, column = divmod(int(flat), len(wanted))
        if like[place, column] < EXISTING:
            break
        if linked[place].existing is None and all(code.existing != wanted[column] for code in linked):
            linked[place] = replace(linked[place], name=sentence_case(wanted[column]), existing=wanted[column])
    return linked
