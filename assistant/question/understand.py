"""A question, and the conversation before it, to a query that stands on its own: its text, filters and scope.

Whether a question leans on the conversation is decided by what it says: it points at something that it does not name
(`_points_back`), or it names nothing at all (`_is_elliptic`). What it leans on is the last question that stood on
its own, or an earlier one if the question goes back to that. Papers that it names by their number, their title or an
author are the only ones looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.errors import InputError
from assistant.question import filters
from assistant.schema import EVERYTHING, Citation, Paper, Query, Scope, Turn
from assistant.text.matching import contains_phrase

# What every question may have, and so says nothing of its subject.
_STOP = frozenset(
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
# How papers are spoken of, whatever their subject is.
_GENERIC = frozenset(
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

# Openings that say how the question stands to what was said.
_SWITCHES = re.compile(
    r"^(?:(?:ok|okay|alright|right|now|so|well|thanks|thank you)\b[\s,.!:-]*)*(?:(?:now|and|let's|to)\s+)?"
    r"(?:(?:on\s+)?(?:to\s+)?(?:a\s+|an\s+|some|one\s+|something\s+)*\b(?:different|another|new|unrelated|separate|"
    r"other)"
    r"\s+(?:thing|topic|question|subject|matter|note|issue)|something\s+(?:else|different)|"
    r"(?:chang\w+|switch\w+)\s+(?:the\s+)?(?:topics?|subjects?|gears)|unrelated)\b"
    r"(?:\s+(?:entirely|now|then))?\s*[:,.;–-]+\s*",
    re.IGNORECASE,
)
_FILLERS = r"(?:(?:ah|cool|great|hm+|i\s+see|interesting|no|oh|ok|okay|right|sure|thanks|well|yes)\b[\s,.!:-]*)*"
_RETURNS = re.compile(
    rf"^{_FILLERS}(?:(?:and|but|so|now)\b[\s,]*)?(?:(?:can\s+we|let's|let\s+me|i'd\s+like\s+to)\s+)?"
    r"(?:(?:\w+ing\s+|go\s+|come\s+|get\s+)?back\s+to|return(?:ing)?\s+to|earlier\s+you|you\s+(?:said|mentioned)|"
    r"we\s+(?:talked|spoke)\s+about|as\s+you\s+(?:said|mentioned)|again\s+about)\b",
    re.IGNORECASE,
)
_ADDS = re.compile(
    rf"^{_FILLERS}(?:(?:and|but|or|plus|so|also|then|what\s+if)\b|(?:the\s+)?same\s+(?:question|thing)\b)",
    re.IGNORECASE,
)
_ASKS_OF_ANOTHER = re.compile(rf"^{_FILLERS}(?:(?:and|but|so)\b[\s,]*)?(?:what|how)\s+about\b", re.IGNORECASE)
_ASKS_FOR_MORE = re.compile(r"^(?:some\s+)?more\b|\b(?:say|tell\s+me|know|hear|explain)\s+more\b", re.IGNORECASE)
_ENDS_WITH_MORE = re.compile(r"\b(?:instead|too|as\s+well|either|though|then|there)\s*[?.!]*$", re.IGNORECASE)

_THINGS = (
    r"(?:papers?|stud(?:y|ies)|works?|articles?|abstracts?|authors?|methods?|approach(?:es)?|techniques?|algorithms?|"
    r"frameworks?|systems?|procedures?|optimi[sz]ers?|findings?|results?|claims?|experiments?|datasets?|benchmarks?|"
    r"theor(?:y|ies)|models?|ideas?|numbers?|gains?|effects?|phenomen(?:on|a)|schedules?|formulas?|tasks?|problems?)"
)
_PAPER = r"(?:papers?|stud(?:y|ies)|articles?|abstracts?|publications?|references?|sources?|citations?|ones?)"
_ORDINALS = {"first": 1, "1st": 1, "former": 1, "second": 2, "2nd": 2, "latter": 2, "third": 3, "3rd": 3}
_ORDINALS |= {"fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "last": -1}
_ORDINAL = re.compile(
    rf"\bthe\s+(?:(?P<which>{'|'.join(_ORDINALS)})\s+"
    rf"(?P<what>{_PAPER}|approach|idea|method|model|part|point|result)|(?P<pair>former|latter))\b"
    r"(?!\s+(?:about|of|on|to|who|that)\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\[(\d{1,3})\]|\b(?:paper|citation|source|reference)\s+#?(\d{1,2})\b", re.IGNORECASE)

# What points back wherever it stands.
_ANAPHOR = re.compile(
    r"\b(?:something\s+(?:similar|like\s+that|like\s+this)|(?:any|some)(?:one|body)\s+else|the\s+(?:opposite|reverse|"
    r"contrary)(?!\s+of\b)|(?:either|both|any|none|neither|each|all|most|some|one)\s+of\s+(?:them|these|those)|"
    r"of\s+the\s+two|"
    rf"(?:this|that|said|aforementioned)\s+(?:same\s+)?(?:paper|study|article|work)|their\s+{_THINGS}|"
    r"the\s+(?:paper|study|article)s?(?!\s+(?:about|by|called|from|in|of|on|that|titled|where|which|who|with)\b)|"
    r"the\s+authors?(?!\s+of\b))\b",
    re.IGNORECASE,
)
# "It" that stands for nothing, or for a clause that follows.
_EXPLETIVE = re.compile(
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
# "This" and "that" for something said, not before a noun of their own time, nor before the clause they open.
_DEMONSTRATIVE = re.compile(
    rf"\b(?:these|those)(?!\s+(?:days|times|years|who|that|which|two\s+kinds)\b)"
    rf"|\bthis(?!\s+(?:way|year|week|month|day|century|decade|library|collection|corpus)\b)"
    rf"|\bthat(?=\s+{_THINGS}\b|\s*[?.!,;]|\s*$|'s\s)|\b{_AUXILIARY}\s+that(?=\s+\w+)",
    re.IGNORECASE,
)
# A thing of the conversation, where the question has little else.
_DEFINITE = re.compile(
    rf"\bthe\s+(?:\w+\s+)?{_THINGS}\b(?!\s+(?:of|for|that|which|who|in|on|to|with|behind|between|from)\b)",
    re.IGNORECASE,
)
_PAST = re.compile(r"^(?:(?:how|what|when|where|which)\b.*\s)?(?:was|were)\b.*\w\W*$", re.IGNORECASE)
_CONDITION = re.compile(r"^\W*(?:because|given|if|when|while)\b", re.IGNORECASE)
_BOUNDARY = re.compile(r"[,;:.?!()–—]|\s-\s|\b(?:and|but|or|so|then|because|if|when|while)\b")
_ABOUT_THE_PAPER = re.compile(
    r"\bwho(?:se)?\b.*\b(?:wrote|writes|written|authors?|work|published|behind|paper)\b|\bauthors?\b|"
    r"\b(?:when|where|what\s+year|which\s+year)\b.*\bpublished\b|"
    r"\b(?:this|that|these|those|the)\s+(?:papers?|stud(?:y|ies))\b",
    re.IGNORECASE,
)
_BEYOND = re.compile(
    r"\b(?:also|another|else|other|others|more|elsewhere|any(?:one|body)|some(?:one|body))\b", re.IGNORECASE
)

# Words that name something: a question with so few of them beside an anaphor, or after "and", hardly stands alone.
_FEW = 3
_SHORT = 5
# A shorter title is as likely to be meant as the words that it consists of.
_TITLE_WORDS = 3
# Words before a pronoun that may be what it stands for.
_ENOUGH = 2


def understand(
    question: str,
    history: Sequence[Turn] = (),
    limit: int = 4000,
    scope: Scope = EVERYTHING,
    is_author: filters.IsAuthor = lambda _: False,
) -> Query:
    """The query of a question; one that leans on the conversation takes along what it leans on.

    `scope` is what the caller looks at, `is_author` says whether the library knows an author of a name. Raises
    InputError where the question is longer than `limit` characters, or has a filter that does not exist.
    """
    text = tidy(question, "question", limit)
    own = filters.parse(text, is_author)
    asked = own.text
    if not history:
        return Query(text, asked, own.filters, scope)
    cited = _narrowed(scope, [paper.id for paper in _named(asked, history)])
    if not is_follow_up(asked):
        return Query(text, _SWITCHES.sub("", asked) or asked, own.filters, cited)
    base = _base(asked, history)
    standalone = " ".join(
        dict.fromkeys(filter(None, [*_thread(asked, base, history), *_pointed_at(asked, base), asked]))
    )
    return Query(text, standalone, own.filters or base.answer.filters, cited, is_follow_up=True)


def tidy(typed: str, what: str, limit: int) -> str:
    """What was typed, on one line. Raises InputError where it is longer than `limit` characters; `what` is for that."""
    # A broken byte on the command line, or half an escaped character in JSON, is no text that can be encoded.
    text = " ".join(typed.encode("utf-8", "replace").decode("utf-8").split())
    if len(text) > limit:
        raise InputError(what, f"{len(text):,} characters are too many for a {what} (most: {limit:,})")
    return text


def is_follow_up(question: str) -> bool:
    """Whether the question, without its filters, can be understood only from what was said before."""
    if _SWITCHES.match(question):
        return False
    return bool(
        _RETURNS.search(question)
        or _NUMBER.search(question)
        or _ORDINAL.search(question)
        or _points_back(question)
        or _is_elliptic(question)
    )


def names_something(query: Query) -> bool:
    """Whether it says, itself or by what it leans on, what to look for: "what are the results?" does not."""
    return bool(query.is_follow_up or query.filters or query.scope or _telling(query.standalone))


def _points_back(question: str) -> bool:
    """Whether it has a word for something that it does not name itself before."""
    text = _EXPLETIVE.sub(lambda match: " " * len(match[0]) if "they" not in match[0] else match[0], question)
    pointers = (*_PRONOUN.finditer(text), *_DEMONSTRATIVE.finditer(text), *_ANAPHOR.finditer(text))
    return any(not _is_bound(question[: match.start()]) for match in pointers)


def _is_bound(before: str) -> bool:
    """Whether a pronoun behind these words may stand for one of them."""
    *earlier, clause = _BOUNDARY.split(before)
    if sum(map(_nameable, earlier)) >= (1 if _CONDITION.match(before) else _ENOUGH):
        return True
    # "Which optimizer did they ..." asks of them, whatever stands before.
    asked_of = re.search(rf"\b{_AUXILIARY}\s*$", clause, re.IGNORECASE)
    return _nameable(clause) >= (2 * _ENOUGH if asked_of else _ENOUGH)


def _nameable(text: str) -> int:
    """How many words say what the text is about; "language models" are two, "the model" is none."""
    telling = len(_telling(text))
    return telling + bool(telling and re.search(r"\bmodels?\b", text, re.IGNORECASE))


def _is_elliptic(question: str) -> bool:
    """Whether it says too little to be a question of its own."""
    telling = len(_telling(question))
    if not telling:
        return bool(_WORD.search(question))
    if _ASKS_OF_ANOTHER.match(question) or _ADDS.match(question):
        return telling <= _SHORT
    few = telling == 1 and bool(_PAST.search(question))  # "what hardware was needed?" asks of something that was done
    if few or telling > _FEW:
        return few
    definite = _DEFINITE.search(question)
    more = _ENDS_WITH_MORE.search(question) or _ASKS_FOR_MORE.search(question)
    return bool(more or (definite and not _is_bound(question[: definite.start()])))


def _telling(text: str) -> list[str]:
    """The words that say what a text is about, in a form in which they can be compared."""
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return [_stem(word) for word in words if word not in _STOP and word not in _GENERIC and not word.isdigit()]


def _stem(word: str) -> str:
    return re.sub(r"(?<=\w{3})(?:ings?|ed|es|s|e)$", "", word.removesuffix("'s"))


def _base(question: str, history: Sequence[Turn]) -> Turn:
    """The turn whose subject the question takes up: the last that stood on its own, or an earlier one it returns to."""
    standing = [turn for turn in history if not is_follow_up(_asked(turn))] or [history[0]]
    if not _RETURNS.search(question):
        return standing[-1]
    words = set(_telling(question))
    return max(reversed(standing), key=lambda turn: len(words & set(_telling(_asked(turn)))))


def _thread(question: str, base: Turn, history: Sequence[Turn]) -> Iterator[str]:
    """What was said that the question leans on: the question of its subject, and the paper that it may point at."""
    yield base.answer.standalone
    cited = (base if _RETURNS.search(question) else history[-1]).answer.citations
    if cited and _points_back(question):
        yield cited[0].paper.title or ""


def _asked(turn: Turn) -> str:
    """The turn's question without its filters."""
    return filters.parse(turn.answer.question).text


