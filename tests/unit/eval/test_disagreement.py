from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from assistant.errors import InputError
from eval.measures.disagreement import SIDES_MEASURES
from eval.runs.records import SidesRecord, SideTaken, from_json, to_json
from eval.suites.disagreement import PUBLIC, drawn, read_disputed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    scifact, nli = tmp_path / "scifact", tmp_path / "judge" / "nli"
    scifact.mkdir()
    nli.mkdir(parents=True)
    document = {
        "id": "d",
        "title": "Bees",
        "abstract": "Bees dance. Wasps do not.",
        "sentences": ["Bees dance.", "Wasps do not."],
    }
    (scifact / "corpus.jsonl").write_text(json.dumps(document) + "\n", encoding="utf-8")
    queries = [{"id": "1", "text": "Bees dance.", "split": "dev"}, {"id": "2", "text": "Bees walk.", "split": "train"}]
    (scifact / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    (scifact / "evidence.tsv").write_text("1\td\tSUPPORT\t0\n2\td\tCONTRADICT\t0\n", encoding="utf-8")
    for name, splits in PUBLIC.items():
        rows = [
            {"claim": "Masks help.", "evidence": text, "label": label, "split": splits[0]}
            for text, label in (("They do.", "S"), ("They do not.", "R"), ("Masks are blue.", "N"))
        ]
        with gzip.open(nli / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_claims_come_with_every_paper_that_takes_a_side(data: Path) -> None:
    scifact, *public = read_disputed(data)
    assert [claim.text for claim in scifact.claims] == ["Bees dance."]
    assert [source.name for source in public] == list(PUBLIC)
    for source in public:
        (claim,) = source.claims
        assert claim.group == "both sides"
        assert len(claim.sides) == 2
        assert len(source.papers) == 3


def test_missing_data_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EVAL_DATA"):
        read_disputed(tmp_path)


def test_the_same_claims_are_drawn_each_time_those_with_both_sides_first(data: Path) -> None:
    claims = [claim for source in read_disputed(data) for claim in source.claims]
    assert drawn(claims, 2) == drawn(claims[::-1], 2)
    assert {claim.group for claim in drawn(claims, 2)} == {"both sides"}


def figures(record: SidesRecord) -> dict[str, float | None]:
    return {name: measure(record) for name, measure in SIDES_MEASURES.items()}


def test_a_paper_on_the_wrong_side_is_found_but_not_right() -> None:
    known = (SideTaken("a", True), SideTaken("b", False))
    record = SidesRecord(
        "1", "s", "dev", "both sides", "c", known, (SideTaken("a", True, 0.9), SideTaken("b", True, 0.8))
    )
    values = figures(record)
    assert values["recall of sides at 10"] == 1.0
    assert values["side right among found"] == 0.5
    assert values["both sides shown rightly"] == 0.0


def test_what_comes_behind_the_tenth_paper_or_failed_is_not_found() -> None:
    others = tuple(SideTaken(str(number), True, 0.9) for number in range(10))
    known = (SideTaken("a", True),)
    behind = SidesRecord("1", "s", "dev", "one side", "c", known, (*others, SideTaken("a", True, 0.8)))
    failed = SidesRecord("2", "s", "dev", "one side", "c", known, (), error="e")
    for record in (behind, failed):
        values = figures(record)
        assert values["recall of sides at 10"] == 0.0
        assert values["side right among found"] is None
        assert values["both sides shown rightly"] is None


def test_a_record_is_stored_and_read_again() -> None:
    record = SidesRecord("1", "s", "dev", "one side", "c", (SideTaken("a", True),), (SideTaken("a", False, 0.7),))
    assert from_json(to_json(record)) == record
