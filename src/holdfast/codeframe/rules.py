"""Answers that say nothing about a topic, recognised by rule before anything else is done with them."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A code that is given by rule."""

    key: str
    number: int
    name: str
    description: str


NOTHING = Rule("nothing", 996, "Nothing to add", "Says that there is nothing to say, to name or to improve.")
UNINTELLIGIBLE = Rule("unintelligible", 997, "Unintelligible", "Letters that form no words.")
DONT_KNOW = Rule("dont_know", 998, "Don't know", "Says that they do not know or are not sure.")
NO_ANSWER = Rule("no_answer", 999, "No answer", "Left empty, or only punctuation or “n/a”.")
SYMBOLS = Rule("symbols", 994, "Emoji or number only", "Only emoji, symbols or digits, without a word.")

RULES: dict[str, Rule] = {rule.key: rule for rule in (SYMBOLS, NOTHING, UNINTELLIGIBLE, DONT_KNOW, NO_ANSWER)}

_LEAD = r"(?:(?:no|nope|nah|well|sorry|honestly|erm+|um+|er|hmm+|so far|at present|currently) )*"
_FILLER = (
    r"(?: (?:really|at all|at this time|at the moment|at this moment|at present|right now|just now|whatsoever|"
    r"particularly|in particular|specific|special|specifically|comes to mind|springs to mind|to be honest|tbh|honestly|"
    r"in my opinion|for me|as far as i know|about it|at moment|better|"
    r"i can think of|that i can think of|i can think|as such|so far|yet|for now|now|currently|thanks|thank you|"
    r"thankyou|else|further|more|to say|to add|to report|to improve|to change|to mention|to comment|to suggest|"
    r"from me|for me|need(?:s|ed)? (?:to )?(?:improv\w+|chang\w+)|that comes to mind|sorry|off the top of my head))*"
)
_NOTHING_WORDS = (
    r"(?:nothing|none|nil|nada|zero|zilch|nope|no|nah|not really|not much|not a lot|not a thing|no thing|nothin|nothng|"
    r"noting|nothink|absolutely nothing|literally nothing|no nothing|nothing nothing|"
    r"(?:i )?(?:have |have got )?no (?:further |other |more |additional )?"
    r"(?:comments?|suggestions?|answers?|opinions?|improvements?|ideas? for improvement|thing|changes?|remarks?)|"
    r"not (?:anything|applicable)|"
    r"(?:i )?(?:can ?not|can't|cant|couldn't|could not|don't|dont|do not) (?:really |honestly |actually )?"
    r"(?:think|thing) of (?:anything|any|much|a thing|nothing|any improvements?|any way to improve)|"
    r"(?:i )?(?:don't|dont|do not) have (?:anything|any comments?|any suggestions?|any)|"
    r"(?:i )?(?:don't|dont|do not) think so|nothing i can think of|"
    r"there (?:is|was|'s) nothing|theres nothing|there's nothing|nothing (?:can|could) be improved|"
    r"nichts?|nix|gar nichts|keine?|keine angaben?|keine anmerkungen|kein kommentar|nein|"
    r"rien|aucune?|rien du tout|rien a signaler|ras|aucun commentaire|non|"
    r"nada mas|ninguno|ninguna|ningun comentario|sin comentarios?|niente|nessuno|nessuna|nessun commento|"
    r"niets|geen|geen opmerkingen|nee|nic|brak|brak uwag|nie mam|nie|nao|nenhum|nenhuma|"
    r"sem comentarios|ingenting|inget|intet)"
)
_DONT_KNOW_WORDS = (
    r"(?:(?:i )?(?:really |honestly |just )?(?:don't|dont|do not|dunno|didn't|did not) ?(?:really |actually |quite )?"
    r"(?:know|no|remember|recall)?(?: (?:yet|sorry|really|enough|what to say|tbh|to be honest))*|"
    r"i ?dunno|idk|dk|no idea|no clue|(?:i )?have no idea|(?:i'm |im |i am )?"
    r"(?:not|un) ?(?:really |quite |too |entirely )?sure"
    r"(?: (?:yet|really|sorry|at the moment))*|(?:i'm |im )?unsure|hard to say|can't say|cant say|can't remember|"
    r"cant remember|cannot remember|cannot say|undecided|"
    r"(?:ich )?weiss (?:ich )?(?:es )?nicht|keine ahnung|je ne sais pas|je sais pas|sais pas|aucune idee|ne sait pas|"
    r"no (?:lo )?se|ni idea|no sabe|non (?:lo )?so|boh|(?:ik )?weet (?:ik )?(?:het )?niet|geen idee|nie wiem|"
    r"trudno powiedziec|nao sei|vet (?:ej|inte)|ved ikke|vet ikke)"
)
_NO_ANSWER_WORDS = (
    r"(?:n ?a|not applicable|no answer|no response|no reply|none given|blank|null|nan|skip|pass|keine antwort|k a|x+)"
)

_PATTERNS = (
    (NO_ANSWER, re.compile(_NO_ANSWER_WORDS)),
    (DONT_KNOW, re.compile(_LEAD + _DONT_KNOW_WORDS)),
    (NOTHING, re.compile(_LEAD + _NOTHING_WORDS + _FILLER)),
)
_LONGEST = 80  # characters: a longer answer says something, whatever it begins with
_WORDS = re.compile(r"[^\w']+")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")
_KEYBOARD = re.compile(r"(?:asdf|sdfg|dfgh|fghj|ghjk|hjkl|qwer|wert[yz]|zxcv|xcvb|jkjk|lkjh|fdsa)")
_REPEATED = re.compile(r"(\w{1,3})\1{3,}")


def rule_of(normal: str) -> Rule | None:
    """The rule code of a normalised answer, or None when it has to be read."""
    if not any(char.isalpha() for char in normal):
        return _without_letters(normal)
    if len(normal) > _LONGEST:
        return UNINTELLIGIBLE if _is_gibberish(normal.casefold()) else None
    plain = _plain(normal)
    for rule, pattern in _PATTERNS:
        if pattern.fullmatch(plain):
            return rule
    return UNINTELLIGIBLE if _is_gibberish(plain) else None


def _without_letters(normal: str) -> Rule:
    """Digits and pictures may mean something to a person; bare punctuation does not."""
    said = any(char.isdigit() or unicodedata.category(char) in {"So", "Sk", "Sc"} for char in normal)
    return SYMBOLS if said else NO_ANSWER


def _plain(normal: str) -> str:
    """Lower case, no accents, no punctuation: `Nothing, thanks!` becomes `nothing thanks`."""
    straight = normal.casefold().replace("\u2019", "'").replace("\u2018", "'")
    bare = "".join(char for char in unicodedata.normalize("NFD", straight) if not unicodedata.combining(char))
    return _WORDS.sub(" ", bare).strip(" '")


def _is_gibberish(plain: str) -> bool:
    """Every word of the answer is a run of keys; only for the Latin alphabet."""
    words = [word for word in plain.split() if not word.isdigit()]
    return bool(words) and len(words) <= 4 and all(_is_key_run(word) for word in words)


def _is_key_run(word: str) -> bool:
    if not word.isascii() or len(word) < 4:
        return False
    if _REPEATED.fullmatch(word) or len(_KEYBOARD.findall(word)) * 4 >= len(word) - 2:
        return True
    run = _CONSONANTS.search(word)
    return run is not None and len(run.group()) >= max(5, len(word) - 2)
