"""Check the sentences of a draft against the papers that they cite, and against those that a search finds.

Sentences are read in batches, as they are asked for: a draft of any length takes the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.batches import batches
from assistant.drafts import citable, statements
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
Search = Callable[[str], Sequence[Hit]]
FindCited = Callable[[str], Sequence[Paper]]


@dataclass(frozen=True, slots=True)
class CheckThresholds:
    """From what on something is said of a sentence; chosen on the dev part of `eval/suites/drafts`.

    `cited`: the probability below which a paper does not say what it is cited for; of the true citations 4 % are below
    (`eval.training.draft_citations`). `contradicted`: the contradiction from which such a paper says otherwise.
    `relevant`: the score of a paper that is not cited from which it may contradict a sentence. `citable`: the
    probability from which a paper is one to cite, and `least_support` the least support of such a paper, however well
    the search finds it. `read`: the score below which a paper is not read at all. `suggestions`: how many papers to
    cite are named.
    """

    cited: float = 0.24
    contradicted: float = 0.5
    relevant: float = 0.38
    citable: float = 0.35
    least_support: float = 0.2
    read: float = 0.3
    suggestions: int = 3


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
        cited = {citation: tuple(self.find_cited(citation.key)) for citation in sentence.citations}
        if not statements.states_something(sentence):
            return _SentencePapers(sentence, cited)
        hits = tuple(hit for hit in self.search(sentence.statement) if hit.score >= self.thresholds.read)
        return _SentencePapers(sentence, cited, hits, is_statement=True)


@dataclass(frozen=True, slots=True)
class _SentencePapers:
    """A sentence with the papers that it is compared with: those behind each citation, and the hits of a search."""

    sentence: DraftSentence
    cited: Mapping[DraftCitation, tuple[Paper, ...]] = field(default_factory=dict)
    hits: tuple[Hit, ...] = ()
    is_statement: bool = False

    def pairs(self) -> Iterator[ClaimPair]:
        """Yield what will be read."""
        if not self.is_statement:
            return
        for citation, papers in self.cited.items():
            yield from (
                ClaimPair(claim, paper) for paper in papers if paper.abstract for claim in self.claims(citation)
            )
        yield from (ClaimPair(self.sentence.statement, hit.paper) for hit in self.hits)

    def relevance(self, paper: Paper) -> float:
        """Return the score of a paper in the search for the sentence; 0 where it is not found."""
        return next((hit.score for hit in self.hits if hit.paper.id == paper.id), 0.0)

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
            checks = tuple(map(self._unchecked, sentence.citations))
            return SentenceCheck(sentence, SentenceVerdict.STATES_NOTHING, citations=checks)
        citations = tuple(self._citation(citation) for citation in sentence.citations)
        found = [self._found(hit) for hit in self.papers.hits]
        verdict, decided = self._decide(citations, found)
        is_stated = verdict is not SentenceVerdict.UNSUPPORTED
        return SentenceCheck(
            sentence,
            verdict,
            decided.result.support if decided else 0.0,
            decided.result.contradiction if decided else 0.0,
            decided.result.passage if decided and is_stated else None,
            decided.paper if decided and is_stated else None,
            decided.result.reason if decided else "no paper of the library is relevant",
            citations,
            self._suggestions(citations, found),
        )

    def _found(self, hit: Hit) -> _Candidate:
        result = self.model.assess(self.papers.sentence.statement, hit.paper)
        return _Candidate(hit.paper, result, hit.score, citable.probability(result.support, hit.score))

    def _unchecked(self, citation: DraftCitation) -> CitationCheck:
        papers = self.papers.cited[citation]
        verdict = CitationVerdict.UNCHECKED if papers else CitationVerdict.UNKNOWN
        return CitationCheck(citation, papers[0] if papers else None, verdict)

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
        verdict = self._citation_verdict(result, self.papers.relevance(paper))
        numbers = (result.support, result.contradiction)
        return CitationCheck(citation, paper, verdict, *numbers, result.passage, result.reason)

    def _citation_verdict(self, result: SupportResult, relevance: float) -> CitationVerdict:
        if citable.cited_probability(result.support, relevance) >= self.thresholds.cited:
            return CitationVerdict.SUPPORTED
        is_denied = result.contradiction >= self.thresholds.contradicted and result.contradiction > result.support
        return CitationVerdict.CONTRADICTED if is_denied else CitationVerdict.UNSUPPORTED

    def _decide(
        self, citations: Sequence[CitationCheck], found: Sequence[_Candidate]
    ) -> tuple[SentenceVerdict, _Candidate | None]:
        """Return the verdict, and the paper that decides.

        What the cited papers say counts first; then a paper that is one to cite, then one that denies the sentence.
        """
        backed = _of_verdict(citations, CitationVerdict.SUPPORTED)
        denied = _of_verdict(citations, CitationVerdict.CONTRADICTED)
        if backed:
            return SentenceVerdict.SUPPORTED, max(backed, key=_support)
        supporting = [candidate for candidate in found if self._is_citable(candidate)]
        if supporting and not any(self._is_topical(candidate, found) for candidate in denied):
            return SentenceVerdict.SUPPORTED, max(supporting, key=lambda candidate: candidate.citable)
        denied += [candidate for candidate in found if self._denies(candidate)]
        if denied:
            return SentenceVerdict.CONTRADICTED, max(denied, key=lambda candidate: candidate.result.contradiction)
        return SentenceVerdict.UNSUPPORTED, max(found, key=_support, default=None)

    def _is_topical(self, cited: _Candidate, found: Sequence[_Candidate]) -> bool:
        """Tell whether a cited paper is about the same: the search finds it for the sentence."""
        return any(candidate.paper.id == cited.paper.id for candidate in found)

    def _is_citable(self, candidate: _Candidate) -> bool:
        is_supported = candidate.result.support >= self.thresholds.least_support
        return is_supported and candidate.citable >= self.thresholds.citable

    def _denies(self, candidate: _Candidate) -> bool:
        is_denied = self._citation_verdict(candidate.result, candidate.relevance) is CitationVerdict.CONTRADICTED
        return is_denied and candidate.relevance >= self.thresholds.relevant

    def _suggestions(self, citations: Sequence[CitationCheck], found: Sequence[_Candidate]) -> tuple[Suggestion, ...]:
        """Return papers to cite: none where a citation supports the sentence already."""
        if any(check.verdict is CitationVerdict.SUPPORTED for check in citations):
            return ()
        cited = {check.paper.id for check in citations if check.paper}
        suggestions = [
            Suggestion(candidate.paper, candidate.citable, candidate.result.passage)
            for candidate in sorted(found, key=lambda candidate: -candidate.citable)
            if self._is_citable(candidate) and candidate.paper.id not in cited
        ]
        return tuple(suggestions[: self.thresholds.suggestions])


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A paper beside the sentence: what it says, its score in the search, the probability that it is one to cite."""

    paper: Paper
    result: SupportResult
    relevance: float = 0.0
    citable: float = 0.0


def _of_verdict(citations: Iterable[CitationCheck], verdict: CitationVerdict) -> list[_Candidate]:
    """Return the cited papers with this verdict."""
    return [
        _Candidate(check.paper, SupportResult(check.support, check.contradiction, check.passage, check.reason))
        for check in citations
        if check.paper and check.verdict is verdict
    ]


def _support(candidate: _Candidate) -> float:
    return candidate.result.support
