"""What people talk about in open-ended answers: topics with the words that show them, and the themes above them.

Language data for surveys in general (customers, patients, employees, citizens, students); nothing here knows a file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache


@dataclass(frozen=True, slots=True)
class Topic:
    """An answer is about it when it has a word of each group, or matches the pattern."""

    name: str
    theme: str
    groups: tuple[str, ...]  # keys of word groups
    pattern: re.Pattern[str] | None = None
    judgement: bool = False  # a verdict on the whole, named only when the answers say nothing more


# A star stands for any ending.
_CLASSES = {
    "STAFF": "staff staffs nurse nurses nursing doctor* dr team* receptionist* therapist* physio physios "
    "physiotherapist* consultant* surgeon* teacher* tutor* instructor* trainer* lecturer* waiter* waitress* driver* "
    "agent agents advisor* adviser* assistant assistants employee* colleague* lady ladies guys midwife midwives "
    "carer* crew host hosts cashier* mechanic* technician* representative* operator* practitioner* clinician* "
    "counsellor* psychologist* dentist* gp volunteer* worker workers",
    "PEOPLE": "people person everyone everybody everyones lady ladies man men guys",
    "KIND": "friendl* kind kindness kindly polite* courteous* nice lovely welcoming compassion* pleasant warm "
    "considerate respectful* sympathetic empath* cheerful gentle approachable thoughtful smil* attentive",
    "HELP": "help helps helped helping helpful* supportive assist*",
    "CARING": "caring cared compassion* attentive",
    "GOOD": "good great excellent amazing brilliant fantastic wonderful perfect superb outstanding fab* "
    "awesome incredible exceptional best first-class marvellous nice lovely",
    "BAD": "bad rude unhelpful unfriendly horrible terrible awful dreadful appalling dismissive impolite arrogant "
    "unprofessional patronis* ignored",
    "LONG": "long longer longest slow hours forever ages shorter reduce too",
    "SKILL": "professional* knowledge* competen* skill* experienced expert* qualified thorough*",
    "WAIT": "wait waits waited waiting queue* queuing delay* late lateness",
    "PHONE": "phone* telephone* tele call calls called",
    "MEET": "appointment* consultation* assessment* appt appts",
    "MASK": "xxx xxxx xxxxx",
    "PRAISE": "good great excellent amazing brilliant fantastic wonderful perfect superb outstanding helpful help "
    "helped kind friendly lovely professional thank thanks best pleased listens caring knowledgeable supportive nice",
}

# name > theme : groups, joined by +
_TOPICS = """
Friendly staff > Staff : STAFF + KIND
Helpful staff > Staff : STAFF + HELP
Excellent staff > Staff : STAFF + GOOD
Caring staff > Staff : STAFF + CARING
Professional staff > Staff : STAFF + SKILL
Rude or unhelpful staff > Staff : STAFF + BAD
Praise for one person > Staff : MASK + PRAISE
Nice and friendly people > Staff : PEOPLE + KIND
Friendliness > Staff : KIND
Professionalism > Staff : SKILL
Nurses > Staff : nurse nurses nursing
Doctors > Staff : doctor* dr consultant* surgeon* gp
Management > Management : manager* management leadership boss bosses supervisor*
Colleagues > Work : colleague* coworker* co-worker* teamwork
Pay and benefits > Work : salary salaries underpaid wage* payrise* bonus* pension* benefits
Workload > Work : workload* overwork* stress* overtime
Flexible working > Work : flexible flexib* remote homeworking
Career development > Work : career* promotion* progression
Waiting times > Waiting and appointments : WAIT
Long waiting times > Waiting and appointments : WAIT + LONG
Appointments > Waiting and appointments : appointment* appt appts booking* slot slots
Phone appointments > Waiting and appointments : PHONE + MEET
Phone contact > Communication : phone* telephone*
Online and video contact > Communication : video zoom online virtual virtually skype
Quick and efficient service > Service : quick quicker quickly prompt prompt* fast faster speed* swift* efficient* timely
Quality of service > Service : service services
Friendly service > Service : service services + KIND
Communication > Communication : communicat* inform informed contact contacted update* updates told
Clear explanations > Communication : explain* explanation* clear clearly
Feeling listened to > Communication : listen* heard understood understanding
Information > Communication : information informative leaflet* info informed details
Helpful advice > Care and support : advice advise advised advised guidance tips suggestions
Help and support > Care and support : support supports supported supportive help helped helping
Treatment > Care and support : treatment* treated therapy surgery operation procedure*
Quality of care > Care and support : care cared caring
Medication > Care and support : medication* medicine* meds tablet* painkiller* prescription* drug drugs
Pain > Care and support : pain painful pains
Exercises > Care and support : exercise* stretch* physio physiotherapy
Mental health > Care and support : mental anxiety anxious depress* wellbeing
Feeling better > Care and support : recover* recovery improvement progress
Feeling reassured > Care and support : ease relax* calm* reassur* confident confidence comfortable
Food > Food : food foods meal meals menu* dinner* lunch* breakfast* drink* tea coffee snack* cook* chef*
Cleanliness > Environment : clean* dirt* tidy hygien*
Noise > Environment : nois* quiet* loud* sleep*
Comfort > Environment : comfort comfy bed beds chair* seat seats seating pillow* mattress* heating
Rooms and facilities > Environment : room rooms ward building* facilit* bathroom* toilet* shower* tv tvs curtain*
Environment > Environment : environment atmosphere surroundings decor* furniture garden* window* view* space
Activities > Activities : activity activities games entertainment toys trip trips play* gym
Parking > Access : park parked parking
Location and access > Access : location* distance travel* transport bus accessib* access parking
Opening hours > Access : opening weekend* evening* hours
Safety > Safety : safe safely safety secure security infection* protected
Covid > Safety : covid covid19 covid-19 pandemic lockdown coronavirus corona
Privacy and dignity > Privacy and dignity : privacy private dignity respect respected confidential*
Children and families > Children and families : child children kid kids son daughter baby babies parent* family families
Sessions and courses > Learning : session* workshop* course courses classes lesson* training webinar*
Learning > Learning : learn* taught teach* skill skills strateg* technique* knowledge
Price and cost > Cost : price* pricing expensive cheap* cost costs money afford* fee fees overpriced
Value for money > Cost : value worth
Range and choice > Product : choices range selection variety
Quality of the product > Product : product products quality durable
Ease of use > Product : easy easily easier simple user-friendly intuitive convenient straightforward
Design > Product : design* style colour* color* layout
Taste > Product : taste* tasty flavour* flavor* delicious bland
Packaging > Product : package* packaging bottle* box boxes
Website and app > Technology : website* app apps site web
Technical problems > Technology : bug bugs crash* error errors glitch* outage*
Equipment > Technology : equipment machine* device* computer*
Delivery > Delivery : deliver* shipping shipped parcel* courier*
Returns and refunds > Payments : refund* returns
Payments and bills > Payments : bill bills billing invoice* payment* payments
Jobs and economy > Society : job jobs unemployment economy economic business*
Equality and fairness > Society : equal equality fair fairness discriminat* unfair
Freedom and rights > Society : rights freedom freedoms liberty choose choice
Religion > Society : religio* faith god church*
Crime and safety > Society : crime crimes police burglar* vandal* antisocial anti-social
Traffic and roads > Society : traffic road roads congestion
Climate > Society : climate pollut* emission* recycl*
"""

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
 \bkeep[ ](?:up|doing|going|it[ ]up)|\bcarry[ ]on|\bcontinue[ ](?:as|to|doing)
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
THEME_NAMES = {
    "Staff": "Staff and people",
    "Food": "Food and drink",
    "Communication": "Communication and information",
    "Environment": "Place and environment",
    "General satisfaction": "Overall praise",
    "Care and support": "Care, treatment and support",
    "Service": "The service as a whole",
    "Waiting and appointments": "Appointments and waiting times",
    "Learning": "Courses and learning",
    "Activities": "Things to do",
    "Children and families": "Families and children",
    "Management": "Leadership and management",
    "Cost": "Cost and value",
    "Access": "Access and location",
    "Safety": "Safety and protection",
    "Product": "The product",
    "Technology": "Technology and equipment",
    "Society": "Society and economy",
}


def _parsed() -> tuple[Topic, ...]:
    topics = []
    for line in _TOPICS.strip().splitlines():
        head, words = line.split(" : ")
        name, theme = head.split(" > ")
        topics.append(Topic(name, theme, tuple(part.strip() for part in words.split(" + "))))
    for entry in re.split(r"\n(?! )", _JUDGEMENTS.strip()):
        head, pattern = entry.split(" :\n", 1)
        name, theme = head.split(" > ")
        topics.append(Topic(name, theme, (), re.compile(pattern, re.VERBOSE), judgement=True))
    return tuple(topics)


TOPICS = _parsed()
PLACES = {topic.name: place for place, topic in enumerate(TOPICS)}
THEMES = tuple(dict.fromkeys(topic.theme for topic in TOPICS))


@cache
def _groups() -> tuple[dict[str, frozenset[str]], dict[str, list[tuple[str, str]]]]:
    """Whole word -> groups that list it; first two letters -> (beginning, group) of the words with a star."""
    whole: dict[str, set[str]] = {}
    begun: dict[str, list[tuple[str, str]]] = {}
    for key in {group for topic in TOPICS for group in topic.groups}:
        for word in _CLASSES.get(key, key).split():
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


def topics_of(text: str, words: Iterable[str]) -> list[int]:
    """Places in TOPICS of what an answer is about; `words` are its words in lower case."""
    first, patterns = _shown_by()
    groups = frozenset().union(*map(groups_of, words))
    found = [place for group in groups & first.keys() for place, needed in first[group] if needed <= groups]
    low = text.lower().replace("\u2019", "'")
    return sorted(found + [place for place, pattern in patterns if pattern.search(low)])


def shows(name: str, text: str, words: Iterable[str]) -> bool:
    """Whether the answer is about the topic of that name."""
    return name in PLACES and PLACES[name] in topics_of(text, words)
