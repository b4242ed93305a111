"""Whether answers are in English, which is what the default embedding model can read."""

import csv
from importlib import resources

import pytest

from holdfast.codeframe import mostly_foreign

SAID = {
    "German": ["Das Personal war sehr freundlich zu mir", "Ich musste viel zu lange warten",
               "Was mir fehlte war ein Parkplatz", "Das Essen war leider immer kalt"],
    "French": ["Le personnel était très gentil avec moi", "Il faut attendre beaucoup trop longtemps",
               "Pas assez de places pour se garer", "La nourriture était froide et sans goût"],
    "Spanish": ["El personal fue muy amable con nosotros", "Hay que esperar demasiado tiempo siempre",
                "No hay sitio para aparcar el coche", "La comida estaba fría y sin sabor"],
    "Dutch": ["Het personeel was erg vriendelijk voor mij", "Ik heb erg lang op mijn beurt gewacht",
              "Er is nergens plaats voor mijn auto", "Het eten was koud en zonder smaak"],
    "Polish": ["Obsługa była dla mnie bardzo miła", "Trzeba było bardzo długo czekać na wizytę",
               "Nie ma gdzie zaparkować samochodu tutaj", "Jedzenie było zimne i bez smaku"],
    "Russian": ["Персонал был очень добрым", "Слишком долго ждать", "Негде поставить машину", "Еда была холодной"],
    "Chinese": ["工作人员非常友好", "等待时间太长了", "没有地方停车", "食物是冷的"],
}  # fmt: skip


def english() -> list[str]:
    with (resources.files("holdfast.demo") / "answers.csv").open(encoding="utf-8", newline="") as file:
        return [row["answer"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("language", SAID)
def test_answers_in_other_languages_are_noticed(language: str) -> None:
    answers = [f"{text} {n}" for n in range(10) for text in SAID[language]]

    assert mostly_foreign(answers)
    assert mostly_foreign([*answers, *english()[:20]]), "a few English ones among them change nothing"


def test_english_answers_are_not_taken_for_foreign_ones_for_some_that_are() -> None:
    answers = english()

    assert not mostly_foreign(answers)
    assert not mostly_foreign([*answers[:200], *(f"{text} {n}" for n in range(10) for text in SAID["German"])])


@pytest.mark.parametrize("answers", [[], ["Parkplatz", "Essen kalt"] * 50, SAID["German"], ["42", "!!"] * 30])
def test_nothing_is_said_of_answers_too_few_or_too_short_to_tell(answers: list[str]) -> None:
    assert not mostly_foreign(answers)
