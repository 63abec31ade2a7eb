"""Find papers by words of their titles, in whatever order and with typing errors."""

from __future__ import annotations

import difflib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

# How alike two words must be to count as one, 0..1, and how far their lengths may differ.
_ALIKE, _LENGTHS = 0.8, 2
# A shorter word has too little in it to be taken for another.
_MIN_WORD = 4
# What stands before it is what a paper is called.
_NAME_END = re.compile(r"[:?]\s|\s[–—-]\s")
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐‑/][^\W_]+)+")
_MIN_INITIALS = 3
# A word of so few titles is rare.
_RARE = 5

Analyze = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class TitleMatch:
    """A paper with the share of the wanted words that its title has, by idf, and how much of its name they are.

    `rare` tells whether few titles have one of those words.
    """

    paper_id: str
    coverage: float
    named: float
    rare: bool

    @property
    def score(self) -> float:
        """Return both together, 0..1."""
        return (2 * self.coverage + self.named) / 3


class TitleIndex:
    """The words of all titles, in memory. `analyze` returns the index terms of a text."""

    def __init__(self, titles: Iterable[tuple[str, str]], analyze: Analyze) -> None:
        """Index (paper id, title) pairs; a title is the first words of an abstract where a paper has none."""
        self._analyze = analyze
        self._ids: list[str] = []
        self._names: list[frozenset[str]] = []
        self._joined: list[frozenset[str]] = []
        self._papers: dict[str, set[int]] = defaultdict(set)
        for position, (paper_id, title) in enumerate(titles):
            name = _NAME_END.split(title, maxsplit=1)[0]
            self._ids.append(paper_id)
            self._names.append(frozenset(analyze(name)))
            self._joined.append(frozenset(self._compounds(name)))
            for term in {*analyze(title), *self._compounds(title), *self._initials(name)}:
                self._papers[term].add(position)

    def search(self, text: str, limit: int) -> list[TitleMatch]:
        """Return the papers whose titles have most of the words of the text, best first."""
        wanted = self._wanted(text)
        total = sum(weight for _, weight in wanted)
        found: dict[int, float] = defaultdict(float)
        for terms, weight in wanted:
            for position in set().union(*(self._papers.get(term, ()) for term in terms)):
                found[position] += weight
        terms = frozenset(term for alternatives, _ in wanted for term in alternatives)
        likeliest = sorted(found, key=lambda position: (-found[position], self._ids[position]))[: limit * 20]
        matches = [
            TitleMatch(self._ids[position], found[position] / total, *self._named(position, terms))
            for position in likeliest
        ]
        return sorted(matches, key=lambda match: (-match.score, match.paper_id))[:limit]

    def _wanted(self, text: str) -> list[tuple[frozenset[str], float]]:
        """Return the words of the text, each as the terms of titles that it may stand for, with its idf."""
        words = list(dict.fromkeys(self._analyze(text)))
        for compound in _COMPOUND.findall(text):
            joined = self._known("".join(self._analyze("".join(re.findall(r"[^\W_]+", compound)))))
            parts = self._analyze(compound)
            if joined and not all(part in self._papers for part in parts):
                words = [word for word in words if word not in parts] + sorted(joined)
        alternatives = [self._known(word) or frozenset({word}) for word in words]
        return [(terms, max(map(self._idf, terms))) for terms in alternatives]

    def _known(self, word: str) -> frozenset[str]:
        """Return the word if a title has it, and those like it otherwise."""
        if word in self._papers:
            return frozenset({word})
        if len(word) < _MIN_WORD:
            return frozenset()
        near = [term for term in self._papers if abs(len(term) - len(word)) <= _LENGTHS and len(term) >= _MIN_WORD]
        return frozenset(difflib.get_close_matches(word, near, n=2, cutoff=_ALIKE))

    def _idf(self, term: str) -> float:
        count, total = len(self._papers.get(term, ())), len(self._ids)
        return math.log(1 + (total - count + 0.5) / (count + 0.5))

    def _named(self, position: int, terms: frozenset[str]) -> tuple[float, bool]:
        """Return the share of the name of a paper that the terms have, by idf, and whether one of those is rare.

        Initials, or a compound written as one word, are all of the name.
        """
        name = self._names[position]
        written = name & terms or frozenset(term for term in terms if position in self._papers.get(term, ()))
        is_whole = any(self._is_initials(term, name) or term in self._joined[position] for term in written - name)
        total = sum(map(self._idf, name))
        share = 1.0 if is_whole else sum(map(self._idf, name & terms)) / total if total else 0.0
        return share, any(len(self._papers.get(term, ())) <= _RARE for term in written)

    def _is_initials(self, term: str, name: frozenset[str]) -> bool:
        return _MIN_INITIALS <= len(term) <= len(name) and set(term) <= {word[0] for word in name if word}

    def _compounds(self, title: str) -> list[str]:
        """Return the terms of compounds written as one word."""
        joined = ("".join(re.findall(r"[^\W_]+", compound)) for compound in _COMPOUND.findall(title))
        return [term for word in joined for term in self._analyze(word)]

    def _initials(self, name: str) -> list[str]:
        """Return the initials of a name of three words or more: DPO of Direct Preference Optimization."""
        words = re.findall(r"[^\W_]+", name)
        capitalised = [word for word in words if word[:1].isupper()]
        if len(capitalised) < _MIN_INITIALS:
            return []
        return ["".join(word[0] for word in capitalised).lower()]


def name_matches(name: str, names: Mapping[str, int], limit: int) -> list[str]:
    """Return the names that are most like this one, which none of them is: with a typing error, or by the surname."""
    wanted = name.casefold().split()
    scored = []
    for candidate in names:
        parts = candidate.casefold().split()
        ratios = [
            max((difflib.SequenceMatcher(None, word, part).ratio() for part in parts), default=0) for word in wanted
        ]
        scored.append((sum(ratios) / max(1, len(ratios)), candidate))
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))
    return [candidate for score, candidate in best[:limit] if score >= _ALIKE]
