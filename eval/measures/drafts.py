"""Measure the check of drafts: planted faults found, false alarms, and citations suggested for dropped ones."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from assistant.chat import Assistant
from assistant.drafts.checking import THRESHOLDS, DraftJudge
from assistant.drafts.values import (
    BibliographyEntry,
    DraftCitation,
    DraftSentence,
    EntryStatus,
    SentenceCheck,
    SentenceVerdict,
)
from assistant.schema import Query, Record
from assistant.settings import Settings
from assistant.verification.support import SupportModel
from eval import corpora
from eval.suites.drafts import NAME, CitedStatement, RelatedWork, load_papers, load_paragraphs
from ingest.bibliography import check_entries
from ingest.drafts import COMPARED

# Suggestions that are ranked for recall.
_RANKED = 5


def measure_drafts(settings: Settings, split: str | None = None) -> dict[str, dict[str, float]]:
    """Return the figures of each split: shares, and the numbers of sentences that they are of."""
    assistant = open_library(settings)
    with closing(assistant.library):
        splits = [split] if split else ["dev", "test"]
        return {name: figures(load_paragraphs(name), assistant) for name in splits}


def open_library(settings: Settings) -> Assistant:
    """Open the library of the suite: the seeds, and the abstracts beside them."""
    seeds = corpora.over_seeds(settings)
    with closing(seeds.library):
        papers = [paper for paper in seeds.library.catalog.papers.all() if paper.abstract]
    return corpora.over_papers(NAME, [*papers, *load_papers()], settings)


def figures(paragraphs: Sequence[RelatedWork], assistant: Assistant) -> dict[str, float]:
    """Return the figures of some paragraphs."""
    judge = _judge(assistant, COMPARED)
    outcomes: dict[str, list[bool]] = defaultdict(list)
    ranking = replace(
        _judge(assistant, _RANKED),
        thresholds=replace(THRESHOLDS, citable=0.0, least_support=0.0, read=0.0, suggestions=_RANKED),
    )
    for paragraph in paragraphs:
        for statement in paragraph.statements:
            _add(outcomes, _with_citation(statement, paragraph, judge))
            _add(outcomes, _without_citation(statement, judge, ranking))
    _add(outcomes, _bibliography(paragraphs, assistant))
    shares = {name: sum(values) / len(values) for name, values in sorted(outcomes.items())}
    counts = {f"{name} (number)": float(len(values)) for name, values in sorted(outcomes.items())}
    return shares | counts


def _add(outcomes: dict[str, list[bool]], found: Iterator[tuple[str, bool]]) -> None:
    for name, value in found:
        outcomes[name].append(value)


def _with_citation(statement: CitedStatement, paragraph: RelatedWork, judge: DraftJudge) -> Iterator[tuple[str, bool]]:
    """Yield what the check makes of the sentence as it is, with each fault, and with the citation of a neighbour."""
    if statement.paper is None:
        return
    yield "false alarms", _check(judge, statement.text, statement.paper).is_alarm
    for fault in statement.faults:
        check = _check(judge, fault.text, statement.paper)
        yield f"found: {fault.kind}", check.is_alarm
        yield "found: any planted fault", check.is_alarm
        yield f"called contradicted: {fault.kind}", check.verdict is SentenceVerdict.CONTRADICTED
    cited = paragraph.cited
    wrong = cited[(cited.index(statement.paper) + 1) % len(cited)]
    check = _check(judge, statement.text, wrong)
    yield "found: wrong citation", check.citations[0].is_wrong
    yield "wrong citation: right one first", _papers(check)[:1] == [statement.paper]


def _without_citation(statement: CitedStatement, judge: DraftJudge, ranking: DraftJudge) -> Iterator[tuple[str, bool]]:
    check = _check(judge, statement.text)
    if statement.paper is None:
        yield "false alarms: not in the library", check.is_alarm
        yield "needless suggestions", bool(check.suggestions)
        return
    ranked = _papers(_check(ranking, statement.text))
    yield "dropped citation: R@1", ranked[:1] == [statement.paper]
    yield "dropped citation: R@5", statement.paper in ranked
    yield "dropped citation: suggested", statement.paper in _papers(check)
    for paper in _papers(check):
        yield "suggestions that are right", paper == statement.paper
    yield "false alarms: uncited", check.is_alarm
    for fault in statement.faults:
        contradicted = _check(judge, fault.text).verdict is SentenceVerdict.CONTRADICTED
        yield f"uncited, called contradicted: {fault.kind}", contradicted


def _bibliography(paragraphs: Sequence[RelatedWork], assistant: Assistant) -> Iterator[tuple[str, bool]]:
    """Yield whether entries are known, and invented ones, of the halves of two titles, are not."""
    for paragraph in paragraphs:
        papers = [paper for paper in assistant.library.catalog.papers.get(paragraph.cited) if paper.title]
        entries = [BibliographyEntry(paper.id, Record("", paper.title, paper.authors, paper.year)) for paper in papers]
        titles = [(paper.title or "").split() for paper in papers]
        joined = [
            [*first[: len(first) // 2], *second[len(second) // 2 :]] for first, second in itertools.pairwise(titles)
        ]
        invented = [BibliographyEntry(str(number), Record("", " ".join(title))) for number, title in enumerate(joined)]
        for check in check_entries(entries, assistant.library.catalog):
            yield "entries known", check.status is EntryStatus.KNOWN
        for check in check_entries(invented, assistant.library.catalog):
            yield "found: invented reference", check.status is EntryStatus.UNKNOWN


def _judge(assistant: Assistant, compared: int) -> DraftJudge:
    indexes, papers = assistant.library.fresh(), assistant.library.catalog.papers
    return DraftJudge(
        lambda text: assistant.find(Query(text, text), indexes, top_k=compared).hits,
        lambda key: papers.get([key]),
        lambda: SupportModel(assistant.reader, indexes.lexicon, assistant.entailment),
    )


def _check(judge: DraftJudge, text: str, key: str | None = None) -> SentenceCheck:
    citations = (DraftCitation(key, 0, len(text)),) if key else ()
    return next(judge.check([DraftSentence(text, 0, len(text), text, citations)]))


def _papers(check: SentenceCheck) -> list[str]:
    return [suggestion.paper.id for suggestion in check.suggestions]


def by_measure(measured: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the figures by measure and split, as floors have them."""
    return {name: {split: values[name] for split, values in measured.items()} for name in next(iter(measured.values()))}


def table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """Format the figures: a line each, with the number of sentences, and a column for each split."""
    names = [name for name in next(iter(measured.values())) if not name.endswith("(number)")]
    lines = [f"{'':46}" + "".join(f"{split:>16}" for split in measured)]
    for name in names:
        cells = [
            f"{values.get(name, 0.0):9.3f} of {values.get(f'{name} (number)', 0.0):3.0f}"
            for values in measured.values()
        ]
        lines.append(f"{name:46}{''.join(cells)}")
    return "\n".join(lines)
