"""Check the sentences of a draft against the papers that they cite, and against those that a search finds.

Sentences are read in batches, as they are asked for: a draft of any length takes the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.batches import batches
from assistant.drafts import statements
from assistant.drafts.values import (
    CitationCheck,
    CitationVerdict,
    DraftCitation,
    DraftSentence,
    SentenceCheck,
    SentenceVerdict,
    Suggestion,
)
from assistant.schema import Hit, Paper
from assistant.verification.comparison import ClaimPair
from assistant.verification.support import SupportModel, SupportResult

# Sentences whose pairs are read together.
BATCH_SIZE = 16
# Papers to cite that are named for a sentence.
_MAX_SUGGESTIONS = 3

Search = Callable[[str], Sequence[Hit]]
FindCited = Callable[[str], Sequence[Paper]]


@dataclass(frozen=True, slots=True)
class CheckThresholds:
    """From what on something is said of a sentence; chosen on the dev part of `eval/suites/drafts`.

    `supported`, `contradicted`: probabilities by a paper. `cited`: the support below which a citation counts as wrong.
    `relevant`: the search score from which a paper that is not cited may contradict a sentence. `suggested`: the
    confidence of a suggestion.
    """

    supported: float = 0.5
    contradicted: float = 0.5
    cited: float = 0.3
    relevant: float = 0.5
    suggested: float = 0.5


THRESHOLDS = CheckThresholds()


@dataclass(frozen=True, slots=True)
class DraftJudge:
    """What a check needs: a search for papers, the papers behind keys, and a new SupportModel for each batch."""

    search: Search
    find_cited: FindCited
    support_model: Callable[[], SupportModel]
    thresholds: CheckThresholds = THRESHOLDS

    def check(self, sentences: Iterable[DraftSentence]) -> Iterator[SentenceCheck]:
        """Yield the check of each sentence, in order. Raises LibraryError, and ModelError where a model fails."""
        for batch in batches(sentences, BATCH_SIZE):
            model = self.support_model()
            prepared = [self._prepare(sentence) for sentence in batch]
            model.read(pair for candidates in prepared for pair in candidates.pairs())
            for candidates in prepared:
                yield _Assessment(candidates, model, self.thresholds).check()

    def _prepare(self, sentence: DraftSentence) -> _SentencePapers:
        if not statements.states_something(sentence):
            return _SentencePapers(sentence)
        cited = {citation: tuple(self.find_cited(citation.key)) for citation in sentence.citations}
        return _SentencePapers(sentence, cited, tuple(self.search(sentence.statement)), is_statement=True)


@dataclass(frozen=True, slots=True)
class _SentencePapers:
    """A sentence with the papers that it is compared with: those behind each citation, and the hits of a search."""

    sentence: DraftSentence
    cited: Mapping[DraftCitation, tuple[Paper, ...]] = field(default_factory=dict)
    hits: tuple[Hit, ...] = ()
    is_statement: bool = False

    def pairs(self) -> Iterator[ClaimPair]:
        """Yield what will be read."""
        for citation, papers in self.cited.items():
            yield from (
                ClaimPair(claim, paper) for paper in papers if paper.abstract for claim in self.claims(citation)
            )
        yield from (ClaimPair(self.sentence.statement, hit.paper) for hit in self.hits)

    def claims(self, citation: DraftCitation) -> tuple[str, ...]:
        """Return what a cited paper may be cited for: the sentence, or the clause before the citation."""
        return (self.sentence.statement, citation.clause) if citation.clause else (self.sentence.statement,)


@dataclass(frozen=True, slots=True)
class _Assessment:
    """The assessment of one sentence, whose pairs the model has read."""

    papers: _SentencePapers
    model: SupportModel
    thresholds: CheckThresholds

    def check(self) -> SentenceCheck:
        """Return the sentence with its verdict, its citations and suggestions."""
        sentence = self.papers.sentence
        if not self.papers.is_statement:
            checks = tuple(CitationCheck(cited, None, CitationVerdict.UNCHECKED) for cited in sentence.citations)
            return SentenceCheck(sentence, SentenceVerdict.STATES_NOTHING, citations=checks)
        citations = tuple(self._citation(citation) for citation in sentence.citations)
        found = [(hit, self.model.assess(sentence.statement, hit.paper)) for hit in self.papers.hits]
        paper, result, verdict = self._decide(citations, found)
        return SentenceCheck(
            sentence,
            verdict,
            result.support if result else 0.0,
            result.contradiction if result else 0.0,
            result.passage if result and verdict is not SentenceVerdict.UNSUPPORTED else None,
            paper if verdict is not SentenceVerdict.UNSUPPORTED else None,
            result.reason if result else "no paper of the library is relevant",
            citations,
            self._suggestions(citations, found),
        )

    def _citation(self, citation: DraftCitation) -> CitationCheck:
        papers = self.papers.cited[citation]
        if not papers:
            return CitationCheck(citation, None, CitationVerdict.UNKNOWN)
        results = [
            (self.model.assess(claim, paper), paper)
            for paper in papers
            if paper.abstract
            for claim in self.papers.claims(citation)
        ]
        if not results:
            return CitationCheck(citation, papers[0], CitationVerdict.UNCHECKED)
        result, paper = max(results, key=lambda pair: (pair[0].support, pair[0].contradiction))
        verdict = self._citation_verdict(result)
        return CitationCheck(citation, paper, verdict, result.support, result.contradiction, result.passage)

    def _citation_verdict(self, result: SupportResult) -> CitationVerdict:
        if result.support >= self.thresholds.cited:
            return CitationVerdict.SUPPORTED
        is_denied = result.contradiction >= self.thresholds.contradicted and result.contradiction > result.support
        return CitationVerdict.CONTRADICTED if is_denied else CitationVerdict.UNSUPPORTED

    def _decide(
        self, citations: Sequence[CitationCheck], found: Sequence[tuple[Hit, SupportResult]]
    ) -> tuple[Paper | None, SupportResult | None, SentenceVerdict]:
        """Return the paper that decides the sentence, what it says, and the verdict.

        What a cited paper says counts first; then a paper that supports the sentence, then one that denies it.
        """
        cited = [(check.paper, _result_of(check)) for check in citations if check.paper and check.passage]
        denying = [pair for pair, check in zip(cited, _read(citations), strict=True) if check.verdict is _DENIED]
        backed = [pair for pair, check in zip(cited, _read(citations), strict=True) if check.verdict is _BACKED]
        if denying and not backed:
            return *max(denying, key=lambda pair: pair[1].contradiction), SentenceVerdict.CONTRADICTED
        candidates = [*backed, *((hit.paper, result) for hit, result in found)]
        best = max(candidates, key=lambda pair: pair[1].support, default=None)
        if backed or (best and best[1].support >= self.thresholds.supported):
            best = best if best and best[1].support >= self.thresholds.supported else max(backed, key=_support)
            return *best, SentenceVerdict.SUPPORTED
        denied = [(hit.paper, result) for hit, result in found if self._denies(hit, result)]
        if denied:
            return *max(denied, key=lambda pair: pair[1].contradiction), SentenceVerdict.CONTRADICTED
        return best[0] if best else None, best[1] if best else None, SentenceVerdict.UNSUPPORTED

    def _denies(self, hit: Hit, result: SupportResult) -> bool:
        is_certain = result.contradiction >= self.thresholds.contradicted and result.contradiction > result.support
        return is_certain and hit.score >= self.thresholds.relevant

    def _suggestions(
        self, citations: Sequence[CitationCheck], found: Sequence[tuple[Hit, SupportResult]]
    ) -> tuple[Suggestion, ...]:
        """Return papers to cite: none where a citation supports the sentence already."""
        if any(check.verdict is CitationVerdict.SUPPORTED for check in citations):
            return ()
        cited = {check.paper.id for check in citations if check.paper}
        ranked = sorted(found, key=lambda pair: -pair[1].support)
        suggestions = [
            Suggestion(hit.paper, result.support, result.passage)
            for hit, result in ranked
            if result.support >= self.thresholds.suggested and hit.paper.id not in cited
        ]
        return tuple(suggestions[:_MAX_SUGGESTIONS])


_DENIED, _BACKED = CitationVerdict.CONTRADICTED, CitationVerdict.SUPPORTED


def _read(citations: Iterable[CitationCheck]) -> list[CitationCheck]:
    return [check for check in citations if check.paper and check.passage]


def _result_of(check: CitationCheck) -> SupportResult:
    return SupportResult(check.support, check.contradiction, check.passage, "")


def _support(pair: tuple[Paper | None, SupportResult]) -> float:
    return pair[1].support
