from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.citations import build_citations
from assistant.schema import (
    EVERYTHING,
    Answer,
    Cell,
    Citation,
    Heading,
    Hit,
    Paper,
    Row,
    Sentence,
    Strength,
    Table,
    Turn,
    Verdict,
)
from assistant.text.sentences import passages
from tests.unit.page.test_render import HOSTILE, Page, safe
from ui.page import answers, evidence, render

BOMBS = [
    r"\def\x{\x\x}\x " * 20,
    "$" + "{" * 500 + "}" * 500 + "$",
    r"\input{/etc/passwd} \write18{rm}",
    "**bold** _it_ [x](javascript:alert(1)) ``` # h",
]
ABSTRACT = r"Bees dance. Moreover, old bees dance $5^2$ times longer. Rain stops them. They rest by night."
FIRST, SECOND, THIRD, FOURTH = passages(ABSTRACT)
BEES = Paper("bees", ABSTRACT, "On bees", ("K. Frisch", "M. Lindauer", "T. Seeley"), 1967, "Nature", "10.1/bees")


def quoted(number: int, text: str, *, is_context: bool = False, lead: int = 0, **fields: object) -> Sentence:
    sentence = Sentence(text, (number,), Verdict.SUPPORTED, 1.0, is_context=is_context, lead=lead)
    return replace(sentence, **fields)  # type: ignore[arg-type]


def digest(*sentences: Sentence, papers: tuple[Paper, ...] = (BEES,), **fields: object) -> Answer:
    hits = [Hit(rank, 1.0, paper) for rank, paper in enumerate(papers, start=1)]
    located = {number: passages(paper.abstract) for number, paper in enumerate(papers, start=1)}
    answer = Answer("q", "q", Strength.FIRM, 0.9, "", citations=build_citations(hits, located), sentences=sentences)
    return replace(answer, model="extractive", **fields)  # type: ignore[arg-type]


def many(count: int) -> Answer:
    papers = tuple(Paper(f"p{number}", f"Bee {number} dances.", f"Bee {number}") for number in range(count))
    return digest(*(quoted(number, f"Bee {number - 1} dances.") for number in range(1, count + 1)), papers=papers)


def test_a_quoted_paper_is_one_entry_with_its_title_authors_and_sentences() -> None:
    page = safe(answers.reply_html(digest(quoted(1, FIRST.text), quoted(1, SECOND.text)), 1))
    assert page.having("entry") == ["section"]
    assert page.text.startswith("[1] On beesK. Frisch et al., 1967Bees dance.[1] Moreover,")
    # The title leads to the first sentence that answers, and each sentence to itself.
    assert page.links == ["#source-1-1-1", "#source-1-1-1", "#source-1-1-2"]


def test_an_entry_of_one_sentence_has_one_link() -> None:
    context = quoted(1, FIRST.text, is_context=True)
    page = safe(answers.reply_html(digest(context, quoted(1, SECOND.text)), 1))
    assert page.links == ["#source-1-1-2"]
    assert page.having("context") == ["span"]


def test_sentences_left_out_between_two_are_shown_by_dots_and_neighbours_have_none() -> None:
    assert "…" not in answers.reply_html(digest(quoted(1, FIRST.text), quoted(1, SECOND.text)), 1)
    assert "…" in answers.reply_html(digest(quoted(1, FIRST.text), quoted(1, THIRD.text)), 1)


def test_a_lead_is_subdued_and_what_was_asked_for_is_strong_in_the_stored_characters() -> None:
    start = SECOND.text.index("$5")
    sentence = quoted(1, SECOND.text, lead=10, emphasis=((start, start + 5),))
    html = answers.reply_html(digest(sentence), 1)
    assert '<span class="lead">Moreover, </span>old bees dance <strong>\\(5^2\\)</strong> times' in html


