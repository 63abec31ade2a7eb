"""Decide whether a question depends on the conversation before it.

A follow-up question contains an anaphor without an antecedent of its own ("how does it scale?"), or it is elliptic: it
has too few content words to stand alone ("and in winter?"). It may also refer to an earlier citation or topic
explicitly ("[2]", "the second paper", "back to the Alps").
"""

from __future__ import annotations

import re

# Function words: they occur in questions on any topic.
_STOP_WORDS = frozenset(
    "a about across actually after all also although always am an and any anybody anyone anything are aren't as at be "
    "because been before being between both but by can can't could did didn't do does doesn't doing don't down during "
    "each either else enough even ever every exactly few for from get gets give given go had has have having he her "
    "here hers him his how i if in instead into is isn't it it's its itself just kind least less let like little many "
    "may maybe me might mine more most much must my need neither no nobody none nor not nothing now of off ok okay on "
    "one ones only onto or other others our out over own per perhaps please quite rather really same say says shall "
    "she should show shown shows since so some somebody someone something somewhat still such tell than that that's "
    "the their theirs them themselves then there these they they're they've this those though through to too toward "
    "towards under until up upon us use used uses using very via was wasn't we well were what what's when where "
    "whether which while who who's whom whose why will with within without won't would yes yet you your".split()
)
# Words in which papers on any topic are discussed.
_GENERIC_WORDS = frozenset(
    "abstract abstracts affect agree agrees aim aims answer approach approaches argue article author authors "
    "average bad baseline baselines benchmark benchmarks best better big bigger case cases cheap check cite cited "
    "claim claims code come compare compared comparison conclude conclusion conclusions contribution contributions "
    "cost costs data dataset datasets detail details differ difference different disagree discuss earlier easy "
    "effect effects elaborate else evaluate evaluated evaluation evidence example examples experiment experiments "
    "explain explanation far fast find finding findings found gain gains general generally good happen happens hard "
    "help helps hold holds idea ideas important improve improvement improvements improves interesting introduce "
    "kind know known large larger later limitation limitations limits literature long look main matter matters mean "
    "means measure measured method methods metric metrics model models need needed needs new newer next number "
    "numbers older open opposite paper papers part percent point points possible practice problem problems proof "
    "propose proposed prove proved publish published question questions reason reasons recent reference references "
    "related reliable report reported research rest result results reverse right sample samples seem shown similar "
    "size slow small smaller sort source sources studies study suggest summarise summarize summary technique "
    "techniques test tested tests theory thing things think time title tried true try type types venue version way "
    "ways widely work works worse write written wrong wrote year years".split()
)
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")

