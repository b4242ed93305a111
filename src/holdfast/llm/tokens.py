"""How many tokens a text has, estimated on this machine from its words and scripts, without any model's vocabulary.

The providers' vocabularies differ and not all are public. The rates below were set against three that are (two of
OpenAI's, an older one of Anthropic's) over survey answers in English and interface texts in 80 languages, and lean to
the worst of the three. What came out, as a share of the real count: English 1.03 to 1.2, other languages in Latin
letters 0.9 to 1.7, other scripts 0.9 to 2 for the older vocabularies and up to 4.5 for the newest, which has
become far better at them. tests/unit/llm/test_tokens.py holds the rates to real counts.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache

from holdfast.llm.values import Request

# Around the texts of one request: roles, separators, the provider's own words about the schema.
_FRAME = 64

_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]+")
_ACCENTED = re.compile(r"[\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]")
_NUMBER = re.compile(r"\d{1,3}| (?=\d)", re.ASCII)  # a space before a number is a token of its own
_MARK = re.compile(r"[!-/:-@\[-`{-~]{1,2}|[\u0080-\u00bf\u2000-\u2bff]")
_SPACES = re.compile(r"\s{2,}|[\t\r\n]")

# Tokens a character, by script.
_SCRIPTS = tuple(
    (re.compile(f"[{characters}]"), rate)
    for characters, rate in (
        ("\u0370-\u03ff", 1.35),  # Greek
        ("\u0400-\u052f", 0.75),  # Cyrillic
        ("\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc", 1.35),  # Hebrew, Arabic
        ("\u0900-\u0dff", 2.2),  # Indian scripts
        ("\u0e00-\u0e7f", 1.85),  # Thai
        ("\u1100-\u11ff\uac00-\ud7af", 1.3),  # Hangul
        ("\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef", 1.55),  # Chinese, Japanese
        ("\u0530-\u058f\u0e80-\u10ff\u1200-\u1dff\ufe00-\ufe0f", 2.2),  # Armenian, Georgian, Khmer and others
        ("\U00010000-\U0010ffff", 3.0),  # emoji, historic scripts
    )
)

# Words that half of all English sentences have and other languages' hardly ever: a quarter of English words are such.
_ENGLISH_WORDS = frozenset(
    [
        "the",
        "and",
        "of",
        "to",
        "that",
        "it",
        "for",
        "with",
        "they",
        "have",
        "you",
        "this",
        "from",
        "would",
        "be",
        "are",
        "were",
        "my",
        "we",
        "had",
        "not",
        "been",
        "there",
        "what",
        "when",
    ]
)
_ENGLISH_SHARE = 0.08
_ENOUGH_WORDS = 6  # a shorter line is of the language of the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    """Tokens for each: what a word starts with, and what makes it longer."""

    word: float
    letter_above_4: float
    letter_above_9: float
    accent: float


_ENGLISH = _Rates(word=1.02, letter_above_4=0.06, letter_above_9=0.25, accent=1.2)
_OTHER = _Rates(word=1.6, letter_above_4=0.26, letter_above_9=0.44, accent=1.2)


@lru_cache(maxsize=64)  # a request is counted for its turn, its reserve and its estimate; instructions are the same
def count_tokens(text: str) -> int:
    """About as many tokens as a provider will count, seldom fewer: for English 3 to 20 % more."""
    english = _is_english(_WORD.findall(text))
    return math.ceil(sum(_line(line, english=english) for line in text.split("\n")))


def count_request(request: Request) -> int:
    """What a request sends: its texts and its schema."""
    schema = json.dumps(request.schema, ensure_ascii=False)
    return _FRAME + count_tokens(request.system) + count_tokens(request.user) + count_tokens(schema)


def _is_english(words: list[str]) -> bool:
    return sum(word.lower() in _ENGLISH_WORDS for word in words) >= _ENGLISH_SHARE * len(words)


def _line(line: str, *, english: bool) -> float:
    if not line:
        return 1.0  # its end
    words = _WORD.findall(line)
    rates = _ENGLISH if (_is_english(words) if len(words) >= _ENOUGH_WORDS else english) else _OTHER
    tokens = 1.0 + len(_NUMBER.findall(line)) + len(_MARK.findall(line)) + len(_SPACES.findall(line))
    tokens += rates.word * len(words)
    tokens += sum(
        rates.letter_above_4 * (len(word) - 4) + rates.letter_above_9 * max(0, len(word) - 9)
        for word in words
        if len(word) > 4
    )
    if line.isascii():
        return tokens
    tokens += rates.accent * len(_ACCENTED.findall(line))
    return tokens + sum(rate * len(script.findall(line)) for script, rate in _SCRIPTS)