@pytest.mark.parametrize("span", [(-5, 3), (2, 900), (7, 7), (9, 4), (900, 950)])
def test_offsets_that_do_not_fit_the_sentence_lose_no_character(span: tuple[int, int]) -> None:
    html = answers.reply_html(digest(quoted(1, THIRD.text, lead=span[1], emphasis=(span, span))), 1)
    assert THIRD.text in safe(html).text


def test_an_emphasis_within_a_formula_covers_the_formula() -> None:
    start = SECOND.text.index("5^2")
    html = answers.reply_html(digest(quoted(1, SECOND.text, emphasis=((start, start + 1),))), 1)
    assert "<strong>\\(5^2\\)</strong>" in html


def test_a_heading_starts_an_entry_of_its_own() -> None:
    answer = digest(
        quoted(1, FIRST.text), quoted(1, SECOND.text), headings=(Heading("Dances", 0), Heading("By $n$", 1))
    )
    html = answers.reply_html(answer, 1)
    assert html.count('class="entry"') == 2
    assert '<h3 class="heading">By \\(n\\)</h3>' in html
    assert [tag for tag, _ in safe(html).tags if tag in ("h3", "h4")] == ["h3", "h4", "h3", "h4"]


def test_entries_beyond_five_are_folded_away_and_counted() -> None:
    assert "<details" not in answers.reply_html(many(5), 1)
    html = answers.reply_html(many(12), 1)
    shown, folded = html.split('<details class="more">')
    assert (shown.count('class="entry"'), folded.count('class="entry"')) == (5, 7)
    assert "Show 7 more papers" in folded


def test_a_written_answer_stays_a_series_of_statements() -> None:
    written = replace(digest(quoted(1, FIRST.text), quoted(1, SECOND.text)), model="openai/x")
    page = safe(answers.reply_html(written, 1))
    assert page.having("entry") == []
    assert page.text.count("[1]") == 2


def test_an_untitled_paper_is_called_by_its_first_words() -> None:
    untitled = replace(BEES, title=None)
    assert (
        "[1] Bees dance. Moreover"
        in safe(answers.answer_html(digest(quoted(1, FIRST.text), papers=(untitled,)), 1)).text
    )


def test_latex_is_resolved_in_titles_openings_and_headings() -> None:
    paper = replace(BEES, title=r"\emph{Bees} \& 20\% of M\"uller~et al.")
    answer = digest(quoted(1, FIRST.text), papers=(paper,), opening=r"20\% of it", headings=(Heading(r"A \& B", 0),))
    text = safe(answers.answer_html(answer, 1)).text
    assert text.startswith("20% of itA & B[1] Bees & 20% of Müller et al.")


# --- tables ----------------------------------------------------------------------------------------------------------


def tabled(count: int, total: int, *cells: Cell, columns: tuple[str, ...] = ("year",)) -> Answer:
    rows = tuple(Row(Paper(f"p{number}", ABSTRACT, f"Bee {number}"), cells) for number in range(count))
    return digest(papers=(), table=Table(columns, rows, total))


def test_a_title_of_a_table_leads_to_the_card_of_its_paper_on_the_page_and_in_a_transcript() -> None:
    answer = tabled(2, 2, Cell("2020"))
    links = safe(answers.reply_html(answer, 3)).links
    for html in (answers.sources_html(answer, 3), evidence.evidence_html([Turn("", answer)] * 3, EVERYTHING)):
        ids = [attributes.get("id") for tag, attributes in Page(html).tags if tag == "article"]
        assert links == ["#paper-3-1", "#paper-3-2"]
        assert {"paper-3-1", "paper-3-2"} <= set(ids)


def test_the_sentence_that_a_cell_comes_from_is_highlighted_in_the_card() -> None:
    answer = tabled(1, 1, Cell("x", SECOND))
    for html in (answers.sources_html(answer, 1), evidence.evidence_html([Turn("", answer)], EVERYTHING)):
        assert 'id="paper-1-1-1"' in html
        assert html.count("<mark") == 1


