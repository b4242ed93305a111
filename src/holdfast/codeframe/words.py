"""Small word lists: enough grammar to cut a readable name out of real answers, without a tagger."""

import re
from functools import lru_cache

WORDS = 100_000  # whose kind is remembered


# Turns of speech whose nouns mean nothing: "of course" is about no course.
TURNS = re.compile(r"\b(?:(?:kind|sort)s? of|of course)\b", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = _words("a an the my your our their his her its this these those that some any each every")

# Skipped inside a phrase: "cancel my reservation" is read as "cancel reservation".
BRIDGES = DETERMINERS | _words(
    "very really so quite extremely "
    "incredibly absolutely always just too also totally truly such most all both rather super pretty genuinely "
    "completely particularly especially exceptionally highly generally usually fairly overall bit lot lots"
)

# May stand inside a phrase, not at its ends.
LINKS = _words("of for with and in on to at from about between de du des la le les del y e und et en of")

COPULAS = _words("is are was were be been being feel feels felt seem seems seemed isn't aren't wasn't weren't 's")
NEGATIONS = _words("not no never without isn't aren't wasn't weren't don't didn't doesn't cannot can't couldn't lack")

_FUNCTION = _words(
    "i me we us you he him she they them it who whom whose which what where when why how there here one ones "
    "myself yourself itself themselves ourselves himself herself everyone everybody someone anyone nobody anybody "
    "am do does did done doing have has had having will would shall should can could may might must ought "
    "i'm i've i'd i'll we're we've you're you've they're they've it's that's there's what's he's she's let's "
    "im ive id youre theyre its dont didnt doesnt cant couldnt wasnt isnt arent wont wouldnt havent hasnt "
    "and or but nor if because cause cos coz cuz as than then while whereas though although until unless since whether "
    "so "
    "by into onto over under above below after before during through throughout against within without across "
    "toward towards upon via per out off up down away back again ever already still yet even only however therefore "
    "etc eg ie e.g i.e ok okay oh well yes yeah yep please thanks thank thankyou thank-you hi hello hey "
    "much many more less least few little several enough other others another same own else "
    "now today ever often sometimes never maybe perhaps probably possibly currently actually basically literally "
    "simply mostly mainly almost nearly around about like xxxx xxx xx get gets got getting go goes going went gone "
    "make makes made making take takes took taken let lets put say says said saying tell tells told "
    "think thinks thought know knows knew want wants wanted need needs needed try tries tried come comes came "
    "see seen saw look looks looked looking give gives gave given giving keep keeps kept seem use used find found "
    "something anything everything nothing someone thing things way ways stuff lot lots bit "
    "either neither certain certainly completely totally entirely exactly rather quite anymore anyway else thing "
    "especially therefore hence otherwise instead due able unable going gonna wanna ought perhaps sake case "
    "s t m re ve ll d don didn doesn isn wasn couldn wouldn shouldn won ain able upon also too "
    "im be been being was were is are cannot can't couldn't don't doesn't didn't isn't wasn't weren't aren't won't "
    "nothink noting everythink etc been tbh lol ie asap yours mine hers"
)

OTHER_LANGUAGES = _words(
    "der die das den dem des ein eine einer eines einem einen und oder aber nicht kein keine ist sind war waren wird "
    "werden hat haben hatte ich du er sie es wir ihr mich mir uns man mit von zu zum zur im in am an auf aus bei für "
    "nach über unter vor wie was wenn weil dass auch nur noch schon sehr mehr so als "
    "le la les un une des du de et ou mais ne pas plus très est sont était être avoir ai as avons avez ont je tu il "
    "elle nous vous ils elles on me te se ce cet cette ces mon ma mes ton son sa ses notre votre leur que qui quoi où "
    "dans sur pour par avec sans sous trop tout tous toute "
    "el los las unos unas y o pero no más muy es son era ser estar fue yo él ella nosotros ustedes ellos lo le su sus "
    "mi mis tu al del con sin por para que como cuando donde todo todos hay ha han "
    "il lo gli i uno e ed ma non più molto è sono era essere io lui lei noi voi loro si ci di da del della dei delle "
    "nel nella con su per che come quando tutto tutti ho ha hanno "
    "de het een en of maar niet is zijn was waren worden heeft hebben ik jij hij zij wij jullie ze me mij ons je "
    "met van naar in op aan bij voor door over uit als dat die wat wel ook nog meer zeer "
    "o os as um uma uns umas e ou mas não mais muito é são foi ser estar eu ele ela nós eles do da dos das no na nos "
    "nas em com sem por para que como quando tudo "
    "i w z na do nie się to jest są był była było być ja ty on ona my wy oni mi mnie co jak kiedy gdzie że ale lub "
    "oraz dla od po za przez przy bardzo tak tylko już "
    "och att det som en ett på är av för med den till inte om jag har de så men vi kan var og at til ikke jeg det"
)

# What stands before a noun, before a quality, and before a verb, in several languages.
GERMANIC = _words(
    "der die das den dem des ein eine einer eines einem einen het een keine kein ihre meine zum zur im am"
)
ROMANCE = _words(
    "el los las un una unos unas al le les une des du au aux il gli uno della dei delle nel nella os uma do da dos das "
    "la lo mi su mon ma mes son sa ses de di da"
)
ARTICLES = GERMANIC | ROMANCE | _words("the a an my your our their his her its this these those every no")
INTENSIFIERS = _words(
    "very so too really extremely more most is are was were sehr zu viel ist sind war waren muy más demasiado es son "
    "está están estaba estaban eran étaient erano fue très trop plus est sont était molto "
    "troppo più è sono era muito mais são foi zeer te"
)
SUBJECTS = _words(
    "i you we they he she who to can could should would will must don't doesn't didn't ich du er wir man no se me "
    "te nos je tu ils elles ne si non"
)

ADJECTIVES = _words(
    "good great excellent nice friendly helpful kind caring lovely amazing brilliant fantastic wonderful perfect "
    "professional polite supportive understanding patient quick fast slow long short late early bad poor terrible "
    "awful rude unhelpful unfriendly dirty clean tidy comfortable uncomfortable cold hot warm noisy quiet loud busy "
    "easy difficult hard simple clear unclear confusing better best worse worst more less high low higher lower cheap "
    "expensive free new old young big small large huge full empty safe unsafe dangerous healthy unhealthy important "
    "useful useless effective ineffective efficient inefficient reliable unreliable available unavailable flexible "
    "responsive informative knowledgeable thorough attentive respectful approachable welcoming calm relaxed happy "
    "pleased satisfied disappointed unhappy sad angry frustrated worried anxious stressed grateful interested "
    "bored boring interesting fun enjoyable pleasant unpleasant positive negative wrong correct incorrect "
    "true false real fair fresh unfair equal unequal strong weak open closed public private personal medical mental "
    "physical social financial political religious legal illegal moral immoral human natural economic necessary "
    "unnecessary different similar same various certain possible impossible prompt punctual timely outstanding "
    "exceptional superb fab fabulous awesome incredible first-class second first last next previous extra additional "
    "regular constant quality honest compassionate gentle considerate sensitive cheerful courteous competent "
    "skilled skilful experienced qualified trained dedicated committed hardworking organised disorganised chaotic "
    "cramped crowded spacious bright dark modern outdated local nearby far close near international national global "
    "afraid scared alone aware unaware glad sorry sure unsure innocent guilty sick ill well fine okay ok "
    "reassuring encouraging accommodating non-judgmental judgemental down-to-earth lovely brill ace smashing tasty "
    "straight whole entire main major minor extreme smooth rough tough sweet soft sharp deep wide narrow thick thin "
    "heavy "
    "light rich poor total usual normal typical general special specific particular individual single double daily "
    "weekly monthly yearly early lonely lively costly likely unlikely excellant wonderfull helpfull supportive "
    "informed "
    "amazed impressed delighted thankful hopeful brave proud rushed relieved reassured "
    "born spent later lost broken hidden sent paid known shown unknown mandatory compulsory unbiased biased "
    "unethical ethical immoral diverse equal valuable"
    " delicious bland healthier cleaner quicker faster longer shorter easier cheaper bigger smaller nicer warmer"
)
_ADJECTIVE_ENDINGS = ("ful", "ous", "ible", "able", "less", "ic", "al", "ive", "ish")
_NOUNS_ALL_THE_SAME = _words(
    "table vegetable cable variable alternative initiative objective perspective detective relative motive dish fish "
    "english clinic topic music traffic public fabric logic panic mechanic republic mosaic statistic comic plastic "
    "hospital meal animal material proposal approval journal festival mineral metal goal deal appraisal referral "
    "arrival withdrawal rental capital manual portal signal trial terminal individual interval rehearsal removal "
    "renewal professional dispersal survival denial disposal refusal final council vital pandemic epidemic demographic "
    "electric characteristic mechanic critic skeptic medal canal pedal"
)

# Adjectives that say no more than "good": two of them in one name are one too many.
PRAISE = _words(
    "good great excellent nice lovely amazing brilliant fantastic wonderful perfect best better superb outstanding "
    "fabulous awesome incredible exceptional fab brill happy pleased fine first-class"
)

VERBS = _words(
    "add allow apply arrange ask assist attend avoid ban be become begin believe bring build buy "
    "choose communicate complain complete confirm consider continue convert create cut decide delete describe destroy "
    "do eat encourage enjoy ensure enter explain feel fill fix follow forget freeze get give go happen hate hear hide "
    "hold hurt improve include increase inform introduce keep kill know lead learn leave let listen live lose "
    "make meet mention move need pay prefer prevent prohibit promote protect prove provide read receive reduce refill "
    "remain remember remind remove repair replace require reset save schedule see sell send set show speak "
    "spend stop suffer take talk teach tell think translate treat try turn understand understood want wish "
    "write felt given treat appreciate recommend abolish adopt legalize subsidize mean seem cause force "
    "deserve serve exist carry contribute gain grow develop abandon end help support work wait visit call use order "
    "book update report transfer charge check cancel focus represent infringe decrease violate concentrate lower "
    "raise "
    "cost benefit allow cover harm damage destroy kill limit control play vote travel start finish spell share turn "
    "cook order find track activate redeem roll set increase reach rely handle deal avoid fail succeed dispense "
    "replace "
    "die retire enlist equalize influence compensate impose oppress fund expire recommend happen jump improve"
)
NO_ADVERBS = _words(
    "friendly lovely family elderly early daily weekly monthly costly supply reply fly july italy assembly unfriendly "
    "timely apply likely"
)

# Qualities people give to a service, a place, a thing or a person.
QUALITIES = _words(
    "friendly helpful kind caring supportive professional polite useful informative clear clean dirty noisy quiet slow "
    "quick fast prompt efficient poor rude expensive cheap cold hot comfortable uncomfortable easy "
    "difficult thorough knowledgeable welcoming relaxed tasty fresh reliable unreliable safe unsafe excellent "
    "good great brilliant lovely fantastic amazing wonderful better confusing convenient interesting boring"
)

# Nouns that say nothing by themselves.
VAGUE = _words(
    "job time times day days week weeks month months year years minute minutes hour hours way bit whole fact reason "
    "result part place point experience example case matter people person everyone thing issue issues problem problems "
    "situation circumstance circumstances idea others side end hand help talk stay visit word words moment present "
    "level number amount use person man woman guy guys lady ladies sense basis kind work best hospital home life world"
)

CALENDAR = _words(
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday tonight"
)

# Verbs that are nouns as well, so that a name may end with them.
NOUNS_TOO = _words(
    "help support care work need plan call visit wait change treatment use review report order update transfer charge "
    "balance payment book exercise talk contact service advice check test stay rest sleep meal drink travel trip cost "
    "price pay insurance search play alarm timer reminder list bill limit rate exchange schedule answer question voice "
    "request reply repair cancel delay respect love fear hope trust abuse harm risk damage loss force control access "
    "offer deal result experience share design taste smell park focus vote score start finish name spell recipe "
    "suffering warning promise view look cover"
)

_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}

