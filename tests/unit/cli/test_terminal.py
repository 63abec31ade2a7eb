from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assistant.chat import Assistant
from assistant.question.understand import understand
from assistant.schema import (
    Answer,
    Citation,
    Filters,
    Hit,
    Paper,
    Passage,
    Query,
    Scope,
    SearchResult,
    Sentence,
    Strength,
    Turn,
    Verdict,
    Verification,
    Withdrawn,
)
from assistant.storage.conversation_schema import Conversation, StoredTurn
from assistant.text.printable import printable
from ui.cli import terminal
from ui.export import transcripts
from ui.page import answers

# Colours, a title of the window, a bell, a rewritten line, text from right to left, a character of eight bits.
HOSTILE = "\x1b[31mred\x1b]0;owned\x07 \rover \u202etfel\u202c \x9b2J \x08\x7f\x00 end"
PAPER = Paper("0123456789abcdef", "Bees dance.", "On bees", ("K. Frisch", "M. Lindauer"), 1967, "Nature", "10.1/x")


def paper(text: str) -> Paper:
    return Paper(text, text, text, (text, text), 2020, text, text, text, text, (text,))


def answer(text: str, strength: Strength) -> Answer:
    """An answer in which every text is this one."""
    citation = Citation(1, paper(text), (Passage(text, 0, len(text)),))
    return Answer(text, text, strength, 0.5, text, text, (citation,), nearest=(paper(text),))


OUTPUTS: list[Callable[[str], str]] = [
    lambda text: terminal.answer_text(answer(text, Strength.FIRM)),
    lambda text: terminal.answer_text(answer(text, Strength.TENTATIVE)),
    lambda text: terminal.answer_text(answer(text, Strength.NONE)),
    lambda text: terminal.search_text(
        SearchResult(understand(text), (Hit(1, 0.5, paper(text), (Passage(text, 0, 1),)),))
    ),
    lambda text: terminal.paper_text(paper(text)),
    lambda text: terminal.paper_line(paper(text)),
    printable,
]


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_that_is_shown_can_command_the_terminal(output: Callable[[str], str]) -> None:
    shown = output(HOSTILE)
    assert "end" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_an_answer_is_followed_by_its_references(make_assistant: Callable[..., Assistant]) -> None:
    found = make_assistant().ask("Which glaciers shrink the fastest?")
    text, references = terminal.answer_text(found).split("\n\n")
    assert text == found.text
    (citation,) = found.citations
    assert references.startswith(f"[1] {citation.paper.id}  Glaciers in the northern Alps")


def test_an_answer_in_doubt_opens_with_its_reason(make_assistant: Callable[..., Assistant]) -> None:
    found = make_assistant(firm_from=1.0).ask("Which glaciers shrink the fastest?")
    assert found.opening.casefold().startswith(found.reason or "?")
    assert terminal.answer_text(found).startswith(f"{found.opening}\n\n{found.text}\n\n[1] ")
    bare = replace(found, opening="")
    assert terminal.answer_text(bare).startswith(f"({found.reason})\n\n{found.text}\n\n[1] ")


def test_an_abstention_names_the_nearest_papers(make_assistant: Callable[..., Assistant]) -> None:
    found = make_assistant(firm_from=1.0, tentative_from=1.0).ask("transistors amplify whispers")
    text, nearest = terminal.answer_text(found).split("\n\n")
    assert text == found.text
    assert nearest.splitlines() == [
        "Nearest papers:",
        *(f"    {terminal.paper_line(each)}" for each in found.nearest),
    ]
    assert len(found.nearest) == 3


def test_a_search_lists_each_hit_with_its_passages(make_assistant: Callable[..., Assistant]) -> None:
    found = make_assistant().search("Which glaciers shrink the fastest?")
    blocks = terminal.search_text(found).split("\n\n")
    assert [block.split(".")[0].strip() for block in blocks] == ["1", "2", "3"]
    for block, hit in zip(blocks, found.hits, strict=True):
        assert block.splitlines()[1:] == [f"     {passage.text}" for passage in hit.passages]


def test_a_search_that_finds_nothing_says_so() -> None:
    assert terminal.search_text(SearchResult(understand("bees"), ())) == "Nothing found."


def test_a_paper_in_a_line_has_its_id_and_what_is_known() -> None:
    assert terminal.paper_line(PAPER) == "0123456789abcdef  On bees - K. Frisch et al. (1967)"
    assert terminal.paper_line(Paper("id", "Bees dance.", authors=("K. Frisch",))) == "id  Bees dance. - K. Frisch"


def test_a_paper_is_shown_whole_without_what_is_not_known() -> None:
    assert terminal.paper_text(PAPER) == (
        "id      0123456789abcdef\ntitle   On bees\nauthors K. Frisch, M. Lindauer\nyear    1967\n"
        "venue   Nature\ndoi     10.1/x\n\nBees dance."
    )


