"""From clusters to codes: which are one, and which answers are in none."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.codeframe import ClusterLabel, ClusterResult, FrameConfig, Vectors, cluster_stage, prepare
from holdfast.codeframe.assignment import code_texts
from holdfast.codeframe.merging import make_codes

WIDTH, TOPICS, EACH = 48, 4, 30
NAME = "Compulsory voting in national elections"


def answers(*, common: float, strangers: int = 0, seed: int = 1) -> Vectors:
    """Unit vectors about TOPICS topics, EACH of every one; `common` is what all share, strangers are about nothing."""
    random = np.random.default_rng(seed)
    topics = np.repeat(random.normal(size=(TOPICS, WIDTH)), EACH, axis=0)
    made = np.vstack([topics + 0.6 * random.normal(size=topics.shape), 1.2 * random.normal(size=(strangers, WIDTH))])
    made += common * random.normal(size=WIDTH)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def clusters_of(vectors: Vectors, k: int) -> ClusterResult:
    """k clusters, as if their number had been found."""
    prepared = prepare([f"answer {n:04}" for n in range(len(vectors))])
    return replace(cluster_stage(prepared, vectors, FrameConfig(n_clusters=k)), automatic=True)


def named_alike(found: ClusterResult) -> dict[int, ClusterLabel]:
    """Every cluster has the same name, and one of its own that it could have had."""
    return {
        k: ClusterLabel(
            k=k,
            name=NAME,
            description="",
            confidence=0.5,
            keyphrases=(),
            exemplars=(0,),
            alternatives=(f"Reason {'abcdefgh'[k] * 4}",),
        )
        for k in range(found.n_clusters)
    }


@pytest.mark.parametrize("common", [0.0, 2.0])
def test_only_parts_of_one_topic_are_merged_however_alike_all_answers_of_the_survey_are(common: float) -> None:
    found = clusters_of(answers(common=common), TOPICS + 1)

    codes = make_codes(found, named_alike(found), FrameConfig(), embedder=None)

    owner = np.repeat(np.arange(TOPICS), EACH)
    topics = [{int(t) for t in owner[np.isin(found.labels, code.clusters)]} for code in codes]
    assert sorted(map(len, topics)) == [1] * TOPICS
    assert len({code.name for code in codes}) == TOPICS


def test_a_code_whose_name_differs_by_a_letter_from_a_larger_one_s_takes_another_of_its_names() -> None:
    found = clusters_of(answers(common=2.0), TOPICS)
    labels = named_alike(found) | {1: replace(named_alike(found)[1], name=NAME.replace("national", "nationnal"))}

    codes = make_codes(found, labels, FrameConfig(), embedder=None)

    assert [code.name for code in codes][:2] == [NAME, "Reason bbbb"]


@pytest.mark.parametrize(
    ("larger", "smaller", "taken"),
    [
        ("Friendly and helpful staff", "Friendly and helpful", "Reason bbbb"),
        ("Parking costs", "Parking", "Parking"),
        ("Friendly and helpful", "Friendly and helpful staff", "Friendly and helpful staff"),
    ],
)
def test_a_name_of_several_words_that_a_larger_code_s_name_says_as_well_gives_way(
    larger: str, smaller: str, taken: str
) -> None:
    found = clusters_of(answers(common=0.0), TOPICS)
    labels = named_alike(found)
    labels |= {0: replace(labels[0], name=larger), 1: replace(labels[1], name=smaller)}

    codes = make_codes(found, labels, FrameConfig(), embedder=None)

    assert [code.name for code in codes][:2] == [larger, taken]


@pytest.mark.parametrize("common", [0.0, 2.0])
def test_answers_far_from_all_others_have_no_code_whether_topics_are_apart_or_alike(common: float) -> None:
    vectors = answers(common=common, strangers=6)
    found = clusters_of(vectors, TOPICS)

    coding = code_texts(vectors, found.centroids, found, np.arange(found.n_clusters, dtype=np.int32))

    uncoded = coding.codes[:, 0] < 0
    assert uncoded[-6:].mean() > 0.6
    assert uncoded[:-6].mean() < 0.05
    assert (coding.scores[~uncoded, 0] > 0).all()
