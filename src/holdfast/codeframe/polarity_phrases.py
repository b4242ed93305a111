"""English wholes whose words alone would mislead: `nothing to improve` praises, `could be better` does not."""

_NOTHING = (
    r"(?:nothing|nowt|not? anything|not? much|not a thing"
    r"|(?:don'?t|do not|can'?t|cannot|couldn'?t) (?:really )?(?:think|see|find)(?: that| of)?"
    r"(?: there(?:'?s| is| was))? (?:anything|any|you|it|they))"
)
_TO_IMPROVE = (
    r"(?:improve|improving|be improved|improvements?|better|fault|wrong|bad|change|different(?:ly)?|complain(?: about)?"
    r"|done more)"
)
_COMPARED = (
    r"(?:better|improv\w+|cleaner|quicker|faster|shorter|longer|easier|cheaper|clearer|warmer|kinder|nicer|friendlier"
    r"|earlier|sooner)"
)
_WISHED = r"(?:nice|nicer|good|better|great|helpful|useful|ideal|beneficial|preferable|easier|lovely|appreciated)"
_DID_NOT = r"(?:never|didn'?t|did not|no one|nobody)"
_DONE = r"(?:listen\w*|answer\w*|call\w*|told|turn\w* up|explain\w*|came|help\w*|respon\w+|care[ds]?)"
_TOO = (
    r"(?:much|many|few|little|long|short|slow|late|early|expensive|busy|small|big|hot|cold|noisy|loud|high|low|hard|far"
    r"|quick|quickly|fast|sweet|salty|dry|complicated|dark|bright)"
)

# Weighed, and taken out, one after the other: the first that fits a place has it.
PHRASES: tuple[tuple[float, str], ...] = (
    (3.0, _NOTHING + r"\b[\w' ]{0,30}?\b" + _TO_IMPROVE),
    (
        3.0,
        (
            r"no (?:\w+ )?(?:complaints?|improvements?|faults?|problems?|issues?|negatives?|criticisms?|concerns?"
            r"|worries|changes)(?: at all)?"
        ),
    ),
    (
        3.0,
        (
            r"(?:could|would)(?:n'?t| not) (?:really )?(?:have )?(?:be|been|get|do|done)(?: it| any)*"
            r" (?:better|improved|faulted|bettered|nicer)"
        ),
    ),
    (
        3.0,
        (
            r"(?:couldn'?t|could not|can'?t|cannot|wouldn'?t|didn'?t|don'?t) (?:really )?"
            r"(?:(?:have )?fault|complain|ask for (?:\w+ )?(?:more|better)|change (?:a|any) ?thing)"
        ),
    ),
    (2.5, r"never (?:had |been |have )?(?:\w+ )?(?:problems?|issues?|complaints?|let down|disappoint\w*)"),
    (3.0, r"nothing (?:is|was|seemed|were) (?:ever )?too much(?: of a)?(?: trouble| bother)?"),
    (3.0, r"no (?:need|room) (?:for|to) (?:improv\w+|chang\w+)"),
    (3.0, r"(?:every|any)thing (?:is |was |went )?(?:good|great|fine|ok|okay|well|perfect)"),
    (
        1.0,
        (
            r"(?:listen\w*|talk\w*|understand\w*)(?: to| about| through)? (?:my|our|your|their|the|any|his|her)"
            r" (?:\w+ )?(?:problems?|issues?|concerns?|worries|pain|struggles|difficulties|anxiety|stress)"
        ),
    ),
    (
        2.5,
        (
            r"(?:second to none|above and beyond|extra mile|keep (?:up|it up|on|doing)|well done|spot on|10 ?/ ?10"
            r"|ten out of ten|10 out of 10|5 stars?|five stars?|thumbs up|value for money|good value|can'?t praise"
            r"|cannot praise|nothing but (?:praise|good)|highly recommend\w*|as it is|on time|life ?saver)"
        ),
    ),
    (
        2.5,
        (
            r"(?:looked after|taken care of|cared for|at ease|put my mind at rest"
            r"|made (?:me|us) (?:feel )?(?:very )?welcome"
            r"|without (?:any )?(?:problems?|delays?|issues?|fuss|stress|waiting)"
            r"|no (?:waiting|wait|delays?|fuss|stress|pressure)|not (?:too|very) long)"
        ),
    ),
    (
        -2.5,
        r"(?:need|could|should|must|ought to|needs)(?: to)? (?:have |has )?(?:be |been |do |done )?"
        r"(?:a (?:bit|little|lot) )?(?:more |much )?" + _COMPARED,
    ),
    (-2.5, r"(?:would|should|could|might) (?:be|have been) (?:\w+ )?" + _WISHED),
    (-2.0, r"(?:would|i'd|we'd) (?:have )?(?:like|liked|love|loved|prefer|preferred|appreciate|benefit)"),
    (-2.5, r"(?:not|never|isn'?t|wasn'?t|aren'?t) (?:\w+ )?enough"),
    (
        -2.5,
        (
            r"(?:room for improvement|lack of|let (?:me|us|him|her|them) down|fed up|waste of (?:time|money)"
            r"|had to wait|kept waiting|long (?:time )?wait\w*"
            r"|wait\w* (?:\w+ ){0,3}(?:hours?|weeks?|months?|years?|ages)"
            r"|out of (?:date|order)|not (?:at all )?(?:good|great|happy|helpful))"
        ),
    ),
    (
        -2.5,
        r"no (?:help|support|communication|response|parking|information|privacy|sympathy|respect|empathy|choice)",
    ),
    (-2.5, _DID_NOT + r" (?:\w+ )?" + _DONE),
    (
        -2.0,
        (
            r"(?:does|did|do|is|was)(?:n'?t| not) (?:work\w*|function\w*|arrive|open|load|connect|help|get|offered"
            r"|given|told)"
        ),
    ),
    (-2.0, r"(?:you|they|we|staff|people|patients) (?:should|must|ought to|need to|needs to)"),
    (-2.5, r"too (?:\w+ )?" + _TOO),
    (-2.0, r"(?:feels?|felt|seems?|seemed) (?:like )?(?:a )?(?:rushed|forced)"),
)

# A sentence that begins so asks for something.
REQUESTS = (
    r"(?:please )?(?:more|less|fewer|better|quicker|faster|shorter|longer|cheaper|easier|clearer|cleaner|bigger"
    r"|improve|improved|improving|increase|reduce|provide|offer|stop|needs?|make (?:it|sure)|should|must|try to"
    r"|get rid of|lower|add|fix|bring back|have more|be more|ensure|consider|allow|give us|employ|hire)\b"
)
