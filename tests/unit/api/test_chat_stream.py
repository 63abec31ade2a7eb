"""The text of a stream only grows, and says what the whole answer says."""

from __future__ import annotations

from dataclasses import replace

from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Strength, Verdict, Withdrawn
from ui.api.chat_stream import TextStream
from ui.api.cited_markdown import cited_markdown

BEES = Paper("a", "Bees dance.", "On bees", doi="10.1/bees")
HERE = Paper("b", "Bees dance. They like it.", "On bees")
PASSAGES = (Passage("Bees dance.", 0, 11), Passage("They like it.", 12, 25))
GROWING = Answer("q", "q", Strength.FIRM, 0.9, "", citations=(Citation(1, BEES, ()),), done=False)
LINK = "[\\[1\\]](<https://doi.org/10.1/bees>)"


def page(paper: Paper, passage: Passage | None) -> str:
    return f"http://here/{paper.id}{f'?start={passage.start}' if passage else ''}"


def streamed(*texts: str, end: Answer) -> str:
    stream = TextStream(page)
    pieces = [stream.piece(replace(GROWING, text=text)) for text in texts]
    return "".join([*pieces, stream.piece(end)])


def done(text: str, **changes: object) -> Answer:
    sentences = tuple(Sentence(line, (1,), Verdict.SUPPORTED, 0.9) for line in text.splitlines())
    answer = replace(GROWING, text=text, sentences=sentences, done=True)
    return replace(answer, **changes)  # type: ignore[arg-type]


def test_only_whole_sentences_are_sent_before_the_end() -> None:
    stream = TextStream(page)
    assert stream.piece(replace(GROWING, text="Bees dance [1]")) == ""
    assert stream.piece(replace(GROWING, text="Bees dance [1]. The cost is $a")) == f"Bees dance {LINK}."
    assert stream.piece(replace(GROWING, text="Bees dance [1]. The cost is $a + b$.")) == ""


def test_a_text_that_stands_is_sent_once() -> None:
    end = done("Bees dance [1]. They like it [1].")
    text = streamed("Bees dance [1]. They", "Bees dance [1]. They like it [1].", end=end)
    assert text == cited_markdown(end, page).text == f"Bees dance {LINK}. They like it {LINK}."


def test_citations_that_verification_adds_come_as_a_line_of_sources() -> None:
    text = streamed("Bees dance. They", "Bees dance. They like it.", end=done("Bees dance [1]. They like it [1]."))
    assert text == f"Bees dance. They like it {LINK}.\n\nSources: {LINK}"
    whole = streamed("Bees dance. They like it. So", end=done("Bees dance [1]. They like it [1]."))
    assert whole == f"Bees dance. They like it.\n\nSources: {LINK}"


def test_each_citation_leads_to_the_sentence_that_it_is_about() -> None:
    end = done("Bees dance [1]. They like it [1].", citations=(Citation(1, BEES, PASSAGES),))
    first, second = (f"{LINK}[¶](<http://here/a?start={passage.start}>)" for passage in PASSAGES)
    written = cited_markdown(end, page)
    assert written.text == f"Bees dance {first}. They like it {second}."
    assert [citation.url.partition("?")[0] for citation in written.citations] == [
        "https://doi.org/10.1/bees",
        "http://here/a",
    ] * 2
    assert {citation.title for citation in written.citations} == {"On bees"}


def test_a_paper_that_is_not_on_the_web_has_only_the_link_to_the_sentence() -> None:
    end = done("They like it [1].", citations=(Citation(1, HERE, PASSAGES),))
    written = cited_markdown(end, page)
    assert written.text == "They like it [\\[1\\]](<http://here/b?start=12>)."
    assert [citation.url for citation in written.citations] == ["http://here/b?start=12"]


def test_a_stream_has_the_links_to_the_sentences_when_the_answer_is_complete() -> None:
    end = done("Bees dance [1]. They like it [1].", citations=(Citation(1, BEES, PASSAGES),))
    text = streamed("Bees dance [1]. They like it. So", end=end)
    assert text.startswith(f"Bees dance {LINK}. They like it.")
    assert text.endswith(f"\n\nSources: {LINK}[¶](<http://here/a?start=0>)")


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
    stream, end = TextStream(page), done("Bees dance [1].")
    text = stream.piece(replace(GROWING, text="Bees sing. They do.")) + stream.piece(end)
    whole = stream.whole(end)
    assert whole.text == text
    assert [text[citation.start : citation.end] for citation in whole.citations] == [LINK]
