"""Examples for the pair reader: a claim or question beside a text, with the labels that are known.

The public sets are those of the data folder's notice whose licence allows what is trained on them to be shipped.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.text.sentences import spans
from eval.suites.parts import Part, part_of_abstract

# The classes of support, in the order of the network's outputs.
CONTRADICTED, NOT_STATED, SUPPORTED = range(3)
_PUBLIC_LABELS = {"R": CONTRADICTED, "N": NOT_STATED, "S": SUPPORTED}
_SCIENCE_LABELS = {"CONTRADICT": CONTRADICTED, "SUPPORT": SUPPORTED}
_OWN_LABELS = {"contradicted": CONTRADICTED, "not stated": NOT_STATED, "supported": SUPPORTED}

# Public claim-evidence sets by licence, with the most pairs taken of each: noisy or uniform sets would else dominate.
_ALL = 1_000_000
CLAIM_SETS = {
    "add_one_rte": 0,  # the set under it states no licence
    "begin_dialog": _ALL,
    "bioasq_silver": _ALL,
    "breaking_nli": _ALL,
    "cad_nli": _ALL,
    "check_covid": _ALL,
    "citation_integrity": _ALL,
    "conjnli": _ALL,
    "entailment_bank": 4000,
    "evidence_inference": _ALL,
    "fever_eraser": _ALL,
    "fever_symmetric": _ALL,
    "fm2": _ALL,
    "folio": _ALL,
    "med": 3000,
    "mnli": _ALL,
    "nli_new_protocols": _ALL,
    "pubmedqa_silver": _ALL,
    "scientsbank_beetle": 3000,
    "scinli_human": 4000,
    "scitail": _ALL,
    "scitldr_silver": _ALL,
    "snli": _ALL,
}
QUESTION_SETS = {
    "bioasq": 8000,
    "covidqa": _ALL,
    "pubmedqa": _ALL,
    "qasper": _ALL,
    "qnli_dev": _ALL,
    "selqa": 4000,
    "squad2_dev": _ALL,
}
# Sets that measure and are never trained on: their licence is not stated, or not commercial.
MEASURED_SETS = ("healthver", "covidfact", "climate_fever", "nli4ct", "anli_dev", "wice")

# Further abstracts: pairs of a true and a false claim that differ in little, questions, and near misses of their style.
CONTRASTS = tuple(Path(__file__).parent / name for name in ("contrasts.jsonl.gz", "paraphrases.jsonl.gz"))

# The fields of a line of each kind of file.
_ANNOTATED_FIELDS = ("id", "title", "sentences", "split", "questions", "near_misses", "claims")
_CLAIM_FIELDS = ("claim", "evidence", "label")
_QUESTION_FIELDS = ("question", "context", "answerable", "answer")


@dataclass(frozen=True, slots=True)
class Example:
    """A claim or a question, the sentences of a text, and the labels that are known.

    `support` is a class, `answers` says whether the text answers the question, `evidence` are the positions of the
    sentences that answer or decide; None where a label is not known. `group` names the kind, for the figures. `prior`
    are the log-odds of an answer that the wording of the question alone gives away.
    """

    query: str
    sentences: tuple[str, ...]
    support: int | None = None
    answers: bool | None = None
    evidence: tuple[int, ...] | None = None
    group: str = ""
    weight: float = 1.0
    prior: float = 0.0


@dataclass(frozen=True, slots=True)
class AnnotatedAbstract:
    """An annotated abstract: its sentences, and what people asked and claimed of it."""

    id: str
    title: str
    sentences: tuple[str, ...]
    part: str
    questions: tuple[dict[str, Any], ...]
    near_misses: tuple[str, ...]
    claims: tuple[dict[str, Any], ...]


def read_lines(file: Path, *fields: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file, compressed or not, which have these fields. Raises InputError."""
    number = 0
    try:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _parsed(line, fields, str(file), number)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(str(file), f"cannot be read behind line {number}: {error}; copy the data again") from error