def test_a_title_of_a_cited_paper_leads_to_its_citation() -> None:
    answer = digest(quoted(1, FIRST.text), table=Table(("year",), (Row(BEES, (Cell("1967"),)),), 1))
    assert safe(answers.reply_html(answer, 1)).links == ["#source-1-1-1", "#source-1-1"]
    assert answers.sources_html(answer, 1).count("<article") == 1


def test_what_is_missing_is_said_to_be_not_recorded() -> None:
    assert "Year: not recorded" in safe(answers.reply_html(tabled(1, 1, Cell(None)), 1)).text
    empty = safe(answers.reply_html(tabled(3, 3, Cell("A"), Cell(None), columns=("venue", "year")), 1)).text
    assert "Not recorded for any of them: year." in empty
    assert "Year" not in empty


def test_a_table_tells_how_many_papers_there_are_and_folds_long_ones() -> None:
    html = answers.reply_html(tabled(12, 5000, Cell("2020")), 1)
    assert "These are the first 12 of 5,000 papers." in html
    assert "Show 2 more papers" in html
    assert html.count('class="rest"') == 2
    short = answers.reply_html(tabled(3, 3, Cell("2020")), 1)
    assert "first" not in short
    assert "Show" not in short


def test_a_row_with_too_few_cells_is_shown() -> None:
    assert "not recorded" in answers.reply_html(tabled(1, 1, columns=("year", "venue")), 1)


def test_the_identifier_of_a_paper_is_a_link_to_it_and_other_text_is_not() -> None:
    rows = (Row(BEES, (Cell("10.1/bees"), Cell("https://elsewhere.example/"))),)
    html = answers.reply_html(digest(papers=(), table=Table(("DOI", "note"), rows, 1)), 1)
    assert Page(html).links == ["#paper-1-1", "https://doi.org/10.1/bees"]


@pytest.mark.parametrize("text", [*HOSTILE, *BOMBS])
def test_hostile_text_stays_text_in_every_new_part(text: str) -> None:
    paper = Paper("id", f"{text} x", text, (text,), 2020, text)
    row = Row(paper, (Cell(text, passages(paper.abstract)[0]), Cell(None)))
    answer = Answer(
        text, text, Strength.TENTATIVE, 0.5, text, text, (Citation(1, paper, passages(paper.abstract)),),
        (quoted(1, text, lead=3, emphasis=((5, 9),)), quoted(1, text, is_context=True)),
        model="extractive", opening=text, headings=(Heading(text, 0), Heading(text, 1)),
        table=Table((text, text), (row,), 9),
    )  # fmt: skip
    for write in (render.plain_html, render.typeset_html):
        safe(answers.reply_html(answer, 1, write))
    safe(answers.sources_html(answer, 1))
    safe(answers.answer_html(replace(answer, strength=Strength.NONE), 1))


# --- words for the confidence ----------------------------------------------------------------------------------------


def test_the_strength_is_said_in_words() -> None:
    firm = digest(quoted(1, FIRST.text))
    assert answers.strength_text(firm) == ("Firm answer", "")
    partial = replace(firm, strength=Strength.TENTATIVE, reason="no abstract compares both")
    assert answers.strength_text(partial) == ("Partial answer", "no abstract compares both")
    assert answers.strength_text(replace(firm, strength=Strength.NONE)) == ("No answer in this library", "")


def test_an_answer_says_whether_it_was_quoted_written_or_read_from_the_catalog() -> None:
    assert answers.author_text(digest(quoted(1, FIRST.text))) == "quoted without a language model"
    assert answers.author_text(tabled(1, 1, Cell("2020"))) == "from the catalog"
    assert answers.author_text(tabled(1, 1, Cell("x", FIRST))) == "quoted without a language model"
    assert answers.author_text(replace(digest(), model="openai/x")) == "written by openai/x"
