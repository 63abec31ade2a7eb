"""Libraries to measure on, stored below the settings' home by recipe and content, and reused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.protocols import LLM, Embedder
from assistant.schema import Paper
from assistant.settings import Settings
from assistant.storage.catalog import PaperChange
from assistant.storage.library import Library
from eval.runs.token_counter import TokenCounter
from eval.suites import Question
from eval.suites.selection import USER_LIBRARY, Suite
from ingest import indexing, pipeline
from ingest.progress import progress_bar

SEED_FILES = Path(__file__).parent.parent / "seeds"
ML_ARXIV = "ml_arxiv_2019"


@contextmanager
def opened(settings: Settings, suites: Sequence[Suite]) -> Iterator[dict[str, Assistant]]:
    """Open an assistant over each library of the suites, by the library's name.

    Raises InputError if the seeds are missing, or if the user's own library lacks a relevant paper of a question.
    """
    embedder, llm = factory.open_embedder(settings), factory.open_llm(settings)
    counted = TokenCounter(llm) if llm else None
    with ExitStack() as stack:
        assistants: dict[str, Assistant] = {}
        for suite in suites:
            if suite.library not in assistants:
                library = _open(suite, settings, embedder)
                stack.callback(library.close)
                assistants[suite.library] = _assistant(library, settings, counted)
            if suite.library == USER_LIBRARY:
                _check_papers(suite, assistants[USER_LIBRARY].library)
        yield assistants


def over_seeds(settings: Settings) -> Assistant:
    """Open an assistant over the seeds. Raises InputError if they are missing."""
    return _assistant(build("seeds", None, settings, factory.open_embedder(settings)), settings, None)


def over_papers(name: str, papers: Sequence[Paper], settings: Settings) -> Assistant:
    """Open an assistant over exactly these papers."""
    return _assistant(build(name, papers, settings, factory.open_embedder(settings)), settings, None)


def build(name: str, papers: Sequence[Paper] | None, settings: Settings, embedder: Embedder) -> Library:
    """Build, or reopen, the library of exactly these papers, with their ids and unmerged; None builds the seeds'."""
    folder = folder_of(name, papers or (), settings, embedder)
    library = factory.open_library(settings.model_copy(update={"home": folder}), embedder)
    if papers is None:
        _ingest_seeds(library)
    else:
        _store(papers, library)
    return library


def build_large(name: str, papers: Sequence[Paper], settings: Settings) -> Path:
    """Build, if need be, the library of these papers with the vectors of a sample, and return its directory."""
    from eval.bench import large_library

    embedder = factory.open_embedder(settings)
    folder = folder_of(f"{name}-sampled", papers, settings, embedder)
    with closing(factory.open_library(settings.model_copy(update={"home": folder}), embedder)) as library:
        large_library.fill(papers, library)
    return folder


def _open(suite: Suite, settings: Settings, embedder: Embedder) -> Library:
    if suite.library == USER_LIBRARY:
        return factory.open_library(settings, embedder)
    return build(suite.library, suite.papers, settings, embedder)


def _check_papers(suite: Suite, library: Library) -> None:
    """Raise InputError if the library lacks a relevant paper of a question."""
    relevant = {paper: item.id for item in suite.items if isinstance(item, Question) for paper in item.papers}
    present = {paper.id for paper in library.catalog.papers.get(list(relevant))}
    for paper, question in relevant.items():
        if paper not in present:
            raise InputError(
                suite.name,
                f"the question {question} asks for the paper {paper}, which the library in {library.home} does not "
                "hold; delete the line, or name the right library with PAPERCHAT_LIBRARY",
            )


def _assistant(library: Library, settings: Settings, llm: LLM | None) -> Assistant:
    reader = factory.open_pair_reader(settings, library.embedder)
    reranker, entailment = factory.open_reranker(settings), factory.open_entailment(settings.nli)
    calibration = factory.open_calibration(settings, library.embedder)
    messages = factory.open_message_reader(settings, library.embedder)
    return Assistant(library, settings, reader, llm, reranker, entailment, calibration, messages)


def folder_of(name: str, content: Iterable[Paper], settings: Settings, embedder: Embedder) -> Path:
    """Return the directory of the library of these papers; without papers, that of the seeds'."""
    digest = hashlib.sha256(repr(factory.index_recipe(settings, embedder)).encode())
    for paper in content:
        digest.update(repr(paper).encode())
    return settings.home / "eval" / "libraries" / f"{name}-{digest.hexdigest()[:12]}"


def _ingest_seeds(library: Library) -> None:
    with progress_bar() as progress:
        report = pipeline.ingest([SEED_FILES], library, progress)
    if report.failed:
        raise InputError(str(SEED_FILES), f"the papers of the suites cannot be read: {report.problems[0]}")


def _store(papers: Sequence[Paper], library: Library) -> None:
    with library.writing(), progress_bar() as progress:
        if library.catalog.papers.count() < len(papers):
            changes = [PaperChange(paper, {}, frozenset(), frozenset()) for paper in papers]
            library.catalog.put(changes, library.catalog.records.next_run())
        indexing.update_indexes(library, progress)
