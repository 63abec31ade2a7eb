"""A few lines of every set that a training reads, in a folder as the data's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eval.training.examples import CLAIM_SETS, QUESTION_SETS

ANIMALS = ("bee", "ant", "owl", "fox", "eel", "cod", "yak", "gnu")
ABSTRACTS = 60


def write(file: Path, rows: Iterable[Any]) -> Path:
    """Write JSON lines, compressed where the name says so."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return file


def annotated(number: int) -> dict[str, Any]:
    animal = f"{ANIMALS[number % len(ANIMALS)]}{number}"
    claims = [("supported", [1]), ("contradicted", [1]), ("not stated", [0])]
    return {
        "id": f"p{number}",
        "title": f"On the {animal}" if number % 3 else None,
        "sentences": [f"The {animal} is old.", f"It eats {number} seeds a day.", "Nobody knows why."],
        "split": "dev" if number % 6 == 0 else "train",
        "questions": [{"text": f"What does the {animal} eat?", "level": "easy", "sentences": [1]}],
        "near_misses": [f"Where does the {animal} sleep?"],
        "claims": [
            {"text": f"The {animal} eats {label}.", "label": label, "sentences": sentences, "wording": "close"}
            for label, sentences in claims
        ],
    }


def write_training_data(folder: Path) -> Path:
    """Write a few lines of every set, and return the folder."""
    judge = folder / "judge"
    write(judge / "annotated.jsonl.gz", map(annotated, range(ABSTRACTS)))
    for name in CLAIM_SETS:
        rows = [
            {"claim": f"{name} {n} {label}", "evidence": f"A. {n}", "label": label} for n in range(3) for label in "SRN"
        ]
        write(judge / "nli" / f"{name}.jsonl.gz", rows)
    for name in QUESTION_SETS:
        row = {"question": f"{name}?", "context": "It rains. Bees rest.", "answerable": True, "answer": "Bees"}
        write(judge / "qa" / f"{name}.jsonl.gz", [row, row | {"answerable": False, "answer": ""}])
    science = folder / "scifact"
    write(science / "corpus.jsonl.gz", [{"id": str(n), "sentences": ["A.", "B.", "C."]} for n in range(4)])
    queries = [("1", "train", ["0", "1"]), ("2", "train", ["2"]), ("3", "dev", ["3"])]
    write(
        science / "queries.jsonl",
        [{"id": id, "text": f"claim {id}", "split": split, "cited_doc_ids": cited} for id, split, cited in queries],
    )
    write(science / "evidence.tsv", ["1\t0\tSUPPORT\t2|0,1", "2\t2\tCONTRADICT\t1", "3\t3\tSUPPORT\t0"])
    dev = " ".join(annotated(0)["sentences"])
    papers = [{"id": str(n), "title": "", "abstract": f"Cells {n} die. They rest."} for n in range(5)]
    write(folder / "pubmedqa" / "corpus.jsonl", [*papers, {"id": "9", "title": "", "abstract": dev}])
    write(
        folder / "pubmedqa" / "queries.jsonl",
        [{"id": f"q{n}", "text": f"Do cells {n} die?"} for n in (*range(5), 9)],
    )
    titles = [f"Paper {n}" for n in range(8)]
    qasper = folder / "qasper_notinabstract"
    write(qasper / "corpus.jsonl", [{"title": title, "abstract": f"{title} is short."} for title in titles])
    label = "answer_string_not_in_abstract"
    write(
        qasper / "queries.jsonl",
        [{"paper_title": title.upper(), "label": label, "text": f"Why {title}?"} for title in titles],
    )
    many = [{"id": f"m{n}", "title": f"Many {n}", "abstract": f"{ANIMALS[n % 8]} " * 90} for n in range(40)]
    many += [{"id": "p1", "title": "x", "abstract": "y" * 400}, {"id": "short", "title": "short", "abstract": "short"}]
    write(folder / "ml_arxiv_2019" / "corpus.jsonl.gz", many)
    return folder


def write_contrasts(folder: Path) -> Path:
    """Write a few further annotated abstracts, and return the file."""
    return write(folder / "contrasts.jsonl.gz", map(annotated, range(ABSTRACTS, ABSTRACTS + 12)))
