from __future__ import annotations

import pytest

from assistant.tables.columns import parse_columns
from assistant.tables.extraction import ValueForm
from assistant.tables.kinds import STATED, Kind, column_kinds, sentence_kinds, stated
from assistant.tables.reading import prepare
from tests.fakes import WordHashEmbedder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dataset", Kind.DATA),
        ("main result", Kind.FINDING),
        ("sample size", Kind.SIZE),
        ("method", Kind.APPROACH),
        ("metric reported", Kind.MEASURE),
        ("my favourite colour", Kind.OTHER),
    ],
)
def test_a_usual_column_is_known_also_without_the_packaged_embedder(name: str, kind: Kind) -> None:
    [kinds] = column_kinds([name], WordHashEmbedder())
    assert max(kinds, key=lambda each: kinds[each]) == kind
    assert sum(kinds.values()) == pytest.approx(1.0, abs=1e-4)


def test_sentences_are_told_apart_by_what_they_state() -> None:
    texts = ["We propose a new method.", "Code is available at https://github.com/a/b.", "We studied 36 patients."]
    rows = sentence_kinds(texts)
    code, size = STATED.index(Kind.CODE), STATED.index(Kind.SIZE)
    assert rows.shape == (3, len(STATED))
    assert rows[:, code].argmax() == 1
    assert rows[:, size].argmax() == 2


def test_a_column_of_no_known_kind_is_stated_by_nothing() -> None:
    only_other = dict.fromkeys(map(str, Kind), 0.0) | {str(Kind.OTHER): 1.0}
    assert stated(only_other, sentence_kinds(["We propose a method."])) == [0.0]


def test_values_have_the_form_that_their_column_asks_for() -> None:
    columns = parse_columns(["dataset", "sample size", "main result"])
    forms = [asked.form for asked in prepare(columns, WordHashEmbedder())]
    assert forms == [ValueForm.NAME, ValueForm.NUMBER, ValueForm.SENTENCE]
