"""The text of a stream only grows, and says what the whole answer says."""

from __future__ import annotations

from dataclasses import replace

from assistant.schema import Answer, Citation, Paper, Sentence, Strength, Verdict, Withdrawn
from ui.api.chat_stream import TextStream
from ui.api.cited_markdown import cited_markdown

BEES = Paper("a", "Bees dance.", "On bees", doi="10.1/bees")
GROWING = Answer("q", "q", Strength.FIRM, 0.9, "", citations=(Citation(1, BEES, ()),), done=False)
LINK = "[\\[1\\]](<https://doi.org/10.1/bees>)"


def address(paper: Paper) -> str:
    return f"https://doi.org/{paper.doi}"


def streamed(*texts: str, end: Answer) -> str:
    stream = TextStream(address)
    pieces = [stream.piece(replace(GROWING, text=text)) for text in texts]
    return "".join([*pieces, stream.piece(end)])


def done(text: str, **changes: object) -> Answer:
    sentences = tuple(Sentence(line, (1,), Verdict.SUPPORTED, 0.9) for line in text.splitlines())
    answer = replace(GROWING, text=text, sentences=sentences, done=True)
    return replace(answer, **changes)  # type: ignore[arg-type]


def test_only_whole_sentences_are_sent_before_the_end() -> None:
    stream = TextStream(address)
    assert stream.piece(replace(GROWING, text="Bees dance [1]")) == ""
    assert stream.piece(replace(GROWING, text="Bees dance [1]. The cost is $a")) == f"Bees dance {LINK}."
    assert stream.piece(replace(GROWING, text="Bees dance [1]. The cost is $a + b$.")) == ""


def test_a_text_that_stands_is_sent_once() -> None:
    end = done("Bees dance [1]. They like it [1].")
    text = streamed("Bees dance [1]. They", "Bees dance [1]. They like it [1].", end=end)
    assert text == cited_markdown(end, address).text == f"Bees dance {LINK}. They like it {LINK}."


def test_citations_that_verification_adds_come_as_a_line_of_sources() -> None:
    text = streamed("Bees dance. They", "Bees dance. They like it.", end=done("Bees dance [1]. They like it [1]."))
    assert text == f"Bees dance. They like it {LINK}.\n\nSources: {LINK}"
    whole = streamed("Bees dance. They like it. So", end=done("Bees dance [1]. They like it [1]."))
    assert whole == f"Bees dance. They like it.\n\nSources: {LINK}"


def test_a_text_that_is_replaced_is_said_to_be_withdrawn() -> None:
    withdrawn = Withdrawn("Bees sing. They do.", "no abstract supports it", failed=False)
    text = streamed("Bees sing. They do.", end=done("Bees dance [1].", withdrawn=withdrawn))
    before, _, after = text.partition("withdrawn")
    assert before.startswith("Bees sing.")
    assert f"Bees dance {LINK}." in after


def test_a_text_that_was_never_sent_is_not_withdrawn() -> None:
    withdrawn = Withdrawn("Bees sing", "no abstract supports it", failed=False)
    text = streamed("Bees sing", end=done("Bees dance [1].", withdrawn=withdrawn))
    assert text.startswith(f"Bees dance {LINK}.")


def test_the_places_of_the_citations_are_those_in_the_text_that_was_sent() -> None:
    stream, end = TextStream(address), done("Bees dance [1].")
    text = stream.piece(replace(GROWING, text="Bees sing. They do.")) + stream.piece(end)
    whole = stream.whole(end)
    assert whole.text == text
    assert [text[citation.start : citation.end] for citation in whole.citations] == [LINK]