def _pointed_at(question: str, base: Turn) -> Iterator[str]:
    """The one of several named things that the question means by its place: X and Y, "the second one"."""
    place, named = _place(question), _side_by_side(_asked(base))
    if place and abs(place) <= len(named):
        yield named[place - (place > 0)]


def _side_by_side(text: str) -> tuple[str, ...]:
    """Two names joined: "Adam-mini and NovoGrad"."""
    name = r"([^\W_]*[A-Z0-9][\w+-]*(?:\s+[A-Z][\w+-]*)?)"
    match = re.search(rf"\b{name}\s+(?:and|or|vs\.?|versus|with)\s+{name}", text)
    return match.groups() if match else ()


def _named(question: str, history: Sequence[Turn]) -> list[Paper]:
    """The cited papers that the question means, by number, place, title or author; none if it means none."""
    last = next((turn.answer.citations for turn in reversed(history) if turn.answer.citations), ())
    cited = {citation.paper.id: citation.paper for turn in history for citation in turn.answer.citations}
    if numbered := [each.paper for each in last if each.number in set(_numbers(question, last, history))]:
        return numbered
    if titled := [paper for paper in cited.values() if paper.title and _names_title(question, paper.title)]:
        return titled
    if _BEYOND.search(question):
        return []
    if written := [paper for paper in cited.values() if _names_author(question, paper)]:
        return written
    return [each.paper for each in last] if _ABOUT_THE_PAPER.search(question) and is_follow_up(question) else []