@pytest.mark.parametrize(
    ("standalone", "filters", "scope", "shown"),
    [
        ("bees", Filters(), Scope(), ""),
        ("bees. why?", Filters(), Scope(), "Searched for: bees. why?"),
        ("", Filters(since=2020), Scope(), "Searched for: anything [papers with year>=2020]"),
        ("bees", Filters(), Scope(("a1", "b2"), ("c3",)), "Searched for: bees [only a1, b2; not c3]"),
    ],
)
def test_what_was_searched_for_is_said_where_it_is_not_what_was_typed(
    standalone: str, filters: Filters, scope: Scope, shown: str
) -> None:
    assert terminal.describe_search(Query("bees", standalone, filters, scope)) == shown


def test_answers_and_searches_begin_with_what_was_searched_for(make_assistant: Callable[..., Assistant]) -> None:
    question, note = "glaciers bees -sourdough", "Searched for: glaciers bees [papers with -sourdough]\n\n"
    assert terminal.answer_text(make_assistant().ask(question)).startswith(note)
    assert terminal.search_text(make_assistant().search(question)).startswith(note)


# What is said against an answer


DOUBTFUL = Answer(
    "q",
    "q",
    Strength.FIRM,
    0.5,
    "Bees dance [1]. Bees sing. Bees sleep [1]. Bees hum.",
    citations=(Citation(1, PAPER, ()),),
    sentences=(
        Sentence("Bees dance.", (1,), Verdict.UNSUPPORTED, 0.1),
        Sentence("Bees sing.", (), Verdict.UNCITED, 0.0),
        Sentence("Bees sleep.", (1,), Verdict.CONTRADICTED, 0.0),
        Sentence("Bees hum.", (1,), Verdict.SUPPORTED, 1.0, replaces="Bees shout."),
        Sentence("Is it so?", (), Verdict.REMARK, 0.0),
    ),
    dropped=2,
    cut=True,
    withdrawn=Withdrawn("x", "the model broke off", failed=True),
)


def transcript(answer: Answer) -> str:
    kept = Conversation("0123", "A title", "2024-01-01", "2024-01-01", 1)
    return transcripts.markdown(kept, [StoredTurn(1, "0123", Turn("q", answer), "2024-01-01", {})])


@pytest.mark.parametrize("face", [terminal.answer_text, lambda answer: answers.answer_html(answer, 1), transcript])
def test_every_face_names_the_sentences_that_are_in_doubt_and_how_the_answer_came_about(
    face: Callable[[Answer], str],
) -> None:
    shown = face(DOUBTFUL)
    for said in (
        "The cited passages do not clearly support this sentence.",
        "This sentence carries no citation, and no abstract shown clearly says it.",
        "The cited passage says otherwise.",
        "This passage replaces a sentence that the abstracts do not clearly support.",
        "Bees shout",
        "he model broke off; the abstracts are quoted instead",
        "2 citations of the language model refer to no paper shown and were left out",
        "he reply of the language model exceeded the length limit and was cut",
    ):
        assert said in shown


def test_of_an_answer_that_holds_nothing_is_said() -> None:
    good = replace(DOUBTFUL, sentences=(Sentence("Bees dance.", (1,), Verdict.SUPPORTED, 1.0),), dropped=0)
    good = replace(good, cut=False, withdrawn=None)
    assert (terminal.notes(good), list(terminal.doubts(good))) == ([], [])


def test_that_sentences_were_not_checked_is_said_once() -> None:
    free = replace(DOUBTFUL, sentences=(Sentence("Bees dance.", (1,), Verdict.UNCHECKED, 0.0),) * 2, dropped=1)
    assert terminal.notes(free)[-1] == "the sentences were not checked against the abstracts"
    assert "1 citation of the language model refers to no paper shown and was left out" in terminal.notes(free)
    assert list(terminal.doubts(free)) == []


def test_a_contradicted_sentence_has_a_mark_of_its_own_below_the_answer() -> None:
    lines = terminal.answer_text(DOUBTFUL).splitlines()
    assert "! The cited passage says otherwise. “Bees sleep.”" in lines
    assert [line[:2] for line in lines if "“" in line] == ["? ", "? ", "! ", "? "]


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.SUPPORTED, "supported (0.90): why"),
        (Verdict.UNSUPPORTED, "unsupported (0.90): why"),
        (Verdict.CONTRADICTED, "contradicted (0.07): why"),
    ],
)
def test_a_verdict_is_shown_with_its_probability(verdict: Verdict, line: str) -> None:
    passage = Passage("Bees dance.", 0, 11)
    shown = terminal.verification_text(Verification("Bees sleep.", "id", verdict, 0.9, passage, "why", 0.07))
    assert shown == f"{line}\n    id  Bees dance."
