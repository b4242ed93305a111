"""What people talk about in open-ended answers: topics with the words that show them, and the themes above them.

Their words are in lexicon/*.txt, for surveys in general: customers, patients, employees, citizens, students.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from holdfast.codeframe.words import root


@dataclass(frozen=True, slots=True)
class Topic:
    """An answer is about it when it has a word of each group, or matches the pattern."""

    name: str
    theme: str
    groups: tuple[str, ...]  # keys of word groups
    pattern: re.Pattern[str] | None = None
    judgement: bool = False  # a verdict on the whole, named only when the answers say nothing more


LEXICONS = ("services", "work", "products", "society")

_VERY = r"(?:(?:very|really|just|all|so|absolutely|always|extremely) )*"
_FINE = r"(?:good|great|excellent|fine|ok|okay|perfect|brilliant|fantastic|wonderful|amazing|well|lovely|superb)"
# name > theme : pattern; a pattern may go on in the next line
_JUDGEMENTS = rf"""
Nothing could be better > General satisfaction :
 (?:could|can|would)(?:n'?t|not|[ ]not)?[ ](?:\w+[ ])?
 (?:be|been|do|have[ ]been|have[ ]done|have[ ]had|done|get|have|ask|hope|wish|think)\b.{{0,25}}
 \b(?:better|more|improv\w+|anything)|could(?:n't|nt|[ ]not)[ ](?:be[ ])?fault
 |nothing[ ].{{0,20}}\b(?:better|improv\w+)|(?:can[ ]?not|can'?t|not)[ ]improve|no[ ]improvement
Nothing to improve > General satisfaction :
 ^\W*(?:nothing|no[ ]?think)\b(?![ ](?:(?:i|we|you)[ ](?:want|like|need|use)|on|in|for[ ](?!me\b)|works?|happens?|ever
 |to[ ](?:do|see|watch|eat|buy|read))\b)
 |^\W*(?:no|none|nope|not[ ]really)\b(?=\W*$|\W*[.,;!-]|[ ](?:i|all|it|everything|need|better|one[ ]could
 |improvements?|issues?|problems?|concerns?|changes?)\b)
 |(?:can[ ]?not|can'?t)[ ]think|(?:think|thing)[ ]of[ ]any
 |wouldn'?t[ ]change|no[ ]complaints?|no[ ]faults?|(?:can[ ]?not|can't)[ ](?:fault|complain)
Everything was good > General satisfaction :
 \b(?:everything|every[ ]thing|everythink|it|its|it's|all)
 (?:[ ](?:is|was|has[ ]been|were|went|seems?|seemed))?[ ]{_VERY.replace(" ", "[ ]")}{_FINE}\b
Well looked after > Care and support :
 looked?[ ]?after|looking[ ]after|cared[ ]for|taken[ ]care[ ]of|took[ ]care[ ]of
Thankful > General satisfaction :
 \bthank|\bgrateful|\bappreciat|\bgratitude
Keep up the good work > General satisfaction :
 \bkeep[ ](?:up[ ](?:the|your|this|all)|doing|going|it[ ]up)|\bcarry[ ]on|\bcontinue[ ](?:as|to|doing)
Good job, well done > General satisfaction :
 \bwell[ ]done\b|\b{_FINE}[ ](?:job|work)\b
Happy with everything > General satisfaction :
 \b(?:happy|pleased|satisfied|content)\b
Would recommend it > General satisfaction :
 \brecommend(?:ed)?[ ](?:it|you|this|them|to[ ](?:any|every|others|friends))
Enjoyed it > General satisfaction :
 \benjoy\w*
Generally positive > General satisfaction :
 ^\W*(?:\w+[ ]){{0,3}}{_FINE}(?:[ ]\w+){{0,2}}\W*$
More staff needed > Staff :
 \b(?:more|enough|extra|lack[ ]of|shortage[ ]of|short[ ]of)[ ](?:\w+[ ])?(?:staff|nurses|doctors)|staffed
Face-to-face contact > Communication :
 \bface[ -]to[ -]face\b|\bin[ ]person\b
More time > Waiting and appointments :
 \b(?:more|longer|extra)[ ](?:\w+[ ])?(?:time|sessions?|appointments?)\b
"""

# Theme -> what it is called when one of its codes has that name already.
THEME_NAMES = {"General satisfaction": "Overall praise"}


def _lines(name: str) -> Iterator[str]:
    """A lexicon's entries, each in one line: a deeper line goes on with the one before."""
    entry = ""
    for line in (files(__package__) / "lexicon" / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith(" " * 8) or (name == "groups" and line.startswith(" ")):
            entry += line
        elif not line.startswith("#"):
            yield from [entry] if entry else []
            entry = line
    yield entry


def _parsed() -> tuple[Topic, ...]:
    topics = []
    for name in LEXICONS:
        theme = ""
        for line in _lines(name):
            if line.startswith(" "):
                topic, _, words = line.partition(":")
                topics.append(Topic(topic.strip(), theme, tuple(part.strip() for part in words.split(" + "))))
            else:
                theme, _, other = (part.strip() for part in line.partition("|"))
                THEME_NAMES.update({theme: other} if other else {})
    for entry in re.split(r"\n(?! )", _JUDGEMENTS.strip()):
        head, pattern = entry.split(" :\n", 1)
        topic, theme = head.split(" > ")
        topics.append(Topic(topic, theme, (), re.compile(pattern, re.VERBOSE), judgement=True))
    return tuple(topics)


TOPICS = _parsed()
PLACES = {topic.name: place for place, topic in enumerate(TOPICS)}
THEMES = tuple(dict.fromkeys(topic.theme for topic in TOPICS))


@cache
def _groups() -> tuple[dict[str, frozenset[str]], dict[str, list[tuple[str, str]]]]:
    """Whole word, or two joined by a dash below -> groups that list it; first two letters -> (beginning, group)."""
    shared = {name: words for name, _, words in (line.partition(":") for line in _lines("groups"))}
    whole: dict[str, set[str]] = {}
    begun: dict[str, list[tuple[str, str]]] = {}
    for key in {group for topic in TOPICS for group in topic.groups}:
        for word in (shared[key] if key.isupper() else key).split():
            if word.endswith("*"):
                begun.setdefault(word[:2], []).append((word[:-1], key))
            else:
                whole.setdefault(word, set()).add(key)
    return {word: frozenset(keys) for word, keys in whole.items()}, begun


@lru_cache(maxsize=100_000)
def groups_of(word: str) -> frozenset[str]:
    """The word groups a lower-case word belongs to."""
    whole, begun = _groups()
    found = whole.get(word, frozenset())
    return found | {key for start, key in begun.get(word[:2], ()) if word.startswith(start)}


def _groups_of_all(words: Sequence[str]) -> frozenset[str]:
    """Of an answer's words, and of those that stand side by side."""
    whole, _ = _groups()
    together = (whole.get(f"{first}_{second}", frozenset()) for first, second in pairwise(words))
    return frozenset().union(*map(groups_of, words), *together)


@cache
def _shown_by() -> tuple[dict[str, list[tuple[int, frozenset[str]]]], list[tuple[int, re.Pattern[str]]]]:
    """Group -> topics it comes first in, with all their groups; and the topics that have a pattern."""
    first: dict[str, list[tuple[int, frozenset[str]]]] = {}
    patterns = []
    for place, topic in enumerate(TOPICS):
        if topic.pattern is None:
            first.setdefault(topic.groups[0], []).append((place, frozenset(topic.groups)))
        else:
            patterns.append((place, topic.pattern))
    return first, patterns


def is_judgement(name: str) -> bool:
    """Whether a known topic is a verdict. A brief that was kept may have topics that are known no longer."""
    return name in PLACES and TOPICS[PLACES[name]].judgement


def topics_of(text: str, words: Sequence[str]) -> list[int]:
    """Places in TOPICS of what an answer is about; `words` are its words in lower case, in their order."""
    first, patterns = _shown_by()
    groups = _groups_of_all(words)
    found = [place for group in groups & first.keys() for place, needed in first[group] if needed <= groups]
    low = text.lower().replace("\u2019", "'")
    return sorted(found + [place for place, pattern in patterns if pattern.search(low)])


def hits(topic: Topic, words: Sequence[str]) -> frozenset[str]:
    """The roots of an answer's words that show a topic of one word group; none of any other topic."""
    if len(topic.groups) != 1:
        return frozenset()
    return frozenset(root(word) for word in words if topic.groups[0] in groups_of(word))


def shows(name: str, text: str, words: Sequence[str]) -> bool:
    """Whether the answer is about the topic of that name."""
    return name in PLACES and PLACES[name] in topics_of(text, words)
