"""Read a collection in the layout of BEIR, or one with a single `qrels.tsv` for all splits.

corpus.jsonl[.gz]    id or _id, title, abstract or text
queries.jsonl[.gz]   id or _id, text; optionally split, evidence (sentences, verbatim)
qrels/SPLIT.tsv      BEIR: a header, then query, document and grade; or
qrels.tsv            the same without a header, for all splits
evidence.tsv         for claims: query, document, SUPPORT or CONTRADICT, and the indices of the evidence sentences,
                     counted from 0 in the document's `sentences` and separated by commas or bars
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.schema import Paper
from eval.suites import Claim, Question
from eval.suites.lines import numbered_lines

_GRADE = re.compile(r"\s*-?[0-9]+\s*")


@dataclass(frozen=True, slots=True)
class Collection:
    """Papers and the judged questions about them."""

    papers: tuple[Paper, ...]
    questions: tuple[Question, ...]


def read(folder: Path, split: str | None = None) -> Collection:
    """Read a collection with the judged questions of one split or of all; a paper of grade 0 is not relevant.

    Raises InputError, naming file and line, for a missing or malformed file, a duplicate id, a judgement of an unknown
    question or document, and if no question remains.
    """
    papers = {paper.id: paper for paper in read_papers(folder)}
    questions = {question.id: question for question in _read_unique(folder, "queries", _question)}
    relevant = _relevant_papers(folder, split, set(questions), set(papers))
    judged = tuple(
        replace(question, papers=frozenset(relevant[question.id]))
        for question in questions.values()
        if question.id in relevant and (split in (None, question.split) or not question.split)
    )
    if not judged:
        raise InputError(str(folder), f"there is no judged question{f' of the split {split}' if split else ''}")
    return Collection(tuple(papers.values()), judged)


def read_papers(folder: Path, name: str = "corpus") -> tuple[Paper, ...]:
    """Read the papers of a folder, with or without questions, from `NAME.jsonl[.gz]`.

    Raises InputError, naming file and line.
    """
    return tuple(_read_unique(folder, name, _paper))


def read_claims(folder: Path, split: str | None = None) -> tuple[Claim, ...]:
    """Read the claims, each with a document that supports or contradicts it; none without an `evidence.tsv`.

    Raises InputError, naming file and line.
    """
    file = folder / "evidence.tsv"
    if not file.is_file():
        return ()
    sentences = {document.id: document.sentences for document in _read_unique(folder, "corpus", _sentences)}
    questions = {question.id: question for question in _read_unique(folder, "queries", _question)}
    claims: dict[str, Claim] = {}
    for number, line in numbered_lines(file):
        try:
            claim = _claim(line, questions, sentences)
        except (ValueError, KeyError, IndexError) as error:
            raise InputError(str(file), f"not a judgement of a claim: {error!r}", number) from error
        if claim.id in claims:
            raise InputError(str(file), f"question and document {claim.id} are judged twice", number)
        claims[claim.id] = claim
    if not claims:
        raise InputError(str(file), "there is no judgement of a claim")
    return tuple(claim for claim in claims.values() if split in (None, claim.split))


def _claim(line: str, questions: Mapping[str, Question], sentences: Mapping[str, tuple[str, ...]]) -> Claim:
    question_id, document, label, indices = line.split("\t")
    supported = {"SUPPORT": True, "CONTRADICT": False}[label]
    if "-" in indices:
        raise ValueError(f"a negative index: {indices}")
    evidence = tuple(sentences[document][int(index)].strip() for index in re.split(r"[|,]", indices))
    question = questions[question_id]
    return Claim(
        f"{question_id}-{document}", question.text, document, supported, question.split, label.lower(), evidence
    )


@dataclass(frozen=True, slots=True)
class _SplitAbstract:
    id: str
    sentences: tuple[str, ...]


def _sentences(row: dict[str, Any]) -> _SplitAbstract:
    return _SplitAbstract(_id(row), _texts(row, "sentences"))


def _read_unique(folder: Path, name: str, parse: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
    """Yield the parsed rows of a JSON Lines file, in order."""
    file = next((file for file in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz") if file.is_file()), None)
    if file is None:
        raise InputError(str(folder), f"{name}.jsonl is missing")
    seen: set[str] = set()
    for number, line in numbered_lines(file):
        try:
            item = parse(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(str(file), f"not a valid line of this file: {error!r}", number) from error
        if item.id in seen:
            raise InputError(str(file), f"the id {item.id} is used twice", number)
        seen.add(item.id)
        yield item


def _paper(row: dict[str, Any]) -> Paper:
    return Paper(_id(row), str(row["abstract"] if "abstract" in row else row["text"]), row.get("title") or None)


def _question(row: dict[str, Any]) -> Question:
    return Question(_id(row), str(row["text"]), frozenset(), row.get("split") or "", "all", _texts(row, "evidence"))


def _texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return an optional list of strings. Raises TypeError for a single string, which is iterable too."""
    texts = row.get(name) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name} is not a list of strings")
    return tuple(texts)


def _id(row: dict[str, Any]) -> str:
    return str(row["id"] if "id" in row else row["_id"])


def _relevant_papers(folder: Path, split: str | None, questions: set[str], papers: set[str]) -> dict[str, set[str]]:
    """Return the relevant papers of each judged question."""
    relevant: dict[str, set[str]] = {}
    for file in _qrels_files(folder, split):
        for number, line in numbered_lines(file):
            if number == 1 and file.parent != folder and not _GRADE.fullmatch(line.split("\t")[-1]):
                continue  # BEIR's header
            question, paper, grade = _judgement(line, file, number)
            if question not in questions or paper not in papers:
                unknown = f"question {question}" if question not in questions else f"document {paper}"
                raise InputError(str(file), f"judges the {unknown}, which does not exist", number)
            if grade > 0:
                relevant.setdefault(question, set()).add(paper)
    return relevant


def _judgement(line: str, file: Path, number: int) -> tuple[str, str, int]:
    fields = line.split("\t")
    if len(fields) < 3 or not _GRADE.fullmatch(fields[-1]):
        raise InputError(str(file), "expected query, document and grade, separated by tabs", number)
    return fields[0], fields[-2], int(fields[-1])


def _qrels_files(folder: Path, split: str | None) -> list[Path]:
    if (folder / "qrels.tsv").is_file():
        return [folder / "qrels.tsv"]
    files = sorted((folder / "qrels").glob(f"{split or '*'}.tsv"))
    if not files:
        raise InputError(str(folder), f"qrels.tsv or qrels/{split or 'SPLIT'}.tsv is missing")
    return files
