"""All mentions of a corpus, counted: their keys, spellings, other names, and what is no mention at all."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.codeframe.mentions import Splitter, in_brackets, is_sentence, key_of, segments_of, tidy
from holdfast.codeframe.preprocess import normalise
from holdfast.codeframe.rules import NO_ANSWER, SYMBOLS, UNINTELLIGIBLE, Rule, rule_of

SAID = 2  # rows that write an abbreviation beside its name before it is believed
_VOWELS = re.compile(r"[aeiouy0-9]")


@dataclass(frozen=True, kw_only=True)
class Mentions:
    """What a corpus mentions. Counts are rows."""

    listed: Mapping[str, str]  # key -> name in the user's list
    aliases: Mapping[str, str]  # key -> key of the name it stands for
    of_text: Mapping[str, tuple[str, ...]]  # text -> its mentions in their order
    counts: Mapping[str, int]  # key -> rows, aliases counted under their name; sentences are not counted
    spellings: Mapping[str, Mapping[str, int]]  # key -> as written -> rows
    spam: Mapping[str, str]  # text without any mention -> key of its rule code
    names: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # key -> a model's name for it -> rows
    by_model: bool = False  # a model has read the answers

    def key(self, mention: str) -> str:
        key = key_of(mention)
        return self.aliases.get(key, key)


def collect(weights: Mapping[str, int], *, listed: Sequence[str]) -> Mentions:
    """`weights`: distinct texts and how many rows say each."""
    names, aliases = read_list(listed)
    known = frozenset(names) | frozenset(aliases)
    segments = {text: segments_of(text) for text in sorted(weights)}
    said: Counter[str] = Counter()
    for text, parts in segments.items():
        said.update(dict.fromkeys(parts, weights[text]))
    aliases |= _abbreviations(said, names, aliases)
    splitter = Splitter(said, listed=known)
    of_text, spam = {}, {}
    for text, parts in segments.items():
        mentions = [each for part in parts for each in _names_in(part, splitter, said)]
        kept = tuple(each for each in mentions if key_of(each) in known or _rule(each) is None)
        of_text[text] = kept
        if not kept and (rule := _rule_of_text(text, mentions)):
            spam[text] = rule.key
    return _counted(
        weights, Mentions(listed=names, aliases=aliases, of_text=of_text, counts={}, spellings={}, spam=spam)
    )


def read_list(listed: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Names by key, and the keys of other names given in brackets with the key they stand for."""
    names: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for given in listed:
        outer, inner = in_brackets(given.strip()) or (given.strip(), "")
        if key_of(outer) and key_of(outer) not in names:
            names[key_of(outer)] = outer
        aliases |= {key: key_of(outer) for other in re.split(r"[,;/|]", inner) if (key := key_of(other))}
    return names, {key: target for key, target in aliases.items() if key not in names}


def _names_in(segment: str, splitter: Splitter, said: Mapping[str, int]) -> list[str]:
    """A segment's mentions; of `Hewlett Packard (HP)` the name outside, and the one inside if it stands alone too."""
    pair = in_brackets(segment)
    if pair is None:
        return list(splitter.split(segment))
    outer, inner = pair
    return [*splitter.split(outer), *([inner] if inner in said and not _abbreviates(inner, outer) else [])]


def _abbreviations(said: Mapping[str, int], names: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Short names that enough answers write in brackets beside one long name."""
    beside: dict[str, Counter[str]] = {}
    for segment, n in said.items():
        outer, inner = in_brackets(segment) or ("", "")
        short, long = sorted((inner, outer), key=lambda name: (len(key_of(name)), key_of(name)))
        if short and _abbreviates(short, long):
            beside.setdefault(key_of(short), Counter())[key_of(long)] += n
    found: dict[str, str] = {}
    for short, longs in sorted(beside.items()):
        (long, n), *others = longs.most_common()
        if n >= SAID and not others and short not in aliases and not (short in names and long in names):
            found |= {long: short} if short in names else {short: aliases.get(long, long)}
    return found


def _abbreviates(short: str, long: str) -> bool:
    """Initials of the words, or the first letter and others in their order."""
    a, b = key_of(short), key_of(long)
    if not 2 <= len(a) <= 6 or len(b) <= len(a):
        return False
    if a == "".join(key_of(word)[:1] for word in re.split(r"[\s&-]+", long)):
        return True
    letters = iter(b)
    return a[0] == b[0] and all(letter in letters for letter in a)


def _rule(mention: str) -> Rule | None:
    """The rule code of what is no name: one character, digits, a run of keys, a non-answer."""
    key = key_of(mention)
    if len(key) < 2:
        is_letter = key.isascii() and key.isalpha()
        # One ideograph may be a name; one Latin letter is not.
        return UNINTELLIGIBLE if is_letter else rule_of(normalise(mention)) or (None if key else NO_ANSWER)
    if key.isdigit():
        return SYMBOLS
    if key.isascii() and len(key) >= 5 and not _VOWELS.search(key):
        return UNINTELLIGIBLE
    if len(key) >= 3 and len(set(key)) == 1:
        return UNINTELLIGIBLE
    return rule_of(normalise(mention))


def _rule_of_text(text: str, mentions: Sequence[str]) -> Rule | None:
    if rule := rule_of(normalise(text)):
        return rule
    return next((rule for each in mentions if (rule := _rule(each))), None if mentions else NO_ANSWER)


def _counted(weights: Mapping[str, int], found: Mentions) -> Mentions:
    counts: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = {}
    for text, mentions in found.of_text.items():
        named = [each for each in mentions if not is_sentence(each) or found.key(each) in found.listed]
        counts.update(dict.fromkeys((found.key(each) for each in named), weights[text]))
        for written in dict.fromkeys(tidy(each) for each in named):
            spellings.setdefault(found.key(written), Counter())[written] += weights[text]
    return Mentions(
        listed=found.listed,
        aliases=found.aliases,
        of_text=found.of_text,
        counts=counts,
        spellings=spellings,
        spam=found.spam,
    )
