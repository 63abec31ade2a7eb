"""Where a question asks for a number, the sentence with the number comes first and the number is marked."""

from __future__ import annotations

from assistant.digest.figures import figures_first
from assistant.digest.quoting import Quotation
from tests.unit.digest.quoted import best_first, composed, evidence, texts

ICE = "Glaciers lose ice. They lost 31 percent between 1990 and 2020. Small ones shrink first."


def marked(question: str, *quotations: Quotation) -> list[tuple[str, list[str]]]:
    return [
        (item.passage.text, [item.passage.text[start:end] for start, end in item.emphasis])
        for item in figures_first(question, quotations)
    ]


def test_the_sentence_with_a_figure_comes_first_and_the_figure_is_marked() -> None:
    first, *_ = marked("How much ice was lost?", *composed(evidence(ICE, 0.9, 0.89, 0.88), 3))
    assert first[0] == "They lost 31 percent between 1990 and 2020."
    assert any("31" in figure for figure in first[1])


def test_a_number_that_the_question_has_is_not_marked() -> None:
    first, *_ = marked("How much ice was lost between 1990 and 2020?", *composed(evidence(ICE, 0.9, 0.89, 0.88), 3))
    assert [figure for figure in first[1] if "1990" in figure or "2020" in figure] == []


def test_papers_stay_in_their_order() -> None:
    quotations = composed(best_first(evidence("Bees dance.", 0.9), evidence("Bees dance 9 ways.", 0.89, rank=2)), 3)
    assert texts(figures_first("How many ways?", quotations)) == ["Bees dance.", "Bees dance 9 ways."]


def test_context_stays_before_the_sentence_that_leans_on_it() -> None:
    first, second, third = composed(evidence(ICE, 0.9, 0.89, 0.88), 3)
    context = Quotation(first.hit, first.passage, is_context=True)
    assert texts(figures_first("How much?", [context, second, third])) == texts([first, second, third])
    assert figures_first("How much?", [context, second])[0].emphasis == ()
