"""The closed word classes of English: words that connect others and cannot end a clause or stand as a noun."""

from __future__ import annotations

PREPOSITIONS = frozenset(
    "about above across after against along amid among around as at before behind below beneath beside besides "
    "between beyond by concerning despite down during except following for from in inside into like near of off on "
    "onto outside over past per regarding since than through throughout to toward towards under underneath unlike "
    "until up upon versus via vs with within without".split()
)
CONJUNCTIONS = frozenset(
    "and or nor but either neither both because although though while whereas if unless whether whereby that which "
    "who when where so yet once".split()
)
DETERMINERS = frozenset(
    "a an the this that these those each every some any no its their his her our your my all both such "
    "what which whose".split()
)
AUXILIARIES = frozenset(
    "am is are was were be been being has have had do does did can could may might must shall should will would".split()
)
PRONOUNS = frozenset("i you he she it we they me him us them there here".split())
FUNCTION_WORDS = PREPOSITIONS | CONJUNCTIONS | DETERMINERS | AUXILIARIES | PRONOUNS
