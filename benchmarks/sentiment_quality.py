"""How often the sentiment is what the question asked for: python benchmarks/sentiment_quality.py FOLDER [--out FILE].

FOLDER has `nhs_fft.csv.gz`. Nobody labelled its answers with a sentiment; what they answer is a weak gold: answers to
"what was good" should praise, topics named to "what could we improve" should not, and "nothing to improve" should not
blame. Nothing is trained on it. VADER is scored beside ours where `vaderSentiment` can be imported.
"""

import argparse
import csv
import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from holdfast.codeframe import FrameConfig, code_directly

GOOD = ("Trust A - Q2", "Trust B - Q1", "Trust C - Q1")
IMPROVE = ("Trust A - Q1", "Trust C - Q2")
NOTHING = "Nothing to improve"
WANTED = {"good": "positive", "improve: a topic": "negative", "improve: nothing": "positive"}

Codes = Callable[[list[str]], list[str]]


def ours(texts: list[str]) -> list[str]:
    names = {1: "positive", 2: "neutral", 3: "negative"}
    best = code_directly("sentiment", texts, FrameConfig()).assignments.best
    return [names.get(int(number), "rule") for number in best]


def vader(texts: list[str]) -> list[str]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    analyzer = SentimentIntensityAnalyzer()
    scores = [analyzer.polarity_scores(text)["compound"] for text in texts]
    return ["positive" if score >= 0.05 else "negative" if score <= -0.05 else "neutral" for score in scores]


def asked(row: dict[str, str]) -> str:
    """What the answer was asked for, and whether people coded it as nothing."""
    if row["question"] in GOOD:
        return "good"
    return "improve: nothing" if row["label"] == NOTHING else "improve: a topic"


def score(name: str, coder: Codes, rows: list[dict[str, str]]) -> list[dict[str, object]]:
    began = time.monotonic()
    codes = coder([row["text"] for row in rows])
    seconds = time.monotonic() - began
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row, code in zip(rows, codes, strict=True):
        counts[row["question"], asked(row)][code] += 1
    return [
        {
            "coder": name,
            "question": question,
            "asked": kind,
            "n": sum(found.values()),
            **{
                word: round(found[word] / sum(found.values()), 3)
                for word in ("positive", "neutral", "negative", "rule")
            },
            "wanted": WANTED[kind],
            "seconds_for_all": round(seconds, 2),
        }
        for (question, kind), found in sorted(counts.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with gzip.open(chosen.folder / "nhs_fft.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    coders: dict[str, Codes] = {"holdfast": ours} | ({"vader": vader} if find_spec("vaderSentiment") else {})
    found = [line for name, coder in coders.items() for line in score(name, coder, rows)]
    print("| coder | question | asked | n | positive | neutral or mixed | negative | rule code |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for line in found:
        shares = " | ".join(f"{float(str(line[word])):.1%}" for word in ("positive", "neutral", "negative", "rule"))
        print(f"| {line['coder']} | {line['question']} | {line['asked']} | {line['n']} | {shares} |")
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
