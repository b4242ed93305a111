"""How much confirmed examples help: python benchmarks/codeframe_examples.py FOLDER [--save].

For each set of labelled answers in FOLDER: so many examples a code are drawn (several seeded draws), all other labelled
answers are coded with them, and the share whose best code is the person's is counted. With 0 examples the codes' names
alone do it. The ceiling is a linear probe taught four fifths of the codes. Then as many examples as so many a code are
chosen from half of the answers, by chance or as `holdfast suggest` does, and the other half is scored. --save keeps the
rows in results/ and rewrites the table in README.md.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from codeframe_driver import sets
from holdfast.codeframe import Embedder, Example, Learned, Thresholds, learn, open_embedder, suggest
from queue_driver import machine, readme
from queue_driver.rows import Row, load, save, select

RESULTS = Path(__file__).parent / "results" / "codeframe_examples.json"
MARKER = "codeframe_examples"
SETS = ("clinc150", "nhs_fft", "argkp")
EXAMPLES = (0, 1, 5, 20)
CHOSEN = ("random", "suggested")
NO_MATTER = Thresholds(floor=0.0, further=1.0, temperature=1.0)  # which code is best does not depend on them


def main() -> None:
    asked = parse()
    if not (asked.table or asked.check):
        measure_all(asked)
    if asked.table or asked.check or asked.save:
        text = report(load(RESULTS)) if RESULTS.exists() else readme.NO_RESULTS
        readme.tell(MARKER, text, check=asked.check, script="codeframe_examples.py")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="labelled answers, *.csv.gz")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--sets", type=readme.listed, default=list(SETS), help="names with commas")
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "holdfast-models")
    parser.add_argument("--save", action="store_true", help="keep the rows in results/ and rewrite the README's table")
    parser.add_argument("--table", action="store_true", help="only rewrite the README's table from results/")
    parser.add_argument("--check", action="store_true", help="only check that the README's table is that of results/")
    asked = parser.parse_args()
    if asked.folder is None and not (asked.table or asked.check):
        parser.error("name the folder of labelled answers")
    return asked


def measure_all(asked: argparse.Namespace) -> None:
    embedder = open_embedder("auto", cache=asked.models)
    if embedder.whole_corpus:
        sys.exit("names cannot be compared without the embedding model")
    about, rows = machine.describe("", {}), []
    for name in asked.sets:
        for row in of_set(asked.folder / f"{name}.csv.gz", name, embedder, draws=asked.draws):
            print(row, flush=True)
            rows.append(row)
            if asked.save:
                save(RESULTS, about, rows)


def of_set(file: Path, name: str, embedder: Embedder, *, draws: int) -> Iterator[Row]:
    surveys = [Labelled(sets.embedded(rows, embedder), embedder) for rows in sets.read(file)]
    common = {"set": name, "surveys": len(surveys), "embedder": embedder.name}
    for count in EXAMPLES:
        begun = time.perf_counter()
        found = [s.accuracy(count, seed) for seed in range(draws if count else 1) for s in surveys]
        scored = [value for value in found if value is not None]
        seconds = (time.perf_counter() - begun) / (draws if count else 1)
        accuracy = {"accuracy": float(np.mean(scored)), "draws": draws if count else 1}
        yield common | {"examples": count, **accuracy, "seconds": round(seconds, 1)}
    yield common | {"examples": "ceiling", "accuracy": float(np.mean([survey.ceiling() for survey in surveys]))}
    for chosen in CHOSEN:
        begun = time.perf_counter()
        runs = [s.after(chosen, seed) for seed in range(draws) for s in surveys]
        seconds = round((time.perf_counter() - begun) / draws, 1)
        for count in EXAMPLES[1:]:
            scored = [run[count] for run in runs if count in run]
            accuracy = {"accuracy": float(np.mean(scored)), "draws": draws, "scored": len(scored)}
            yield common | {"chosen": chosen, "per_code": count, **accuracy, "seconds": seconds}


class Labelled:
    """A survey whose answers a person coded; answers without a label are there, and not scored."""

    def __init__(self, survey: sets.Survey, embedder: Embedder) -> None:
        labels = np.array(survey.labels)
        self.vectors, self.coded = survey.vectors, np.flatnonzero(labels != "")
        codes, places = np.unique(labels[self.coded], return_inverse=True)
        self.codes = np.full(len(labels), -1)
        self.codes[self.coded] = places
        self.names = embedder.embed([code.replace("_", " ") for code in codes])

    def accuracy(self, count: int, seed: int) -> float | None:
        """Of the answers that were not drawn; None when nothing is left of them."""
        dice = np.random.default_rng(seed)
        drawn = [dice.permutation(np.flatnonzero(self.codes == code))[:count] for code in range(len(self.names))]
        taught = np.concatenate(drawn)
        rest = np.setdiff1d(self.coded, taught)
        if not len(rest):
            return None
        return float(np.mean(self.taught(taught).best[rest] == self.codes[rest]))

    def after(self, chosen: str, seed: int) -> dict[int, float]:
        """Of the half that cannot be asked about, after each number of examples a code; the later ones add to these.

        What the other half does not have enough answers for is left out.
        """
        dice = np.random.default_rng(seed)
        half = dice.permutation(self.coded)
        asked, scored = half[: len(half) // 2], half[len(half) // 2 :]
        shuffled, found, figures = dice.permutation(len(asked)), self.taught(asked[:0]), {}
        taught: list[int] = []  # places among `asked`
        for count in EXAMPLES[1:]:
            n = count * len(self.names)
            if n > len(asked):
                break
            if chosen == "random":
                taught = shuffled[:n].tolist()
            else:
                seen, sure = self.vectors[asked], found.probabilities[asked]
                taught += suggest(seen, sure, n=n - len(taught), confirmed=taught).tolist()
            found = self.taught(asked[taught])
            figures[count] = float(np.mean(found.best[scored] == self.codes[scored]))
        return figures

    def taught(self, rows: npt.NDArray[np.int_]) -> Learned:
        examples = [Example(row=int(row), codes=(int(self.codes[row]),)) for row in rows]
        return learn(self.vectors, self.names, examples, thresholds=NO_MATTER)

    def ceiling(self) -> float:
        codes = self.codes[self.coded]
        folds = StratifiedKFold(min(5, int(np.bincount(codes).max())), shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # codes with fewer answers than folds
            probe = LogisticRegression(C=10.0, max_iter=300)
            return float(np.mean(cross_val_predict(probe, self.vectors[self.coded], codes, cv=folds) == codes))


def report(results: Row) -> str:
    about, rows = results["machine"], results["rows"]
    head = f"{about['cpu']}, {about['cores']} cores, {about['system']}; commit {about['commit']}; {about['date']}."
    names = list(dict.fromkeys(row["set"] for row in rows))
    lines = [[_title(count), *(_cell(rows, name, count) for name in names)] for count in (*EXAMPLES, "ceiling")]
    chosen = [
        [
            f"{count} a code, {'by chance' if how == 'random' else 'suggested'}",
            *(_chosen(rows, n, count, how) for n in names),
        ]
        for count in EXAMPLES[1:]
        for how in CHOSEN
    ]
    tables = readme.table(["examples a code", *names], lines), readme.table(["examples in all", *names], chosen)
    return "\n\n".join([head, *tables])


def _title(count: int | str) -> str:
    return {0: "0: names alone", "ceiling": "four fifths of the answers, a linear probe (ceiling)"}.get(
        count, str(count)
    )


def _cell(rows: list[Row], name: str, count: int | str) -> str:
    found = select(rows, set=name, examples=count)
    return f"{found[0]['accuracy']:.3f}" if found else readme.NOTHING


def _chosen(rows: list[Row], name: str, count: int, how: str) -> str:
    found = select(rows, set=name, per_code=count, chosen=how)
    return f"{found[0]['accuracy']:.3f}" if found else readme.NOTHING


if __name__ == "__main__":
    main()
