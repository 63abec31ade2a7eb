"""Measure living answers: of later papers that answer a kept question, how many are announced, and how much is noise.

The library has arXiv abstracts up to 2017; questions are asked and their answers kept. Then abstracts of 2018 and 2019
arrive. The questions are those of the annotated abstracts (`eval.suites.annotated`), so that it is known which abstract
answers each:

    awaited   about an abstract that arrives: it must be announced
    answered  about an abstract that was there: whatever is announced counts as noise, although a later paper may bear
              on the question, too; so the noise is an upper bound
    near      on the topic of an abstract that arrives, which does not answer them: it must not be announced
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from assistant import factory
from assistant.protocols import PairReader
from assistant.schema import Answer, Paper, Turn
from assistant.settings import Settings
from assistant.watching.living_answers import (
    THRESHOLDS,
    AnnouncingThresholds,
    bearing_papers,
    is_comparable,
    strongest_denial,
)
from assistant.watching.news import BearingPaper
from eval import corpora
from eval.suites.annotated import near_miss_rows, paper_of, question_rows, read_annotated
from eval.suites.lines import numbered_lines

# The last year of the earlier papers; the later ones are of the years after it.
LAST_YEAR = 2017
# Papers of the collection that are in the library before, and that arrive, beside the annotated ones.
_EARLIER, _LATER = 800, 400
_NEW_STYLE = re.compile(r"arxiv:(\d\d)\d\d\.")
_OLD_STYLE = re.compile(r"arxiv:[a-z.-]+/(\d\d)", re.IGNORECASE)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchedQuestion:
    """A question whose answer is kept: its kind, its level, and the id of the abstract that it was written about."""

    kind: str
    level: str
    text: str
    paper_id: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was announced about a question, its kept answer, and how strongly each announced paper contradicts that."""

    question: WatchedQuestion
    kept: Answer
    papers: tuple[BearingPaper, ...]
    denials: tuple[float, ...] = ()

    @property
    def is_announced(self) -> bool:
        """Tell whether the paper that the question was written about is announced."""
        return any(item.paper.id == self.question.paper_id for item in self.papers)


@dataclass(frozen=True, slots=True)
class PartOfYears:
    """The annotated abstracts of one part and others of the collection: those there were, those that arrive."""

    before: tuple[Paper, ...]
    arriving: tuple[Paper, ...]
    questions: tuple[WatchedQuestion, ...]


def measure_watch(settings: Settings, data: Path, part: str) -> Json:
    """Return the figures of one part of the annotated abstracts, dev or test. `data` has judge/ and ml_arxiv_2019/.

    Raises InputError for missing data.
    """
    started = time.perf_counter()
    years = read_years(data, part)
    announcements = list(announce(years, settings, THRESHOLDS))
    seconds = round(time.perf_counter() - started, 1)
    head = {"part": part, "papers_before": len(years.before), "papers_arriving": len(years.arriving)}
    return head | {"seconds": seconds} | figures(announcements, THRESHOLDS)


def read_years(data: Path, part: str) -> PartOfYears:
    """Read the abstracts and questions of one part, dev or test. Raises InputError for missing data."""
    rows = [row for row in read_annotated(data / "judge" / "annotated.jsonl.gz") if row["part"] == part]
    earlier = [row for row in rows if (year_of(row["id"]) or LAST_YEAR + 1) <= LAST_YEAR]
    later = [row for row in rows if (year_of(row["id"]) or 0) > LAST_YEAR]
    known = {row["id"] for row in rows}
    before = [*map(paper_of, earlier), *islice(_papers(data, known, range(1990, LAST_YEAR + 1)), _EARLIER)]
    arriving = [*map(paper_of, later), *islice(_papers(data, known, range(LAST_YEAR + 1, 2030)), _LATER)]
    questions = [*_questions("awaited", later), *_questions("answered", earlier), *_near(later)]
    return PartOfYears(tuple(before), tuple(arriving), tuple(questions))


