"""What a prompt offers to answer with: its answers, their ids, and the words it uses most."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

CODES_A_THEME = 2
COUNTED = 1500  # characters of the answers whose words are counted
READ = 6000  # characters of a prompt that are looked at: enough for a label, and quick

_WORD = re.compile(r"[^\W\d_][\w'\u2019-]{2,}")
_ANSWER = re.compile(
    r"""^[ \t]*(?:<answer(?:\s+\w+="(?P<tag>[^"]*)")?[^>]*>|\[(?P<box>[^\]\n]{1,40})\]|(?P<number>\d{1,6})[.):]|[-*•])
    [ \t]*(?P<text>[^\n]*\S)""",
    re.MULTILINE | re.VERBOSE,
)
_COMMON = frozenset(
    """about after again all also and another answer answers any are around because been before being but came can come
    could did didn does doesn doing don down each even every few for from get got had has have haven her here him his
    how into its itself just like made make many may more most much must need not now off one only onto other our out
    over own really same she should since some such than that the their them then there these they thing things this
    those though through too under until upon use used very was way well were what when where which while who why will
    with within without would yes you your""".split()  # noqa: SIM905 - words read as words
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a reply is made of."""

    words: tuple[str, ...]  # most used first, in lower case
    answers: tuple[tuple[str, str], ...]  # (id or "", text), as the prompt marks them


def gather(text: str) -> Material:
    """Read a prompt: deterministic, and bounded for a long one."""
    head = text[:READ]
    answers = tuple(_listed(text) or _answers(head))
    said = "\n".join(answer for _, answer in answers) or head
    counted = Counter(_WORD.findall(said[:COUNTED].lower()))
    words = [word for word, _ in counted.most_common() if word not in _COMMON]
    return Material(words=tuple(words[:24]) or ("answer",), answers=answers)


def _listed(text: str) -> list[tuple[str, str]]:
    """The answers of a prompt that is a JSON document: {"answers": [{"n": 1, "text": …}, …]}."""
    if not text.startswith("{"):
        return []
    try:
        return [(str(each["n"]), each["text"]) for each in orjson.loads(text)["answers"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []


def grouped(text: str) -> list[dict[str, Any]]:
    """Themes for a prompt that is a whole codeframe, {"codes": [{"id": 1, …}, …]}: two codes each, named by them."""
    try:
        document = orjson.loads(text)
        codes = [(int(each["id"]), str(each["name"])) for each in document["codes"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return []
    parts = [codes[start : start + CODES_A_THEME] for start in range(0, len(codes), CODES_A_THEME)]
    return [
        {
            "ids": [number for number, _ in part],
            "name": f"Theme of {part[0][1].split()[0].lower()} {place}",
            "description": "Codes that stand beside each other.",
            "group": f"Group {1 + place // 3}",
        }
        for place, part in enumerate(parts, start=1)
    ]


def _answers(text: str) -> Iterator[tuple[str, str]]:
    for found in _ANSWER.finditer(text):
        said = found["text"].partition("</answer>")[0].strip().strip('"')
        if said:
            yield found["tag"] or found["box"] or found["number"] or "", said


def count_tokens(text: str) -> int:
    """A plain count: four bytes a token."""
    return (len(text.encode()) + 3) // 4
