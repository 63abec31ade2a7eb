"""Collections from elsewhere are read as they are, or refused by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.settings import Settings
from eval import corpora, measures
from eval.runs.execution import RunOptions, run
from eval.suites import beir
from tests.evaluation import write, write_claims
from tests.fakes import WordHashEmbedder

PAPERS = [
    {"_id": "d1", "title": "On Ice", "text": "Glaciers lost a third of their ice. The loss doubled after 2005."},
    {"_id": "d2", "title": "", "text": "Honey bees dance. Older bees dance longer."},
    {"_id": "d3", "title": "On Ice", "text": "Glaciers lost a third of their ice. The loss doubled after 2005."},
]
QUERIES = [{"_id": "q1", "text": "loss of glacier ice"}, {"_id": "q2", "text": "dance of bees"}]


@pytest.fixture
def beir_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    write(folder / "corpus.jsonl", PAPERS)
    write(folder / "queries.jsonl", QUERIES)
    write(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q1\td2\t0", "q2\td2\t2"])
    write(folder / "qrels" / "dev.tsv", ["query-id\tcorpus-id\tscore", "q1\td3\t1"])
    return folder


@pytest.fixture
def uniform(tmp_path: Path) -> Path:
    folder = tmp_path / "uniform"
    write(folder / "corpus.jsonl.gz", [{"id": "d1", "title": None, "abstract": "Bees dance."}])
    write(folder / "queries.jsonl", [{"id": n, "text": f"{n}?", "split": s} for n, s in (("a", "dev"), ("b", "test"))])
    write(folder / "qrels.tsv", ["a\td1\t1", "b\td1\t1"])
    return folder


def test_a_beir_folder_is_read_with_the_judgements_of_a_split(beir_folder: Path) -> None:
    found = beir.read(beir_folder, "test")
    assert [(paper.id, paper.title) for paper in found.papers] == [("d1", "On Ice"), ("d2", None), ("d3", "On Ice")]
    assert {question.id: question.papers for question in found.questions} == {"q1": {"d1"}, "q2": {"d2"}}
    assert [question.papers for question in beir.read(beir_folder, "dev").questions] == [{"d3"}]
    assert beir.read(beir_folder).questions[0].papers == {"d1", "d3"}


def test_a_folder_with_splits_among_its_queries_is_read(uniform: Path) -> None:
    assert [question.id for question in beir.read(uniform, "dev").questions] == ["a"]
    assert [question.id for question in beir.read(uniform).questions] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "row", "complaint"),
    [
        ("qrels.tsv", "a\tnowhere\t1", r"qrels\.tsv:3: judges the document nowhere, which does not exist"),
        ("qrels.tsv", "nobody\td1\t1", r"qrels\.tsv:3: judges the question nobody, which does not exist"),
        ("qrels.tsv", "a d1 1", r"qrels\.tsv:3: expected query, document and grade"),
        ("queries.jsonl", '{"id": "a", "text": "again"}', r"queries\.jsonl:3: the id a is used twice"),
        ("queries.jsonl", "no json", r"queries\.jsonl:3: not a valid line of this file"),
        ("queries.jsonl", '{"id": "c"}', r"queries\.jsonl:3: not a valid line of this file"),
        ("queries.jsonl", '{"id": "c", "text": "?", "evidence": "Bees dance."}', "evidence is not a list of strings"),
        ("queries.jsonl", "[]", r"queries\.jsonl:3: not a valid line of this file"),
    ],
)
def test_a_broken_line_is_refused_by_file_and_line(uniform: Path, name: str, row: str, complaint: str) -> None:
    with (uniform / name).open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(InputError, match=complaint):
        beir.read(uniform)


@pytest.mark.parametrize("name", ["corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(uniform: Path, name: str) -> None:
    (uniform / name).unlink()
    with pytest.raises(InputError, match=name.split(".")[0]):
        beir.read(uniform)


@pytest.mark.parametrize("name", ["queries.jsonl", "qrels.tsv"])
def test_an_empty_file_is_refused(uniform: Path, name: str) -> None:
    (uniform / name).write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"no judged question|judges the question a, which does not exist"):
        beir.read(uniform)


def test_a_first_judgement_is_no_header_where_none_is_to_be(uniform: Path) -> None:
    (uniform / "qrels.tsv").write_text("a\td1\tone\nb\td1\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"qrels\.tsv:1: expected query, document and grade"):
        beir.read(uniform)


def test_a_collection_without_a_judged_question_is_refused(uniform: Path) -> None:
    with pytest.raises(InputError, match="no judged question of the split train"):
        beir.read(uniform, "train")


def test_a_file_that_breaks_off_is_refused(uniform: Path) -> None:
    content = (uniform / "corpus.jsonl.gz").read_bytes()
    (uniform / "corpus.jsonl.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"corpus\.jsonl\.gz: cannot be read"):
        beir.read(uniform)


def test_a_compressed_file_that_is_damaged_is_refused(uniform: Path) -> None:
    content = bytearray((uniform / "corpus.jsonl.gz").read_bytes())
    content[12:16] = b"\xff\xff\xff\xff"
    (uniform / "corpus.jsonl.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"corpus\.jsonl\.gz: cannot be read"):
        beir.read(uniform)


def test_papers_keep_their_ids_even_where_they_are_equal_and_are_indexed_once(
    eval_settings: Settings, beir_folder: Path
) -> None:
    papers = beir.read(beir_folder).papers
    first = corpora.build("beir", papers, eval_settings, WordHashEmbedder())
    generation = first.catalog.ledger.generation
    first.close()
    second = corpora.build("beir", papers, eval_settings, WordHashEmbedder())
    assert [paper.id for paper in second.catalog.papers.all()] == ["d1", "d2", "d3"]
    assert second.catalog.ledger.generation == generation
    other = corpora.build("beir", papers[:2], eval_settings, WordHashEmbedder())
    assert other.home != second.home
    second.close()
    other.close()


def test_a_run_over_a_folder_gives_the_figures_of_its_questions(eval_settings: Settings, beir_folder: Path) -> None:
    searched = run(eval_settings, RunOptions((str(beir_folder),), "test", answers=False))
    figures = measures.figures(searched.records)
    assert figures["beir"]["R@10"] == {"all": 1.0}
    assert set(figures["beir"]) == {"R@1", "R@5", "R@10", "nDCG@10", "RR@10"}
    answered = run(eval_settings, RunOptions((str(beir_folder),), "test"), "with-answers")
    assert set(measures.figures(answered.records)["beir"]) > {"R@1", "gold paper cited"}


def test_a_suite_that_is_neither_known_nor_a_folder_is_refused(eval_settings: Settings) -> None:
    with pytest.raises(InputError, match="nonsense: neither a folder, a file, nor one of single"):
        run(eval_settings, RunOptions(("nonsense",)))


# Claims


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    return write_claims(tmp_path / "science")


def test_claims_are_read_with_their_verdicts_and_the_sentences_behind_them(claims: Path) -> None:
    found = {claim.id: (claim.supported, claim.group, claim.evidence) for claim in beir.read_claims(claims)}
    assert found == {
        "1-ice": (True, "support", ("The loss doubles after 2005.",)),
        "2-bees": (False, "contradict", ("Older bees dance longer.",)),
        "3-bread": (
            True,
            "support",
            ("Acetic acid bacteria are found in a third of them.", "The smell of a starter depends on its bacteria."),
        ),
    }
    assert [claim.id for claim in beir.read_claims(claims, "test")] == ["3-bread"]


def test_a_folder_without_evidence_has_no_claims(beir_folder: Path) -> None:
    assert beir.read_claims(beir_folder) == ()


@pytest.mark.parametrize(
    "row",
    [
        "1\tbees\tSUPPORT",
        "1\tbees\tMAYBE\t0",
        "9\tbees\tSUPPORT\t0",
        "1\tnowhere\tSUPPORT\t0",
        "1\tbees\tSUPPORT\t99",
        "1\tbees\tSUPPORT\t-1",
        "1\tbees\tSUPPORT\tlast",
        "1\tbees\tSUPPORT\t0\tmore",
    ],
)
def test_a_broken_judgement_of_a_claim_is_refused_by_file_and_line(claims: Path, row: str) -> None:
    with (claims / "evidence.tsv").open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(InputError, match=r"evidence\.tsv:4: not a judgement of a claim"):
        beir.read_claims(claims)


def test_a_claim_judged_twice_about_a_paper_is_refused(claims: Path) -> None:
    with (claims / "evidence.tsv").open("a", encoding="utf-8") as file:
        file.write("1\tice\tCONTRADICT\t0\n")
    with pytest.raises(InputError, match=r"evidence\.tsv:4: question and document 1-ice are judged twice"):
        beir.read_claims(claims)


def test_an_empty_file_of_judgements_is_refused(claims: Path) -> None:
    (claims / "evidence.tsv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"evidence\.tsv: there is no judgement"):
        beir.read_claims(claims)
