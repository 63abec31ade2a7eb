"""Find the topics that a library writes about: phrases of several words that are frequent, specific and in titles.

A candidate is a run of content words between function words and punctuation (RAKE; Rose et al. 2010), where the lexicon
decides which words have content. It counts in a paper whose abstract has it as a whole run, so that "efficient online",
which something always follows, does not. What only abstracts say, such as "extensive experiments", is no topic.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.protocols import TermStatistics
from assistant.schema import Paper
from assistant.text.function_words import FUNCTION_WORDS
from assistant.text.latex import to_text

# Of a longer abstract only the beginning is read.
_MAX_CHARACTERS = 4000
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")
# What separates two words of one phrase.
_INNER_GAP = re.compile(r"[ \n\t]+")
_LENGTHS = range(2, 4)
# A phrase that a larger share of the papers has is what the whole library is about, not a topic in it.
_MAX_SHARE = 0.15
# In a library of fewer papers a phrase need not occur in several, and may occur in most.
_FEW = 20
_MIN_PAPERS = 3

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A phrase as most papers write it; `papers` is the number of papers of the sample that have it."""

    phrase: str
    papers: int


@dataclass(slots=True)
class _Counts:
    """The numbers of papers with a phrase in the abstract and in the title, and the forms in which it is written."""

    abstracts: Counter[_Key] = field(default_factory=Counter)
    titles: Counter[_Key] = field(default_factory=Counter)
    forms: defaultdict[_Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def find_topics(papers: Sequence[Paper], lexicon: TermStatistics, limit: int) -> list[Topic]:
    """Return the topics of these papers, the most frequent and specific ones first, without two that share a word."""
    counts = _count(papers, lexicon)
    ranked = sorted(_candidates(counts, len(papers)), key=lambda key: (-_score(key, counts, lexicon), key))
    topics: list[Topic] = []
    used: set[str] = set()
    for key in ranked:
        if len(topics) == limit:
            break
        if used.isdisjoint(key):
            topics.append(Topic(_form(counts.forms[key]), counts.abstracts[key]))
            used.update(key)
    return topics


def _count(papers: Sequence[Paper], lexicon: TermStatistics) -> _Counts:
    counts, stems = _Counts(), _Stems(lexicon)
    for paper in papers:
        phrases = [(stems.key(words), words) for words in _runs(to_text(paper.abstract[:_MAX_CHARACTERS]), stems)]
        for key, words in phrases:
            counts.forms[key][" ".join(words)] += 1
        counts.abstracts.update({key for key, _ in phrases})
        runs = _runs(to_text(paper.title or ""), stems, minimum=2, maximum=20)
        counts.titles.update({part for words in runs for part in _parts(stems.key(words))})
    return counts


def _candidates(counts: _Counts, papers: int) -> Iterator[_Key]:
    minimum, maximum = (1, papers) if papers < _FEW else (_MIN_PAPERS, papers * _MAX_SHARE)
    has_titles = bool(counts.titles)
    for key, count in counts.abstracts.items():
        if minimum <= count <= maximum and (counts.titles[key] or not has_titles):
            yield key


def _score(key: _Key, counts: _Counts, lexicon: TermStatistics) -> float:
    """Return the logarithm of the number of papers times the mean idf of the words: tf-idf of a phrase."""
    idf = lexicon.idf(set(key))
    specificity = sum(idf[term] for term in key) / len(key)
    return math.log1p(counts.abstracts[key] + counts.titles[key]) * specificity


def _form(forms: Counter[str]) -> str:
    """Return the commonest form; a plural is preferred, because a countable noun alone would need an article."""
    [(commonest, _)] = forms.most_common(1)
    return f"{commonest}s" if f"{commonest}s" in forms else commonest


class _Stems:
    """The index terms of words, each analysed once; function words have none."""

    def __init__(self, lexicon: TermStatistics) -> None:
        self._lexicon = lexicon
        self._terms: dict[str, _Key] = {}

    def terms(self, word: str) -> _Key:
        """Return the index terms of a word; none for a function word."""
        if word not in self._terms:
            is_function_word = word.casefold() in FUNCTION_WORDS
            self._terms[word] = () if is_function_word else tuple(self._lexicon.terms(word))
        return self._terms[word]

    def key(self, words: Sequence[str]) -> _Key:
        """Return the index terms of a phrase."""
        return tuple(term for word in words for term in self.terms(word))


def _runs(
    text: str, stems: _Stems, minimum: int = _LENGTHS.start, maximum: int = _LENGTHS.stop - 1
) -> Iterator[list[str]]:
    """Yield each run of content words that only blanks separate, if it has a number of words within the limits."""
    run: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        is_separated = bool(run) and not _INNER_GAP.fullmatch(text, end, match.start())
        is_content = bool(stems.terms(match[0]))
        if is_separated or not is_content:
            if minimum <= len(run) <= maximum:
                yield run
            run = []
        run = [*run, match[0]] if is_content else run
        end = match.end()
    if minimum <= len(run) <= maximum:
        yield run


def _parts(key: _Key) -> Collection[_Key]:
    """Return every phrase of two or three terms within a longer one."""
    return {key[start : start + length] for length in (*_LENGTHS, 4) for start in range(len(key) - length + 1)}
