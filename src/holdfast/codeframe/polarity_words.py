"""English words that praise or blame in answers to surveys, and words that turn or weigh them: a list of our own."""

_PRAISE = {  # weight -> words
    3: (
        "adore amazing awesome best brilliant delighted excellent exceptional exemplary extraordinary "
        "fabulous fantastic first-class flawless incredible love loved loving magnificent marvellous "
        "marvelous outstanding perfect phenomenal spectacular splendid sublime superb superior terrific "
        "thrilled top-notch tremendous unbeatable wonderful world-class"
    ),
    2: (
        "accommodating admirable affordable appreciate appreciated appreciative approachable attentive "
        "beautiful beneficial bright calm calming caring cheerful clean clear comfortable comforting "
        "commend commendable compassionate competent confident congratulations considerate convenient "
        "courteous delicious delightful dependable easy effective efficient effortless empathetic "
        "encouraging engaging enjoy enjoyable enjoyed enjoying enthusiastic fair faultless favorite "
        "favourite flexible fresh friendly fun generous gentle glad good gracious grateful great happy "
        "helped helpful helpfulness honest hospitable impressed impressive informative innovative "
        "insightful inspiring instructive intuitive invaluable kind kindness knowledgable knowledgeable "
        "lovely memorable neat nice non-judgemental organised organized patient peaceful pleasant pleased "
        "pleasing pleasure polite positive praise productive professional professionalism prompt promptly "
        "punctual reassured reassuring recommend recommended relaxed relaxing reliable respectful "
        "responsive safe satisfactory satisfied satisfying seamless skilled smooth spotless stellar "
        "stress-free supportive sympathetic tasty thankful thorough thoughtful tidy top trustworthy "
        "understanding useful valuable valued warm welcomed welcoming well well-organised well-run win "
        "worth worthwhile yummy"
    ),
    1: (
        "accessible accurate adequate agree calmness cared cheap cheaper comfort decent fast "
        "fine handy improved informed interesting listened looked-after modern ok okay plenty quick "
        "quickly quiet reasonable respect respected sensible simple smart smile smiley smiling success "
        "successful support supported thank thanks thankyou thoroughly timely trust variety"
    ),
}
_BLAME = {  # weight -> words
    3: (
        "abysmal appalling atrocious awful catastrophic despicable diabolical disaster disastrous "
        "disgrace disgraceful disgusted disgusting dreadful filthy hate hated hideous horrendous horrible "
        "horrid horrific incompetent inexcusable inhumane nightmare pathetic scam scandalous shambles "
        "shocking terrible unacceptable unbearable unforgivable useless vile worst worthless"
    ),
    2: (
        "abandoned abrupt abuse abusive aggressive angry annoyed annoying anxious arrogant ashamed bad "
        "badly bland blunt boring broke broken buggy bullied bully careless chaos chaotic clunky cold- "
        "hearted complain complained complaint complicated confused confusing confusion cramped crap "
        "crash crashed crashes cruel damaged damp dangerous delay delayed delays difficult difficulty "
        "dirty disappointed disappointing disappointment discourteous disinterested dislike dismissed "
        "dismissive disorganised disorganized disrespect disrespectful distressed distressing disturbed "
        "dull embarrassing expensive fail failed failing failure faulty frightened frightening frustrated "
        "frustrating frustration fuss greasy grim gross ignorant ignored impatient impersonal impolite "
        "inaccurate inadequate inconsistent inconvenient incorrect inedible ineffective inefficient "
        "inflexible insensitive insufficient insulting irritating issue lacked lacking lacks lazy let- "
        "down lied lies lousy mediocre mess messy miserable misleading missed mistake mistakes moody "
        "nasty neglect neglected nervous noise noisy outdated overcrowded overpriced overworked pain "
        "painful patronising patronizing pointless poor poorly pressured problem problematic rubbish rude "
        "rudeness rushed sad scary shabby slow slowly smelly sore stale stress stressed stressful "
        "struggle struggled struggling stupid tasteless tedious terrified tired tiring traumatic ugly "
        "unable unaware uncaring unclear uncomfortable understaffed unfair unfortunately unfriendly "
        "unhappy unhealthy unhelpful uninterested unkind unpleasant unprofessional unreliable unsafe "
        "unsatisfactory unsure unsympathetic untidy unwelcoming upset upsetting violent waste wasted weak "
        "worried worry worrying worse wrong"
    ),
    1: (
        "basic busy cancel cancelled cold cost costly costs crowded dated disagree disjointed forgot "
        "forgotten hard hardly heavy hurt lack lacklustre late limited lost loud missing odd old problems "
        "queue queues repetitive short-staffed shortage shortages small stuck sugary tight unnecessary "
        "wait waited waiting waits"
    ),
}


def _weights() -> dict[str, float]:
    found: dict[str, float] = {}
    for sign, lists in ((1, _PRAISE), (-1, _BLAME)):
        for weight, words in lists.items():
            found |= {word: float(sign * weight) for word in words.split()}
    return found


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WEIGHTS = _weights()

NEGATIONS = _set(
    "aint arent barely cannot cant couldnt didnt doesnt dont hadnt hardly hasnt havent isnt neither never "
    "no nobody none nor not nothing rarely shouldnt wasnt werent without wont wouldnt"
)
STRONGER = _set(
    "absolutely always completely especially exceptionally extremely highly incredibly really so totally truly very"
)
WEAKER = _set("bit fairly little mildly quite rather slightly sometimes somewhat")
CONTRASTS = _set(
    "although apart but despite except however nevertheless nonetheless otherwise though unfortunately whereas yet"
)
# What may follow a `nothing` that is the whole answer to the question, before a sentence that says why.
SENTENCE_STARTS = _set(
    "a all am as every everyone everything excellent great he i it it's its my overall really she staff "
    "the they this very was we you your"
)

FACES = {
    **dict.fromkeys("😀😃😄😁😊🙂😍🥰😘🤗🤩😎👍👏🙌💖❤💕💯🌟⭐🎉🙏☺♥", 2.0),
    **dict.fromkeys("😞😠😡🤬😢😭😤😩😫🙁☹👎💩🤮🤢😖😒😣💔", -2.0),
}
