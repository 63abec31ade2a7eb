"""Recognize questions about details that the body of a paper states and its abstract rarely does."""

from __future__ import annotations

import re

_SETTING = (
    r"(?:hyper-?parameters?|learning rates?|batch sizes?|random seeds?|seeds?|temperatures?|weight decay"
    r"|dropout(?: rates?)?|epochs?|(?:\w+ )?steps|layers?|attention heads?|hidden sizes?|coefficients?|thresholds?"
    r"|margins?|values?|settings?)"
)
_PERSON = r"(?:annotators?|raters?|crowd ?workers?|workers?|label+ers?|participants?|subjects?|people)"
# Kinds of detail, named as in a reason that is shown to the person, and the phrases that ask about them.
_RARELY_STATED = {
    "hyper-parameters and exact settings": re.compile(
        rf"\b(?:which|what)(?: exact| specific| best)? {_SETTING} "
        r"(?:of|for|is|are|was|were|do|does|did|gives?|works?|they|used?|should)\b"
        rf"|\b{_SETTING} (?:was|were|is|are) (?:used|chosen|set)\b"
        r"|\bexact(?:ly)? (?:which|what|value|settings?|prompts?)\b",
        re.IGNORECASE,
    ),
    "exact counts": re.compile(
        r"\bexact(?:ly)? how (?:many|much)\b|\bexact numbers?\b"
        r"|\bhow many (?:\w+ ){0,2}(?:seeds?|epochs?|layers?|heads?|tokens?|parameters|rules|steps)\b",
        re.IGNORECASE,
    ),
    "scores by a named measure": re.compile(
        r"\b(?:exact match|word error rates?|wer|bleu|rouge|f1|perplexity|pearson|spearman|kappa|p-values?|auroc"
        r"|coefficients?)\b",
        re.IGNORECASE,
    ),
    "hardware and running times": re.compile(
        r"\b(?:gpus?|tpus?)[- ](?:days|hours)\b|\bhow (?:many|much) (?:gpus?|tpus?|memory|v?ram)\b"
        r"|\b(?:which|what) (?:gpus?|tpus?|hardware)\b",
        re.IGNORECASE,
    ),
    "who took part, how many and for what pay": re.compile(
        rf"\b(?:how many|number of) (?:\w+ ){{0,2}}{_PERSON}\b"
        rf"|\b(?:pay|paid|wages?|salar(?:y|ies))\b(?: \w+){{0,5}} {_PERSON}\b"
        rf"|\b{_PERSON} (?:\w+ ){{0,2}}(?:paid|earn)\b",
        re.IGNORECASE,
    ),
    "licences and where code is found": re.compile(
        r"\b(?:licen[cs]es?|github|repositor(?:y|ies)|source code|code (?:link|url|available|release))\b",
        re.IGNORECASE,
    ),
}


def rarely_stated(question: str) -> list[str]:
    """Return the kinds of detail that the question asks about and abstracts rarely state."""
    return [detail for detail, pattern in _RARELY_STATED.items() if pattern.search(question)]
