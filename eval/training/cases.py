"""Questions with the result of their search: what answerability and the choice of sentences are fitted on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from assistant.chat import Assistant
from assistant.question.understand import understand
from assistant.retrieval import reading
from assistant.retrieval.search import Found
from assistant.settings import Settings
from eval import corpora
from eval.suites import Question, beir
from eval.suites.selection import Suite
from eval.suites.selection import read as read_suites

# The suites that the weights in the package are fitted on.
SUITES = ("single", "unanswerable", "abstracts-questions", "abstracts-near")
FOREIGN, HIDDEN = "foreign", "hidden"
# Groups of questions on topics that the library does not cover.
OFF_TOPIC = frozenset({"far", "junk", FOREIGN})
# Ids of the annotated abstracts that are of biology or medicine have no prefix; the seeds cover neither.
_ARXIV = "arxiv:"


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the result of its search with the best hits read, and the name of the library."""

    question: Question
    search: Found
    library: str

    @property
    def answerable(self) -> bool:
        """Tell whether a paper that answers the question is among the hits that were read."""
        papers = (hit.paper.id for hit, _ in zip(self.search.hits, self.search.readings, strict=False))
        return any(paper in self.question.papers for paper in papers)

    @property
    def group(self) -> tuple[str, str]:
        """Return the library, and `answered` or the kind of question that it does not answer."""
        return self.library, "answered" if self.question.papers else self.question.group


def default_cases(settings: Settings) -> list[Case]:
    """Ask the dev questions over the seeds and over the annotated abstracts, and some of these over the seeds."""
    suites = read_suites(SUITES, "dev")
    with corpora.opened(settings, suites) as assistants:
        cases = [
            _case(assistants[suite.library], question, suite.library)
            for suite in suites
            for question in _with_progress(suite)
        ]
        foreign = [replace(case.question, papers=frozenset(), group=FOREIGN) for case in cases if _is_biomedical(case)]
        cases += [_case(assistants["seeds"], question, "seeds") for question in foreign]
    return [case for case in cases if case.search.readings]


def suite_cases(settings: Settings, source: Path | Suite) -> list[Case]:
    """Ask the dev questions of a folder (see `eval.suites.beir`) or a suite, each also with its papers hidden."""
    suite = source if isinstance(source, Suite) else _suite(source)
    assistant = corpora.over_papers(suite.library, suite.papers or (), settings)
    cases = [case for question in _with_progress(suite) for case in _with_hidden(assistant, question, suite.library)]
    return [case for case in cases if case.search.readings]


def _suite(folder: Path) -> Suite:
    collection = beir.read(folder, "dev")
    return Suite(folder.name, collection.questions, folder.name, collection.papers)


def _case(assistant: Assistant, question: Question, library: str) -> Case:
    found = assistant.find(understand(question.text), assistant.library.fresh())
    return Case(question, reading.read(found, assistant.reader), library)


def _with_hidden(assistant: Assistant, question: Question, library: str) -> Iterator[Case]:
    """Yield the case of the question and, if papers answer it, that of the question with these papers hidden."""
    case = _case(assistant, question, library)
    yield case
    if question.papers:
        remaining = [rank for rank, hit in enumerate(case.search.hits) if hit.paper.id not in question.papers]
        search = replace(
            case.search,
            hits=tuple(case.search.hits[rank] for rank in remaining),
            alignments=tuple(case.search.alignments[rank] for rank in remaining),
            readings=tuple(case.search.readings[rank] for rank in remaining if rank < len(case.search.readings)),
        )
        yield Case(replace(question, papers=frozenset(), group=HIDDEN), search, library)


def _is_biomedical(case: Case) -> bool:
    return case.library != "seeds" and any(not paper.startswith(_ARXIV) for paper in case.question.papers)


def _with_progress(suite: Suite) -> Sequence[Question]:
    """Iterate over the questions of a suite and show a progress bar on a terminal."""
    questions = [item for item in suite.items if isinstance(item, Question)]
    shown: Any = track(questions, "Asking", console=Console(stderr=True), transient=True)
    return shown  # type: ignore[no-any-return]