def _parsed(line: str, fields: Sequence[str], file: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(file, f"not JSON: {error}", number) from error
    if not isinstance(row, dict):
        raise InputError(file, "not an object", number)
    if missing := [field for field in fields if field not in row]:
        raise InputError(file, f"the object lacks {', '.join(missing)}", number)
    return row


def read_annotated(data: Path) -> list[AnnotatedAbstract]:
    """Return the annotated abstracts; `part` is train, dev, or test (a fifth of the file's training split)."""
    papers = _read_abstracts(data / "judge" / "annotated.jsonl.gz")
    return [replace(paper, part=part_of_abstract(paper.id, paper.part)) for paper in papers]


def contrasts(part: Part) -> list[AnnotatedAbstract]:
    """Return the abstracts with contrasting claims of a part: train, or dev, which is never trained on."""
    return [paper for file in CONTRASTS for paper in _read_abstracts(file) if paper.part == part]


def training_abstracts(data: Path) -> list[AnnotatedAbstract]:
    """Return the training part of the annotated abstracts, and of those with contrasting claims."""
    return [*(paper for paper in read_annotated(data) if paper.part == "train"), *contrasts("train")]


def _read_abstracts(file: Path) -> list[AnnotatedAbstract]:
    return [
        AnnotatedAbstract(
            id=row["id"],
            title=row["title"] or "",
            sentences=tuple(row["sentences"]),
            part=row["split"],
            questions=tuple(row["questions"]),
            near_misses=tuple(row["near_misses"]),
            claims=tuple(row["claims"]),
        )
        for row in read_lines(file, *_ANNOTATED_FIELDS)
    ]


def public_examples(data: Path, sets: dict[str, int], folder: str) -> Iterator[Example]:
    """Yield the examples of public sets, at most so many of each, drawn by a hash of their text."""
    fields = _CLAIM_FIELDS if folder == "nli" else _QUESTION_FIELDS
    for name, most in sets.items():
        rows = list(read_lines(data / "judge" / folder / f"{name}.jsonl.gz", *fields)) if most else []
        rows.sort(key=lambda row: zlib.crc32(json.dumps(row, sort_keys=True).encode()))
        for row in rows[:most]:
            example = _public_claim(row, name) if folder == "nli" else _public_question(row, name)
            if example.query.strip() and any(map(str.strip, example.sentences)):
                yield example


def claims_of(paper: AnnotatedAbstract) -> Iterator[Example]:
    """Yield the claims about an annotated abstract, with all of it as evidence."""
    for claim in paper.claims:
        label = _label(_OWN_LABELS, claim["label"], f"the claims of {paper.id}")
        yield Example(
            query=claim["text"],
            sentences=paper.sentences,
            support=label,
            evidence=None if label == NOT_STATED else tuple(claim["sentences"]) or None,
            group=f"{claim['label']} {claim['wording']}",
        )


def join(first: Example, second: Example, joint: str) -> Example:
    """Return two claims about a text as one, which holds as far as the worse of them does.

    It is contradicted where either is, else not stated where either is, and needs the evidence of both.
    """
    support = min(first.support or 0, second.support or 0)
    evidence = tuple(sorted({*(first.evidence or ()), *(second.evidence or ())}))
    query = f"{first.query.rstrip('.')}{joint}{continued(second.query)}"
    return Example(query, first.sentences, support, None, None if support == NOT_STATED else evidence or None, "joined")


def continued(statement: str) -> str:
    """Return the statement as it continues a sentence: with a small letter, but for names in capitals."""
    return statement[:1].lower() + statement[1:] if statement[1:2].islower() else statement


def questions_of(paper: AnnotatedAbstract) -> Iterator[Example]:
    """Yield the questions that an annotated abstract answers, and the near misses that it does not."""
    for question in paper.questions:
        evidence = tuple(question["sentences"])
        yield Example(question["text"], paper.sentences, None, True, evidence, question["level"])
    for near_miss in paper.near_misses:
        yield Example(near_miss, paper.sentences, None, False, None, "near miss")


def split_text(text: str) -> tuple[str, ...]:
    """Return the sentences of a text."""
    return tuple(text[start:end] for start, end in spans(text))


def _public_claim(row: dict[str, Any], name: str) -> Example:
    label = _label(_PUBLIC_LABELS, row["label"], name)
    return Example(row["claim"], split_text(row["evidence"]), label, group=name)


def _label(labels: Mapping[str, int], label: str, source: str) -> int:
    if label not in labels:
        raise InputError(source, f"{label!r} is not a label; name one of {', '.join(labels)}")
    return labels[label]


def _public_question(row: dict[str, Any], name: str) -> Example:
    sentences, answer = split_text(row["context"]), row["answer"].strip()
    found = tuple(i for i, sentence in enumerate(sentences) if answer and answer in sentence)
    evidence = found if row["answerable"] and len(found) == 1 and len(sentences) > 1 else None
    return Example(row["question"], sentences, None, bool(row["answerable"]), evidence, name)


def science_claims(data: Path, split: str) -> Iterator[Example]:
    """Yield SciFact's claims with the whole abstract, where a label and sentences are known."""
    abstracts = {row["id"]: row for row in read_lines(data / "scifact" / "corpus.jsonl.gz", "id", "sentences")}
    # The claims of the test split, whose labels are not public, name no papers.
    rows = read_lines(data / "scifact" / "queries.jsonl", "id", "text", "split")
    queries = {row["id"]: row for row in rows if row["split"] == split}
    labelled: set[tuple[str, str]] = set()
    for query, paper, label, evidence in _rationales(data / "scifact" / "evidence.tsv"):
        if query in queries:
            labelled.add((query, paper))
            support = _label(_SCIENCE_LABELS, label, "scifact/evidence.tsv")
            sentences = tuple(abstracts[paper]["sentences"])
            yield Example(queries[query]["text"], sentences, support, None, evidence, f"scifact {label.lower()}")
    for query, row in queries.items():
        for paper in row.get("cited_doc_ids", ()):
            if (query, paper) not in labelled and paper in abstracts:
                sentences = tuple(abstracts[paper]["sentences"])
                yield Example(row["text"], sentences, NOT_STATED, None, None, "scifact not stated")


def _rationales(file: Path) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    """Yield (claim, paper, label, positions of the deciding sentences) of SciFact's evidence. Raises InputError."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            query, paper, label, rationales = line.split("\t")
            positions = tuple(sorted({int(position) for position in rationales.replace("|", ",").split(",")}))
        except ValueError as error:
            raise InputError(
                str(file), "a line is claim, paper, label and sentences, with tabs between", number
            ) from error
        yield query, paper, label, positions


def paper_questions(data: Path, sets: Sequence[str] = ("pubmedqa",)) -> Iterator[Example]:
    """Yield PubMedQA's questions beside the abstracts, without conclusion, that answer them."""
    for name in sets:
        papers = read_lines(data / name / "corpus.jsonl", "id", "abstract")
        abstracts = {row["id"]: row["abstract"] for row in papers}
        for row in read_lines(data / name / "queries.jsonl", "id", "text"):
            yield Example(row["text"], split_text(abstracts[row["id"][1:]]), None, True, None, name)


def unanswered_questions(data: Path) -> Iterator[tuple[str, Example]]:
    """Yield QASPER's questions beside the abstract that does not answer them, with the title of the paper."""
    folder = data / "qasper_notinabstract"
    papers = read_lines(folder / "corpus.jsonl", "title", "abstract")
    abstracts = {row["title"].casefold(): row["abstract"] for row in papers}
    for row in read_lines(folder / "queries.jsonl", "paper_title", "label", "text"):
        abstract = abstracts.get(row["paper_title"].casefold())
        if abstract and row["label"] == "answer_string_not_in_abstract":
            yield row["paper_title"], Example(row["text"], split_text(abstract), None, False, None, "qasper near miss")