STOPS = BRIDGES | COPULAS | _FUNCTION | OTHER_LANGUAGES | LINKS | _words("not no")


@lru_cache(WORDS)
def is_adjective(word: str) -> bool:
    return word in ADJECTIVES or (
        word.endswith(_ADJECTIVE_ENDINGS) and len(word) > 5 and word not in _NOUNS_ALL_THE_SAME
    )


@lru_cache(WORDS)
def is_adverb(word: str) -> bool:
    return word.endswith("ly") and len(word) > 4 and word not in NO_ADVERBS


@lru_cache(WORDS)
def is_noun(word: str) -> bool:
    """Anything that is known to be nothing else."""
    return not (word in STOPS or is_verb(word) or is_adjective(word) or is_adverb(word) or word.isdigit())


@lru_cache(WORDS)
def is_verb(word: str) -> bool:
    """Also with -s, -ed; an -ing form counts as a noun: parking, meeting, waiting."""
    forms = {word}
    if word.endswith("s"):
        forms |= {word[:-1]} | ({word[:-2]} if word.endswith("es") else set())
    if word.endswith("ed"):
        forms |= {word[:-1], word[:-2], word[:-3]}
        return word not in ADJECTIVES and (bool(forms & VERBS) or len(word) > 4) and not word.endswith("eed")
    return bool(forms & VERBS)


@lru_cache(WORDS)
def stem(word: str) -> str:
    """One key for singular and plural; crude, only for counting."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or word.endswith(("ss", "us", "is", "as")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


@lru_cache(WORDS)
def root(word: str) -> str:
    """One key for the forms of a word: wait, waits, waited, waiting; care, caring. Crude, only for counting."""
    base = stem(word)
    for ending in ("ing", "ed", "ly", "ment", "ful"):
        if base.endswith(ending) and len(base) - len(ending) >= 3:
            base = base[: -len(ending)]
            break
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lse":
        base = base[:-1]
    if len(base) > 3 and base.endswith("e"):
        base = base[:-1]
    return base[:-1] + "i" if len(base) > 3 and base.endswith("y") else base
