"""The tables with known cells, and how filled cells are measured by them."""

from __future__ import annotations

from assistant.schema import Cell, CellSource, Passage
from assistant.tables.kinds import Kind
from assistant.text.sentences import passages
from eval.suites import tables
from eval.suites.tables import CellRecord, GoldCell, measure
from eval.training.examples import read_lines
from eval.training.table_cells import COLUMNS, SENTENCES

SENTENCE = "We reach 93% on MNIST."
GOLD = GoldCell((SENTENCE,), ("MNIST",))


def cell(value: str, sentence: str = SENTENCE, confidence: float = 0.9) -> Cell:
    return Cell(value, Passage(sentence, 0, len(sentence)), confidence, CellSource.ABSTRACT)


def test_half_of_20_tables_of_10_papers_by_4_columns_are_dev() -> None:
    read = list(tables._tables(None))
    assert len(read) == 20
    assert all(len(table["rows"]) == 10 and len(table["columns"]) == 4 for table in read)
    assert sum(table["split"] == "dev" for table in read) == 10
    dev, test = ({row["paper"] for row in table["rows"]} for table in read[:2])
    assert not dev & test


def test_every_known_sentence_is_one_of_its_abstract_and_has_a_known_value() -> None:
    papers = {row["id"]: row["abstract"] for row in read_lines(tables._PAPERS, "abstract")}
    for table in tables._tables(None):
        for row in table["rows"]:
            sentences = {passage.text for passage in passages(papers[row["paper"]])}
            for gold in map(tables._gold, row["cells"]):
                assert sentences.issuperset(gold.sentences)
                assert all(any(value in sentence for sentence in gold.sentences) for value in gold.values)


def test_a_cell_is_right_by_its_sentence_and_its_value() -> None:
    assert GOLD.accepts(cell("MNIST"))
    assert GOLD.accepts(cell(SENTENCE))
    assert not GOLD.accepts(cell("93%"))
    assert not GOLD.accepts(cell("MNIST", "MNIST is old."))
    assert GoldCell((SENTENCE,)).accepts(cell("93%"))


def test_measures_count_filled_right_and_wrong_cells() -> None:
    records = [
        CellRecord("t", "dataset", cell("MNIST"), GOLD),
        CellRecord("t", "dataset", cell("93%"), GOLD),
        CellRecord("t", "dataset", cell("MNIST", confidence=0.2), GOLD),
        CellRecord("t", "dataset", cell("x"), GoldCell()),
    ]
    measures = measure(records, 0.5)
    assert (measures.cells, measures.stated, measures.filled, measures.right) == (4, 3, 3, 1)
    assert (round(measures.precision, 2), round(measures.recall, 2), measures.wrong) == (0.33, 0.33, 0.5)


def test_no_abstract_of_a_table_was_labelled_for_training() -> None:
    trained = {row["paper"] for row in read_lines(SENTENCES, "paper")}
    measured = {row["id"] for row in read_lines(tables._PAPERS, "id")}
    assert not trained & measured


def test_labelled_columns_have_a_kind_and_stand_once() -> None:
    columns = [row["column"].casefold() for row in read_lines(COLUMNS, "column", "kind") if Kind(row["kind"])]
    assert len(columns) == len(set(columns))