def _numbers(question: str, last: Sequence[Citation], history: Sequence[Turn]) -> Iterator[int]:
    """The citation numbers that the question names, as [2] or as "the second paper"."""
    for match in _NUMBER.finditer(question):
        yield int(match[1] or match[2])
    place = _place(question)
    if place and not _side_by_side(_asked(_base(question, history))):
        yield place if place > 0 else len(last)


def _place(question: str) -> int:
    """Which one the question means by "the second one", counted from 1; -1 is the last, 0 none."""
    match = _ORDINAL.search(question)
    return _ORDINALS[(match["which"] or match["pair"]).casefold()] if match else 0


def _names_title(question: str, title: str) -> bool:
    return len(title.split()) >= _TITLE_WORDS and contains_phrase(question, title)


def _names_author(question: str, paper: Paper) -> bool:
    """Whether a surname stands in the question as a name: the first word of a question has a capital anyway."""
    surnames = (re.escape(author.split()[-1]) for author in paper.authors if author.split())
    return any(re.search(rf"(?<=\w\W){name}(?!\w)|^{name}(?:['’]s|\s+et\s+al)\b", question) for name in surnames)


def _narrowed(scope: Scope, cited: Sequence[str]) -> Scope:
    """The caller's scope, narrowed to the papers that the question names as far as they lie in it."""
    allowed = [each for each in cited if each not in scope.excluded and (not scope.pinned or each in scope.pinned)]
    return Scope(tuple(allowed), scope.excluded) if allowed else scope
