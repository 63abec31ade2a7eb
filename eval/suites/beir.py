"""Collections from elsewhere: a BEIR folder, or one with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` beside it.

corpus.jsonl[.gz]    id or _id, title, abstract or text
queries.jsonl[.gz]   id or _id, text; where it applies split, evidence (sentences, verbatim)
qrels/SPLIT.tsv      BEIR: a header, then query, document and grade; or
qrels.tsv            the same without a header, for all splits
evidence.tsv         of claims: query, document, SUPPORT or CONTRADICT, and the places of the sentences that say so,
                     counted from 0 in the document's `sentences`, between commas and bars
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.schema import Paper
from eval.suites import Claim, Question

_GRADE = re.compile(r"\s*-?[0-9]+\s*")


@dataclass(frozen=True, slots=True)
class Collection:
    """Papers, and questions about them; a judgement of grade 0 does not make a paper relevant."""

    papers: tuple[Paper, ...]
    questions: tuple[Question, ...]


def read(folder: Path, split: str | None = None) -> Collection:
    """The collection of a folder, with the judged questions of one split or of all.

    Raises InputError, naming file and line, for a missing or broken file, an id met twice, a judgement of a question
    or document that is not there, and where no question is left.
    """
    papers = {paper.id: paper for paper in read_papers(folder)}
    asked = {question.id: question for question in _unique(folder, "queries", _question)}
    relevant = _relevant(folder, split, set(asked), set(papers))
    questions = tuple(
        Question(each.id, each.text, frozenset(relevant[each.id]), each.split, each.group, each.evidence)
        for each in asked.values()
        if each.id in relevant and (split in (None, each.split) or not each.split)
    )
    if not questions:
        raise InputError(str(folder), f"there is no judged question{f' of the split {split}' if split else ''}")
    return Collection(tuple(papers.values()), questions)


def read_papers(folder: Path) -> tuple[Paper, ...]:
    """The papers of a folder, which may have no questions. Raises InputError, naming file and line."""
    return tuple(_unique(folder, "corpus", _paper))


def read_claims(folder: Path, split: str | None = None) -> tuple[Claim, ...]:
    """The folder's claims, each with a document that supports or contradicts it; none without an `evidence.tsv`.

    Raises InputError, naming file and line.
    """
    file = folder / "evidence.tsv"
    if not file.is_file():
        return ()
    sentences = {each.id: each.sentences for each in _unique(folder, "corpus", _document)}
    asked = {question.id: question for question in _unique(folder, "queries", _question)}
    found: dict[str, Claim] = {}
    for number, line in _lines(file):
        try:
            claim = _claim(line, asked, sentences)
        except (ValueError, KeyError, IndexError) as error:
            raise InputError(str(file), f"not a judgement of a claim: {error!r}", number) from error
        if claim.id in found:
            raise InputError(str(file), f"question and document {claim.id} were judged before", number)
        found[claim.id] = claim
    if not found:
        raise InputError(str(file), "there is no judgement of a claim")
    return tuple(claim for claim in found.values() if split in (None, claim.split))


def _claim(line: str, asked: Mapping[str, Question], sentences: Mapping[str, tuple[str, ...]]) -> Claim:
    name, document, label, places = line.split("\t")
    supported = {"SUPPORT": True, "CONTRADICT": False}[label]
    if "-" in places:
        raise ValueError(f"a place below zero: {places}")
    evidence = tuple(sentences[document][int(place)].strip() for place in re.split(r"[|,]", places))
    claim = asked[name]
    return Claim(f"{name}-{document}", claim.text, document, supported, claim.split, label.lower(), evidence)


@dataclass(frozen=True, slots=True)
class _Document:
    id: str
    sentences: tuple[str, ...]


def _document(row: dict[str, Any]) -> _Document:
    return _Document(_id(row), _texts(row, "sentences"))


def _unique(folder: Path, name: str, value: Any) -> Iterator[Any]:
    """The values of a JSON Lines file, in order."""
    file = next((file for file in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz") if file.is_file()), None)
    if file is None:
        raise InputError(str(folder), f"{name}.jsonl is missing")
    seen: set[str] = set()
    for number, line in _lines(file):
        try:
            item = value(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(str(file), f"not a line of such a file: {error!r}", number) from error
        if item.id in seen:
            raise InputError(str(file), f"the id {item.id} was used before", number)
        seen.add(item.id)
        yield item


def _paper(row: dict[str, Any]) -> Paper:
    return Paper(_id(row), str(row["abstract"] if "abstract" in row else row["text"]), row.get("title") or None)


def _question(row: dict[str, Any]) -> Question:
    return Question(_id(row), str(row["text"]), frozenset(), row.get("split") or "", "all", _texts(row, "evidence"))


def _texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, if there is one; a single text would be taken for the list of its letters."""
    found = row.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise TypeError(f"{name} is not a list of texts")
    return tuple(found)


def _id(row: dict[str, Any]) -> str:
    return str(row["id"] if "id" in row else row["_id"])


def _relevant(folder: Path, split: str | None, questions: set[str], papers: set[str]) -> dict[str, set[str]]:
    """For each judged question the papers that answer it."""
    relevant: dict[str, set[str]] = {}
    for file in _qrels(folder, split):
        for number, line in _lines(file):
            fields = line.split("\t")
            graded = _GRADE.fullmatch(fields[-1])
            if number == 1 and not graded and file.parent != folder:
                continue  # BEIR's header
            if len(fields) < 3 or not graded:
                raise InputError(str(file), "expected query, document and grade, separated by tabs", number)
            question, paper, grade = fields[0], fields[-2], int(fields[-1])
            if question not in questions or paper not in papers:
                unknown = f"question {question}" if question not in questions else f"document {paper}"
                raise InputError(str(file), f"judges the {unknown}, which is not there", number)
            if grade > 0:
                relevant.setdefault(question, set()).add(paper)
    return relevant


def _qrels(folder: Path, split: str | None) -> list[Path]:
    if (folder / "qrels.tsv").is_file():
        return [folder / "qrels.tsv"]
    found = sorted((folder / "qrels").glob(f"{split or '*'}.tsv"))
    if not found:
        raise InputError(str(folder), f"qrels.tsv or qrels/{split or 'SPLIT'}.tsv is missing")
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8") as lines:
            yield from ((number, line.rstrip("\n")) for number, line in enumerate(lines, start=1) if line.strip())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(str(file), f"cannot be read: {error}") from error
