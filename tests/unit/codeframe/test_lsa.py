"""Vectors of counted words, where words are not told apart by spaces, or no two texts share one."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from holdfast.codeframe import Vectors
from holdfast.codeframe.lsa import Lsa

# Of each language two topics, what is said of them, and what goes before and after either.
SURVEYS: dict[str, Sequence[Sequence[Sequence[str]]]] = {
    "Japanese": (
        (("駐車場", "駐車料金", "駐車スペース"), ("が高すぎる", "が狭い", "が足りません", "を増やしてほしい")),
        (("看護師さん", "看護師の方々", "受付の看護師"), ("が親切でした", "の対応が丁寧", "に感謝しています")),
        (("", "とにかく", "先週行きましたが、", "正直に言うと"), ("", "。", "と思います。", "、本当に。")),
    ),
    "Chinese": (
        (("停车场", "停车费", "停车位"), ("太贵了", "太小", "不够用", "总是满的")),
        (("护士", "护士们", "值班护士"), ("很亲切", "非常耐心", "态度很好")),
        (("", "我觉得", "上周去的时候,", "老实说"), ("", ",真的", "吧", ",说实话")),
    ),
    "Thai": (
        (("ที่จอดรถ", "ค่าที่จอดรถ", "ลานจอดรถ"), ("แพงเกินไป", "แคบมาก", "ไม่เพียงพอ", "เต็มตลอด")),
        (("พยาบาล", "คุณพยาบาล", "พยาบาลเวร"), ("ใจดีมาก", "ดูแลดี", "พูดจาสุภาพ")),
        (("", "ฉันคิดว่า", "เมื่อสัปดาห์ก่อน", "จริงๆแล้ว"), ("", "จริงๆ", "นะครับ", "ค่ะ")),
    ),
}


@pytest.mark.parametrize("language", SURVEYS)
def test_topics_are_told_apart_in_scripts_without_spaces(language: str) -> None:
    *topics, (begins, ends) = SURVEYS[language]
    texts = [["".join(parts) for parts in itertools.product(begins, *topic, ends)] for topic in topics]
    both = [text for of_topic in texts for text in of_topic]

    found = KMeans(2, n_init=5, random_state=0).fit_predict(Lsa(both, width=200).read(both))

    topic = np.repeat([0, 1], [len(of_topic) for of_topic in texts])
    assert adjusted_rand_score(topic, found) > 0.95


def test_texts_that_share_no_word_are_told_apart_by_their_letters() -> None:
    parking, nurses = [
        [f"{stem}{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(60)] for stem in ("parking", "nurses")
    ]
    lsa = Lsa([*parking, *nurses], width=20)

    near = nearness(lsa.read(parking), lsa.read(parking))

    assert near > 0.3
    assert nearness(lsa.read(parking), lsa.read(nurses)) < near / 10


def nearness(ones: Vectors, others: Vectors) -> float:
    return float((ones @ others.T).mean())
