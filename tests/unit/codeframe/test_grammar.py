"""What the answers show of their own grammar, where no word list helps."""

import pytest

from holdfast.codeframe.grammar import Grammar

GERMAN = """Die Mitarbeiter waren sehr nett und das nette Personal half
Das Personal könnte freundlicher sein
sehr freundliches Personal und die Preise waren fair
Ich musste zwei Stunden warten wegen der Mitarbeiter"""
SPANISH = """El personal es muy amable y la comida estaba fría
El tiempo de espera es muy largo
La comida es buena pero los precios son altos
El pedido llegó tarde y la espera es muy larga"""


def grammar_of(answers: str) -> Grammar:
    grammar = Grammar()
    for answer in answers.splitlines():
        grammar.read(answer.split())
    return grammar


@pytest.mark.parametrize("name", ["freundliches Personal", "nette Mitarbeiter", "Preise"])
def test_a_german_name_ends_with_a_noun(name: str) -> None:
    assert grammar_of(GERMAN).fit(name) > 0


@pytest.mark.parametrize("name", ["könnte freundlicher", "musste zwei", "freundliches"])
def test_german_verbs_and_bare_qualities_are_no_names(name: str) -> None:
    assert grammar_of(GERMAN).fit(name) == 0


@pytest.mark.parametrize("name", ["comida fría", "tiempo de espera", "personal amable", "precios altos"])
def test_a_spanish_name_begins_with_a_noun(name: str) -> None:
    assert grammar_of(SPANISH).fit(name) > 0


@pytest.mark.parametrize("name", ["llegó tarde", "pedido llegó tarde", "amable"])
def test_spanish_verbs_and_bare_qualities_are_no_names(name: str) -> None:
    assert grammar_of(SPANISH).fit(name) == 0


def test_an_english_word_that_people_only_do_is_no_noun() -> None:
    grammar = grammar_of("They glorp school\nwe glorp lessons\nthe lessons")

    assert not grammar.is_foreign
    assert grammar.fit("glorp") == 0
    assert grammar.fit("school glorp") == 0
    assert grammar.fit("glorp lessons") > 0


def test_a_person_s_name_hardly_names_a_code() -> None:
    assert 0 < grammar_of("The staff").fit("Natasha") < grammar_of("The staff").fit("therapist")
