"""Short answers that name things: split into mentions, and each mention's key, the same for all its spellings."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from holdfast.codeframe.preprocess import normalise

MOST_WORDS = 5  # a mention with more is a sentence
MOST_CHARACTERS = 48
CACHED = 100_000  # mentions are read several times, and few are new
SAID_WHOLE = 3  # rows that write `x and y` before it may be one name

# Hard separators: a comma or a slash between digits belongs to a number, a stop after few letters to a title.
_SEPARATORS = re.compile(
    r"[;|\n\r\t\u2022\u00b7\u3001\uff0c]+|(?<!\d),|,(?!\d)|(?<!\d)/|/(?!\d)|\s[-\u2013\u2014*]\s|(?:^|\s)\d{1,2}[.)]\s+"
    r"|(?<=\w{4})[.!?]+\s+|[!?]+\s+|\.{2,}|\u2026"
)
_JOINERS = re.compile(r"(?:\s+(?:and|or|und|oder|et|ou|y)\s+(?:also\s+)?)|\s+[&+]\s+", re.IGNORECASE)
_NO_KEY = re.compile(r"[^a-z0-9]+")
_AMPERSAND = re.compile(r"\s[&+]\s")
_LEAD = re.compile(
    r"^(?:(?:i|we)\s+(?:think|like|know|use|used|buy|bought|drink|prefer|love|guess|would say|usually buy)\s+"
    r"|(?:maybe|perhaps|probably|possibly|mostly|mainly|usually|also|only|just|like|e\.?g\.?|such as|brand)\s+"
    r"|(?:it's|it is|its)\s+|(?:the|a|an|my|our)\s+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:\s+(?:etc\.?|and so on|and others|or something|i think|i guess|maybe|probably|please|of course|as well|too"
    r"|brand|products?|ltd\.?|inc\.?|plc|gmbh|llc))+$",
    re.IGNORECASE,
)
_WEB = re.compile(
    r"^(?:https?://)?(?:www\.)?([\w-]{2,}(?:\.[\w-]{2,})??)"
    r"\.(?:com?|org|net|de|fr|es|it|nl|eu|uk|us)(?:\.\w\w)?$"
)
_EDGES = " .,;:!?\"'`\u00b4()[]{}<>*-\u2013\u2014\u2026_~\u2018\u2019\u201c\u201d"
_BRACKETS = re.compile(r"^(?P<outer>[^()\[\]]{2,60}?)\s*[(\[](?P<inner>[^()\[\]]{1,60})[)\]]$")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")


@lru_cache(CACHED)
def key_of(mention: str) -> str:
    """Letters and digits only, folded: `Coca-Cola`, `coca cola` and `CocaCola!!` have one key. Idempotent."""
    folded = _APOSTROPHES.sub("", mention.casefold())
    web = _WEB.match(folded.strip(_EDGES))
    joined = (web.group(1) if web else folded).replace("&", "and").replace("+", "and")
    if joined.isascii():
        return _NO_KEY.sub("", joined)
    return unicodedata.normalize("NFC", "".join(char for char in _bare(joined) if char.isalnum() or _is_mark(char)))


def _bare(text: str) -> str:
    """Without the accents of Latin letters; the marks of other scripts are part of their letters."""
    kept: list[str] = []
    latin = False
    for char in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(char):
            if not latin:
                kept.append(char)
            continue
        latin = char.isascii()
        kept.append(char)
    return "".join(kept).casefold()


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Mc"}


@lru_cache(CACHED)
def tidy(mention: str) -> str:
    """The mention without what people put around a name."""
    plain = normalise(mention).strip(_EDGES)
    for _ in range(3):
        shorter = _TAIL.sub("", _LEAD.sub("", plain)).strip(_EDGES)
        if shorter in {plain, ""}:
            break
        plain = shorter
    return plain


def segments_of(text: str) -> tuple[str, ...]:
    """The parts of an answer between separators that always separate."""
    lines = "\n".join(normalise(line) for line in text.splitlines())
    return tuple(part for piece in _SEPARATORS.split(lines) if (part := tidy(piece)))


def in_brackets(segment: str) -> tuple[str, str] | None:
    """`Hewlett Packard (HP)` as its two names."""
    found = _BRACKETS.match(segment) or _BRACKETS.match(segment + ")")
    return (tidy(found["outer"]), tidy(found["inner"])) if found else None


def is_sentence(mention: str) -> bool:
    """Too long to be a name."""
    return len(mention.split()) > MOST_WORDS or len(mention) > MOST_CHARACTERS


class Splitter:
    """Splits segments at `and`, `&` and the like, unless the corpus shows that the name has it inside."""

    def __init__(self, segments: Mapping[str, int], *, listed: Iterable[str]) -> None:
        """`segments`: how many rows have each segment; `listed`: keys of names the user gave."""
        self._listed = frozenset(listed)
        self._alone: Counter[str] = Counter()
        self._tied: set[str] = set()  # keys that some write with an ampersand
        for segment, n in segments.items():
            self._alone[key_of(segment)] += n
            if _AMPERSAND.search(segment):
                self._tied.add(key_of(segment))

    def split(self, segment: str) -> tuple[str, ...]:
        """The segment's mentions, in their order."""
        joiners = _JOINERS.findall(segment)
        if not joiners or (is_sentence(segment) and len(joiners) < 2) or self._is_one_name(segment):
            return (segment,)
        parts = [tidy(part) for part in _JOINERS.split(segment)]
        return tuple(part for part in parts if part)

    def _is_one_name(self, segment: str) -> bool:
        whole = key_of(segment)
        parts = [key_of(part) for part in _JOINERS.split(segment)]
        if whole in self._listed or any(len(part) < 2 for part in parts):
            return True
        rarest = min(self._alone[part] for part in parts)
        return self._alone[whole] >= max(1 if whole in self._tied else SAID_WHOLE, rarest)


def words_known(words: Sequence[str], known: Mapping[str, str], *, longest: int = 4) -> tuple[list[str], int]:
    """The names of `known` (key -> name) in a row of words, longest first, and how many words are none of any."""
    found: list[str] = []
    place = unknown = 0
    while place < len(words):
        for size in range(min(longest, len(words) - place), 0, -1):
            name = known.get(key_of("".join(words[place : place + size])))
            if name is not None:
                found.append(name)
                place += size
                break
        else:
            unknown += 1
            place += 1
    return found, unknown
