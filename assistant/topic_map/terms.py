"""Find the terms of topics: phrases of their abstracts, by c-TF-IDF (Grootendorst 2022, "BERTopic").

The inverse frequency of a class is the logarithm of the share of its papers over the share of all papers that use a
phrase, so that words which all abstracts use ("propose", "more") weigh nothing, even among few topics.

A phrase is a run of up to three words between function words and punctuation, as the abstracts write it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from assistant.text.function_words import FUNCTION_WORDS

# Words of a phrase, and by how much each further one raises its weight: "graph neural networks" says more than "graph".
_MAX_WORDS, _PER_WORD = 3, 1.0
# Papers of a topic that must use a phrase: the wording of one is no term, unless it is all there is.
_LEAST_PAPERS = 2
_RUN = re.compile(r"[^\W\d_][\w+-]*(?: [^\W\d_][\w+-]*)*")
_LEAST_LETTERS = 3


def phrases(text: str) -> Iterator[str]:
    """Yield the phrases of a text, each occurrence of them, as they are written."""
    for run in _RUN.finditer(" ".join(text.split())):
        words: list[str] = []
        for word in [*run[0].split(" "), ""]:
            if word and word.casefold() not in FUNCTION_WORDS and len(word) >= _LEAST_LETTERS:
                words.append(word)
                continue
            yield from _of_run(words)
            words = []


def _of_run(words: Sequence[str]) -> Iterator[str]:
    for length in range(1, _MAX_WORDS + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def topic_terms(topics: Sequence[Sequence[str]], count: int) -> list[list[str]]:
    """Return for each topic, a sequence of texts, its `count` terms, the most telling first, none within another."""
    by_topic = [_paper_counts(texts) for texts in topics]
    overall: Counter[str] = Counter()
    for counts in by_topic:
        overall.update(counts)
    papers = sum(map(len, topics))
    return [
        _as_written(_best(_weights(counts, overall, len(texts) / papers), count), texts)
        for counts, texts in zip(by_topic, topics, strict=True)
    ]


def _paper_counts(texts: Sequence[str]) -> Counter[str]:
    """Return how many texts have each phrase, in small letters."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({phrase.casefold() for phrase in phrases(text)})
    return counts


def _weights(counts: Counter[str], overall: Counter[str], share: float) -> dict[str, float]:
    """Return the weight of each phrase of a topic that has this share of all papers, 1 for the only one."""
    least = min(_LEAST_PAPERS, max(counts.values(), default=1))
    return {
        key: papers
        * (math.log(papers / (overall[key] * share)) if share < 1.0 else 1.0)
        * (1 + _PER_WORD * key.count(" "))
        for key, papers in counts.items()
        if papers >= least
    }


def _best(weights: dict[str, float], count: int) -> list[str]:
    """Return the phrases with the greatest weights above 0 that share no word."""
    best: list[str] = []
    for key in sorted(weights, key=lambda key: (-weights[key], key)):
        if len(best) == count or weights[key] <= 0:
            break
        if not any(_overlap(key, other) for other in best):
            best.append(key)
    return best


def _as_written(keys: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return phrases in the form that most of the texts use."""
    forms: dict[str, Counter[str]] = {key: Counter() for key in keys}
    for text in texts:
        for form in {phrase for phrase in phrases(text) if phrase.casefold() in forms}:
            forms[form.casefold()][form] += 1
    # Small letters where two forms are as frequent.
    return [min(forms[key], key=lambda form: (-forms[key][form], form.swapcase())) for key in keys]


def _overlap(key: str, other: str) -> bool:
    """Return whether two phrases share a word, in singular or plural."""
    return bool({word.rstrip("s") for word in key.split()} & {word.rstrip("s") for word in other.split()})
