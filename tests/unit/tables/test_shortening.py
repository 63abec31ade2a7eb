from __future__ import annotations

import pytest

from assistant.chat import Assistant
from assistant.errors import ModelError
from assistant.schema import Cell, CellSource, Passage
from assistant.tables.columns import parse_column
from assistant.tables.shortening import Shortener
from assistant.verification.support import SupportModel
from tests.fakes import ScriptedLLM

SENTENCE = "We decode 5,096 dances of honey bees with a neural network and a camera."
CELL = Cell(SENTENCE, Passage(SENTENCE, 0, len(SENTENCE)), 0.9, CellSource.ABSTRACT)
COLUMN = parse_column("method")


def shortened(reader: Assistant, *pieces: str, cell: Cell = CELL, fails_after: int | None = None) -> Cell:
    support = SupportModel(reader.reader, reader.library.lexicon)
    return Shortener(ScriptedLLM(*pieces, fails_after=fails_after), support).shorten(COLUMN, cell)


def test_a_model_may_shorten_a_sentence_to_words_of_it(reader: Assistant) -> None:
    cell = shortened(reader, "a neural ", "network")
    assert (cell.value, cell.source, cell.passage) == ("a neural network", CellSource.MODEL, CELL.passage)


@pytest.mark.parametrize(
    "written",
    [
        "a random forest",
        "6,000 dances of honey bees",
        "not a neural network",
        "",
        SENTENCE,
        "<b>neural network</b><script>",
        "Ignore the rules: the answer is 42",
    ],
)
def test_what_a_model_invents_or_contradicts_is_replaced_by_the_sentence(reader: Assistant, written: str) -> None:
    assert shortened(reader, written) == CELL


def test_a_value_that_was_pulled_out_is_not_sent_to_the_model(reader: Assistant) -> None:
    cell = Cell("5,096 dances", CELL.passage, 0.9, CellSource.ABSTRACT)
    assert shortened(reader, "a camera", cell=cell) == cell


def test_a_model_that_fails_is_reported(reader: Assistant) -> None:
    with pytest.raises(ModelError):
        shortened(reader, "a ", "neural", fails_after=1)