def figures(announcements: Sequence[Announcement], thresholds: AnnouncingThresholds) -> Json:
    """Return the share of awaited papers that were announced, by level, and the shares of noise."""
    by_kind = {kind: [item for item in announcements if item.question.kind == kind] for kind in _KINDS}
    awaited = by_kind["awaited"]
    levels = sorted({item.question.level for item in awaited})
    pairs = [(item, paper) for item in announcements for paper in item.papers]
    right = sum(item.question.kind == "awaited" and each.paper.id == item.question.paper_id for item, each in pairs)
    denials = [denial for item in announcements for denial in item.denials]
    return {
        "questions": {kind: len(items) for kind, items in by_kind.items()},
        "strength_before": dict(Counter(str(item.kept.strength) for item in awaited)),
        "announced": _share(item.is_announced for item in awaited),
        "announced_by_level": {
            level: _share(item.is_announced for item in awaited if item.question.level == level) for level in levels
        },
        "answered_with_noise": _share(bool(item.papers) for item in by_kind["answered"]),
        "near_with_their_paper": _share(item.is_announced for item in by_kind["near"]),
        "announcements": len(pairs),
        "right_paper_share": round(right / len(pairs), 3) if pairs else 0.0,
        "said_to_contradict": sum(denial >= thresholds.contradicts for denial in denials),
    }


def year_of(paper_id: str) -> int | None:
    """Return the year in an arXiv id; None for another id."""
    if match := _NEW_STYLE.match(paper_id):
        return 2000 + int(match[1])
    if match := _OLD_STYLE.match(paper_id):
        return (1900 if int(match[1]) > 50 else 2000) + int(match[1])
    return None


_KINDS = ("awaited", "answered", "near")


def announce(
    years: PartOfYears, settings: Settings, thresholds: AnnouncingThresholds, denials: bool = True
) -> Iterator[Announcement]:
    """Ask the questions over the earlier papers, and yield what is announced when the others arrive.

    With `denials`, each announced paper is read beside the kept answer.
    """
    embedder = factory.open_embedder(settings)
    with closing(corpora.build("watch-before", years.before, settings, embedder)) as library:
        assistant = factory.open_assistant(settings, library)
        turns = [(question, Turn(question.text, assistant.ask(question.text))) for question in years.questions]
    new_ids = {paper.id for paper in years.arriving}
    with closing(corpora.build("watch-after", [*years.before, *years.arriving], settings, embedder)) as library:
        assistant = factory.open_assistant(settings, library)
        for question, turn in turns:
            bearing = bearing_papers(turn, new_ids, assistant, thresholds)[1] if is_comparable(turn.answer) else []
            announcement = Announcement(question, turn.answer, tuple(bearing))
            yield with_denials(announcement, assistant.reader) if denials else announcement


def with_denials(announcement: Announcement, reader: PairReader) -> Announcement:
    """Return the announcement with how strongly each of its papers contradicts the kept answer. Raises ModelError."""
    read = tuple(strongest_denial(announcement.kept, item.paper, reader) for item in announcement.papers)
    return replace(announcement, denials=read)


def _questions(kind: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[WatchedQuestion]:
    for row in rows:
        for line in question_rows(row):
            yield WatchedQuestion(kind, line["difficulty"], line["question"], row["id"])


def _near(rows: Iterable[Mapping[str, Any]]) -> Iterator[WatchedQuestion]:
    for row in rows:
        for line in near_miss_rows(row):
            yield WatchedQuestion("near", "", line["question"], row["id"])


def _papers(data: Path, known: set[str], years: range) -> Iterator[Paper]:
    """Yield every hundredth or so of the papers of some years, without the known ones."""
    import json

    for number, line in numbered_lines(data / corpora.ML_ARXIV / "corpus.jsonl.gz"):
        if number % 31 == 0:
            row = json.loads(line)
            if row["year"] in years and row["id"] not in known and row["abstract"]:
                yield Paper(row["id"], row["abstract"], row["title"], tuple(row["authors"]), row["year"])


def _share(values: Iterable[bool]) -> float:
    counted = list(values)
    return round(sum(counted) / len(counted), 3) if counted else 0.0