# Openings that relate the question to the conversation.
_TOPIC_SWITCH = re.compile(
    r"^(?:(?:ok|okay|alright|right|now|so|well|thanks|thank you)\b[\s,.!:-]*)*(?:(?:now|and|let's|to)\s+)?"
    r"(?:(?:on\s+)?(?:to\s+)?(?:a\s+|an\s+|some|one\s+|something\s+)*\b(?:different|another|new|unrelated|separate|"
    r"other)"
    r"\s+(?:thing|topic|question|subject|matter|note|issue)|something\s+(?:else|different)|"
    r"(?:chang\w+|switch\w+)\s+(?:the\s+)?(?:topics?|subjects?|gears)|unrelated)\b"
    r"(?:\s+(?:entirely|now|then))?\s*[:,.;–-]+\s*",
    re.IGNORECASE,
)
_INTERJECTIONS = r"(?:(?:ah|cool|great|hm+|i\s+see|interesting|no|oh|ok|okay|right|sure|thanks|well|yes)\b[\s,.!:-]*)*"
_TOPIC_RETURN = re.compile(
    rf"^{_INTERJECTIONS}(?:(?:and|but|so|now)\b[\s,]*)?(?:(?:can\s+we|let's|let\s+me|i'd\s+like\s+to)\s+)?"
    r"(?:(?:\w+ing\s+|go\s+|come\s+|get\s+)?back\s+to|return(?:ing)?\s+to|earlier\s+you|you\s+(?:said|mentioned)|"
    r"we\s+(?:talked|spoke)\s+about|as\s+you\s+(?:said|mentioned)|again\s+about)\b",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    rf"^{_INTERJECTIONS}(?:(?:and|but|or|plus|so|also|then|what\s+if)\b|(?:the\s+)?same\s+(?:question|thing)\b)",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(rf"^{_INTERJECTIONS}(?:(?:and|but|so)\b[\s,]*)?(?:what|how)\s+about\b", re.IGNORECASE)
_REQUEST_FOR_MORE = re.compile(r"^(?:some\s+)?more\b|\b(?:say|tell\s+me|know|hear|explain)\s+more\b", re.IGNORECASE)
_FINAL_ADVERB = re.compile(r"\b(?:instead|too|as\s+well|either|though|then|there)\s*[?.!]*$", re.IGNORECASE)

_RESEARCH_NOUN = (
    r"(?:papers?|stud(?:y|ies)|works?|articles?|abstracts?|authors?|methods?|approach(?:es)?|techniques?|algorithms?|"
    r"frameworks?|systems?|procedures?|optimi[sz]ers?|findings?|results?|claims?|experiments?|datasets?|benchmarks?|"
    r"theor(?:y|ies)|models?|ideas?|numbers?|gains?|effects?|phenomen(?:on|a)|schedules?|formulas?|tasks?|problems?)"
)
_PAPER_NOUN = r"(?:papers?|stud(?:y|ies)|articles?|abstracts?|publications?|references?|sources?|citations?|ones?)"
_ORDINALS = {"first": 1, "1st": 1, "former": 1, "second": 2, "2nd": 2, "latter": 2, "third": 3, "3rd": 3}
_ORDINALS |= {"fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "last": -1}
_ORDINAL = re.compile(
    rf"\bthe\s+(?:(?P<which>{'|'.join(_ORDINALS)})\s+"
    rf"(?P<what>{_PAPER_NOUN}|approach|idea|method|model|part|point|result)|(?P<pair>former|latter))\b"
    r"(?!\s+(?:about|of|on|to|who|that)\b)",
    re.IGNORECASE,
)
_CITATION_NUMBER = re.compile(r"\[(\d{1,3})\]|\b(?:paper|citation|source|reference)\s+#?(\d{1,2})\b", re.IGNORECASE)

# Phrases that are anaphoric in any position.
_ANAPHORIC_PHRASE = re.compile(
    r"\b(?:something\s+(?:similar|like\s+that|like\s+this)|(?:any|some)(?:one|body)\s+else|the\s+(?:opposite|reverse|"
    r"contrary)(?!\s+of\b)|(?:either|both|any|none|neither|each|all|most|some|one)\s+of\s+(?:them|these|those)|"
    r"of\s+the\s+two|"
    rf"(?:this|that|said|aforementioned)\s+(?:same\s+)?(?:paper|study|article|work)|their\s+{_RESEARCH_NOUN}|"
    r"the\s+(?:paper|study|article)s?(?!\s+(?:about|by|called|from|in|of|on|that|titled|where|which|who|with)\b)|"
    r"the\s+authors?(?!\s+of\b))\b",
    re.IGNORECASE,
)
# "It" without a referent, or referring to a clause that follows.
_EXPLETIVE_IT = re.compile(
    r"\b(?:is|was|be|isn't|wasn't|are|becomes?)\s+it\s+(?:\w+\s+){0,3}?(?:that|to|whether|if|when|how|\w+ing)\b"
    r"|\b(?:is|was)\s+it\s+(?:\w+\s+){0,2}?for\s+(?:\S+\s+){1,4}?to\b"
    r"|\bit(?:'s|\s+is|\s+was|\s+has\s+been|\s+can\s+be)\s+(?:\w+\s+){0,3}?(?:that|to|whether|if|when|how)\b"
    r"|\bit\s+(?:seems|turns|takes|appears|follows)\b|\b(?:does|did|do|would)(?:n't)?\s+it\s+(?:take|matter|make)\b"
    r"|\b(?:does|did|do|would)(?:n't)?\s+it\s+(?:help|pay|suffice|hurt)\s+(?:to|if|when)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|she|his|hers?|him|"
    r"the\s+\w+er\s+ones?|the\s+ones?(?=\s+(?:\w+ing|that|which|who|with|from|by|about)\b|\s*[?,.:]|$)|"
    r"(?:which|that|this)\s+ones?)\b",
    re.IGNORECASE,
)
_AUXILIARY = r"(?:am|are|can|could|did|do|does|had|has|have|is|may|might|should|was|were|will|would)(?:n't)?"
# "This" and "that" as pronouns or before a research noun: not in expressions of time, nor as conjunctions.
_DEMONSTRATIVE = re.compile(
    rf"\b(?:these|those)(?!\s+(?:days|times|years|who|that|which|two\s+kinds)\b)"
    rf"|\bthis(?!\s+(?:way|year|week|month|day|century|decade|library|collection|corpus)\b)"
    rf"|\bthat(?=\s+{_RESEARCH_NOUN}\b|\s*[?.!,;]|\s*$|'s\s)|\b{_AUXILIARY}\s+that(?=\s+\w+)",
    re.IGNORECASE,
)
# A definite noun phrase: in a short question its referent is in the conversation.
_DEFINITE_NOUN = re.compile(
    rf"\bthe\s+(?:\w+\s+)?{_RESEARCH_NOUN}\b(?!\s+(?:of|for|that|which|who|in|on|to|with|behind|between|from)\b)",
    re.IGNORECASE,
)
_PAST_TENSE = re.compile(r"^(?:(?:how|what|when|where|which)\b.*\s)?(?:was|were)\b.*\w\W*$", re.IGNORECASE)
_SUBORDINATE_CLAUSE = re.compile(r"^\W*(?:because|given|if|when|while)\b", re.IGNORECASE)
_CLAUSE_BOUNDARY = re.compile(r"[,;:.?!()–—]|\s-\s|\b(?:and|but|or|so|then|because|if|when|while)\b")

# The most content words of an elliptic question, and of one that begins with "and" or "what about".
_MAX_ELLIPTIC_WORDS = 3
_MAX_CONTINUATION_WORDS = 5
# The fewest words before an anaphor that can be its antecedent.
_MIN_ANTECEDENT_WORDS = 2


def is_follow_up(question: str) -> bool:
    """Return whether the question, without its filters, can be understood only with the conversation before it."""
    if _TOPIC_SWITCH.match(question):
        return False
    return bool(
        returns_to_topic(question)
        or cited_numbers(question)
        or ordinal(question)
        or has_anaphor(question)
        or _is_elliptic(question)
    )


def without_topic_switch(question: str) -> str:
    """Return the question without an opening that announces a new topic, such as "something else:"."""
    return _TOPIC_SWITCH.sub("", question) or question


def returns_to_topic(question: str) -> bool:
    """Return whether the question announces a return to an earlier topic, such as "back to the Alps"."""
    return bool(_TOPIC_RETURN.search(question))


def cited_numbers(question: str) -> list[int]:
    """Return the citation numbers in the question, written as [2] or as "paper 2"."""
    return [int(match[1] or match[2]) for match in _CITATION_NUMBER.finditer(question)]


def ordinal(question: str) -> int:
    """Return the position that the question refers to by "the second one", from 1; -1 for the last, 0 for none."""
    match = _ORDINAL.search(question)
    return _ORDINALS[(match["which"] or match["pair"]).casefold()] if match else 0


def has_anaphor(question: str) -> bool:
    """Return whether the question has a pronoun or an anaphoric phrase without an antecedent in the question."""
    text = _EXPLETIVE_IT.sub(lambda match: " " * len(match[0]) if "they" not in match[0] else match[0], question)
    anaphors = (*_PRONOUN.finditer(text), *_DEMONSTRATIVE.finditer(text), *_ANAPHORIC_PHRASE.finditer(text))
    return any(not _has_antecedent(question[: match.start()]) for match in anaphors)


def content_words(text: str) -> list[str]:
    """Return the stemmed words of a text that indicate its topic: neither function words nor words on any paper."""
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return [
        _stem(word) for word in words if word not in _STOP_WORDS and word not in _GENERIC_WORDS and not word.isdigit()
    ]


def _has_antecedent(preceding: str) -> bool:
    """Return whether the text that precedes an anaphor can contain its antecedent."""
    *earlier_clauses, clause = _CLAUSE_BOUNDARY.split(preceding)
    required = 1 if _SUBORDINATE_CLAUSE.match(preceding) else _MIN_ANTECEDENT_WORDS
    if sum(map(_count_antecedent_words, earlier_clauses)) >= required:
        return True
    # In "which optimizer did they ...", the pronoun is the subject and the optimizer is not its antecedent.
    is_subject = re.search(rf"\b{_AUXILIARY}\s*$", clause, re.IGNORECASE)
    return _count_antecedent_words(clause) >= (2 * _MIN_ANTECEDENT_WORDS if is_subject else _MIN_ANTECEDENT_WORDS)


def _count_antecedent_words(text: str) -> int:
    """Return the number of content words, and one more for "model": "language models" has two, "the model" none."""
    count = len(content_words(text))
    return count + bool(count and re.search(r"\bmodels?\b", text, re.IGNORECASE))


def _is_elliptic(question: str) -> bool:
    """Return whether the question has too few content words to stand alone."""
    count = len(content_words(question))
    if not count:
        return bool(_WORD.search(question))
    if _WHAT_ABOUT.match(question) or _CONTINUATION.match(question):
        return count <= _MAX_CONTINUATION_WORDS
    if count == 1 and _PAST_TENSE.search(question):  # "what hardware was needed?" refers to a particular study
        return True
    return count <= _MAX_ELLIPTIC_WORDS and _refers_to_conversation(question)


def _refers_to_conversation(question: str) -> bool:
    """Return whether a short question asks for more or has a definite noun without an antecedent."""
    if _FINAL_ADVERB.search(question) or _REQUEST_FOR_MORE.search(question):
        return True
    definite = _DEFINITE_NOUN.search(question)
    return bool(definite and not _has_antecedent(question[: definite.start()]))


def _stem(word: str) -> str:
    return re.sub(r"(?<=\w{3})(?:ings?|ed|es|s|e)$", "", word.removesuffix("'s"))
