"""Libraries to measure on, kept below the settings' home for each recipe and content, and used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.protocols import LLM, Embedder
from assistant.schema import Paper
from assistant.settings import Settings
from assistant.storage.catalog import PaperChange
from assistant.storage.library import Library
from eval.bench.token_counter import Metered
from eval.suites import Question
from eval.suites.selection import OWN, Exam
from ingest import indexing, pipeline
from ingest.progress import progress_bar

SEED_FILES = Path(__file__).parent.parent / "seeds"


@contextmanager
def opened(settings: Settings, suites: Sequence[Exam]) -> Iterator[dict[str, Assistant]]:
    """An assistant over each library of the suites, by its name.

    Raises InputError where the seeds are not at hand, or one's own library lacks a paper that should be found.
    """
    embedder, llm = factory.open_embedder(settings), _metered(factory.open_llm(settings))
    with ExitStack() as stack:
        found: dict[str, Assistant] = {}
        for suite in suites:
            if suite.library not in found:
                library = _library(suite, settings, embedder)
                stack.callback(library.close)
                found[suite.library] = _assistant(library, settings, llm)
            if suite.library == OWN:
                _check(suite, found[OWN].library)
        yield found


def over_seeds(settings: Settings) -> Assistant:
    """An assistant over the seeds. Raises InputError where they are not at hand."""
    return _assistant(build("seeds", None, settings, factory.open_embedder(settings)), settings, None)


def over_papers(name: str, papers: Sequence[Paper], settings: Settings) -> Assistant:
    """An assistant over these very papers."""
    return _assistant(build(name, papers, settings, factory.open_embedder(settings)), settings, None)


def _library(suite: Exam, settings: Settings, embedder: Embedder) -> Library:
    if suite.library == OWN:
        return factory.open_library(settings, embedder)
    return build(suite.library, suite.papers, settings, embedder)


def _check(suite: Exam, library: Library) -> None:
    """Raises InputError where a question asks for a paper that the library does not hold."""
    wanted = {paper: item.id for item in suite.items if isinstance(item, Question) for paper in item.papers}
    held = {paper.id for paper in library.catalog.papers.get(list(wanted))}
    for paper, question in wanted.items():
        if paper not in held:
            raise InputError(
                suite.name,
                f"the question {question} asks for the paper {paper}, which the library in {library.home} does not "
                "hold; take its line out, or name the right library with PAPERCHAT_LIBRARY",
            )


def _assistant(library: Library, settings: Settings, llm: LLM | None) -> Assistant:
    reranker, entailment = factory.open_reranker(settings), factory.open_entailment(settings.nli)
    return Assistant(library, settings, llm, reranker, entailment)


def _metered(llm: LLM | None) -> LLM | None:
    return Metered(llm) if llm else None


def build(name: str, papers: Sequence[Paper] | None, settings: Settings, embedder: Embedder) -> Library:
    """The library of these very papers, under their own ids, none merged with another; or that of the seeds."""
    own = settings.model_copy(update={"home": _place(name, papers or (), settings, embedder)})
    library = factory.open_library(own, embedder)
    fill: Callable[[Library], None] = _ingest_seeds if papers is None else lambda each: _put(papers, each)
    fill(library)
    return library


def _place(name: str, content: Iterable[Paper], settings: Settings, embedder: Embedder) -> Path:
    digest = hashlib.sha256(repr(factory.recipe(settings, embedder)).encode())
    for paper in content:
        digest.update(repr(paper).encode())
    return settings.home / "eval" / "libraries" / f"{name}-{digest.hexdigest()[:12]}"


def _ingest_seeds(library: Library) -> None:
    with progress_bar() as progress:
        report = pipeline.ingest([SEED_FILES], library, progress)
    if report.failed:
        raise InputError(str(SEED_FILES), f"the questions' own papers cannot be read: {report.problems[0]}")


def _put(papers: Sequence[Paper], library: Library) -> None:
    with library.writing(), progress_bar() as progress:
        if library.catalog.papers.count() < len(papers):
            changes = [PaperChange(paper, {}, frozenset(), frozenset()) for paper in papers]
            library.catalog.put(changes, library.catalog.records.next_run())
        indexing.update_indexes(library, progress)
