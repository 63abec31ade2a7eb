from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Strength, Turn, Verdict
from assistant.text.sentences import passages
from tests.conftest import ROOT
from ui.page import answers, render

# Every element that the page is made of, with the attributes that it may have.
OURS = {
    "div": {"class"},
    "section": {"class"},
    "details": {"class"},
    "summary": set(),
    "blockquote": set(),
    "strong": set(),
    "table": {"role"},
    "thead": set(),
    "tbody": set(),
    "tr": {"role", "class"},
    "th": {"role", "scope"},
    "td": {"role", "title"},
    "article": {"class", "id", "tabindex"},
    "h3": {"class"},
    "h4": {"class"},
    "p": {"class"},
    "span": {"class", "title"},
    "a": {"class", "href", "title", "aria-label"},
    "mark": {"id"},
    "ul": set(),
    "li": set(),
    "br": set(),
}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</p></div><iframe src=javascript:alert(1)>",
    "<!-- <b> -->",
    "&lt;script&gt;&#60;b&#62;",
    "[click](javascript:alert(1))",
    "![x](http://huface.online/x)",
    "http://huface.online/x",
    "<http://huface.online/x>",
    "[1](http://huface.online/x)",
    "[1]: http://huface.online/x",
    "a\n\n<b>bold</b>\n\n# heading\n\n- [x](javascript:alert(1))",
    "$<img src=x onerror=alert(1)>$",
    "$a$<b onclick=alert(1)>$b$",
    "<scr\x00ipt>\x1b[31m</scr\x00ipt>",
    "[9999999]",
]


class Page(HTMLParser):
    """What a browser would make of some HTML: elements, text, links, marked stretches."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.marked, self.open = "", [""], [""]
        self.other: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.handle_data("\n")
        elif tag != "input":
            self.open.append(tag)
        if tag == "mark":
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self.open:
            self.marked[-1] += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    @property
    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]

    def having(self, kind: str) -> list[str]:
        """The elements of a class."""
        return [tag for tag, attributes in self.tags if attributes.get("class") == kind]


def safe(html: str) -> Page:
    """The page, which has been seen to hold nothing but our own elements, attributes and links."""
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag in OURS
        assert set(attributes) <= OURS[tag]
    assert all(re.fullmatch(r"#(source-\d+-\d+(-\d+)?|paper-\d+-\d+)", link or "") for link in page.links)
    assert page.open == [""]
    assert page.other == []
    assert "\n" not in html  # behind an empty line a chat message would be read as Markdown again
    return page


def paper(text: str, abstract: str | None = None) -> Paper:
    return Paper("id", abstract or text, text, (text, text), 2020, text, text, text, text, (text,))


def answer(text: str, *, strength: Strength = Strength.FIRM, sentences: tuple[Sentence, ...] = ()) -> Answer:
    """An answer in which every text is this one."""
    cited = Citation(1, paper(text), (Passage(text[:5], 0, len(text[:5])),))
    return Answer(text, text, strength, 0.5, text, text, (cited,), sentences, nearest=(paper(text),))


def sentence(text: str, *numbers: int, verdict: Verdict = Verdict.SUPPORTED) -> Sentence:
    return Sentence(text, numbers, verdict, 1.0)


def turn(text: str, *citations: Citation) -> Turn:
    return Turn(text, Answer(text, text, Strength.FIRM, 0.5, text, citations=citations))


ABSTRACT = "Honey bees dance. They show the way to flowers. Old bees dance longer."
FIRST, SECOND, THIRD = passages(ABSTRACT)


def cards(*cited: Passage, abstract: str = ABSTRACT) -> Page:
    return safe(answers.sources_html(turn("Do bees dance?", Citation(1, Paper("bees", abstract), cited)).answer, 1))


# --- what others wrote stays text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_question_or_error_stays_text(text: str) -> None:
    assert safe(render.plain_html(text)).links == []
    assert safe(render.error_html(text)).links == []


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("strength", list(Strength))
def test_a_hostile_answer_stays_text(text: str, strength: Strength) -> None:
    for sentences in ((), tuple(sentence(text, 1, verdict=verdict) for verdict in Verdict)):
        safe(answers.answer_html(answer(text, strength=strength, sentences=sentences), 1))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_paper_stays_text(text: str) -> None:
    page = safe(answers.sources_html(answer(text), 1))
    assert page.links == []
    untitled = Citation(1, Paper("id", f"{text} {text * 20}"), ())
    assert safe(answers.sources_html(turn(text, untitled).answer, 1)).links == []


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable() and "$" not in text])
def test_hostile_text_is_shown_as_it_was_written(text: str) -> None:
    assert safe(render.plain_html(text)).text == text


# --- mathematics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("with $k=5$ clusters", r"with \(k=5\) clusters"),
        ("$O(n^2)$, then $x$.", r"\(O(n^2)\), then \(x\)."),
        ("where $a<b$", r"where \(a&lt;b\)"),
        ("it costs $5 and $10", "it costs $5 and $10"),
        ("it costs $5", "it costs $5"),
        ("$5-$10", "$5-$10"),
        ("from 5$ to 10$ a day", "from 5$ to 10$ a day"),
        (r"it costs \$5 or \$6", "it costs $5 or $6"),
        (r"with $20\%$ of $4$K and \method", "with 20% of 4K and method"),
        (r"run $\foo{x}$ & $\method$", "run foo x &amp; method"),
        ("$$ and $ k $", "$$ and $ k $"),
    ],
)
def test_mathematics_is_marked_and_money_is_not(text: str, html: str) -> None:
    assert render.typeset_html(text) == html


def test_mathematics_ends_with_its_line() -> None:
    assert render.typeset_html("it costs $5\nor in francs 6$ a day") == "it costs $5<br>or in francs 6$ a day"


# --- answers ---------------------------------------------------------------------------------------------------------


def test_every_sentence_carries_links_to_its_sources() -> None:
    shown = answer("x", sentences=(sentence("Bees dance.", 2, 1), sentence("So it is.", verdict=Verdict.UNCITED)))
    page = safe(answers.answer_html(shown, 3))
    assert page.links == ["#source-3-2", "#source-3-1-1"]
    assert "Bees dance. [2][1]" in page.text
    assert "So it is." in page.text


def test_a_marker_in_place_of_a_noun_is_the_link_itself() -> None:
    text = "As [1] shows, bees dance."
    written = answer("Bees.", sentences=(sentence(text, 1),))
    streaming = replace(written, text=text, sentences=(), done=False)
    for shown in (written, streaming):
        page = safe(answers.answer_html(shown, 1))
        assert text in page.text
        assert page.text.count("[1]") == len(page.links) == 1


def test_the_links_of_an_answer_lead_to_the_cards_of_its_turn() -> None:
    cited = [Citation(number, Paper(f"paper-{number}", ABSTRACT), ()) for number in (1, 2)]
    shown = replace(answer("x", sentences=(sentence("Bees dance.", 1, 2),)), citations=tuple(cited))
    for number in (1, 2):
        page = safe(answers.sources_html(shown, number))
        ids = [attributes["id"] for tag, attributes in page.tags if tag == "article"]
        assert ids == [f"source-{number}-1", f"source-{number}-2"]
        assert [f"#{name}" for name in ids] == safe(answers.answer_html(shown, number)).links


def test_a_link_leads_to_the_passage_that_is_most_like_its_sentence_and_shows_it() -> None:
    cited = Citation(1, Paper("bees", ABSTRACT), (FIRST, SECOND, THIRD))
    said = (sentence("The old bees dance longer.", 1), sentence("Flowers: they show the way.", 1))
    shown = replace(answer("x", sentences=said), citations=(cited,))
    page = safe(answers.answer_html(shown, 2))
    assert page.links == ["#source-2-1-3", "#source-2-1-2"]
    assert [attributes.get("title") for tag, attributes in page.tags if tag == "a"] == [THIRD.text, SECOND.text]
    marks = {attributes.get("id") for tag, attributes in safe(answers.sources_html(shown, 2)).tags if tag == "mark"}
    assert marks == {"source-2-1-1", "source-2-1-2", "source-2-1-3"}


def test_a_sentence_that_its_sources_do_not_support_is_shown_and_marked() -> None:
    sentences = tuple(sentence(f"This is {verdict}.", 1, verdict=verdict) for verdict in Verdict)
    page = safe(answers.answer_html(answer("x", sentences=sentences), 1))
    assert [len(page.having(str(verdict))) for verdict in Verdict] == [1] * len(Verdict)
    hints = {attributes["class"]: attributes.get("title") for tag, attributes in page.tags if tag == "span"}
    assert {verdict for verdict in Verdict if hints[verdict]} == {verdict for verdict in Verdict if verdict.is_doubtful}
    assert all(each.text in page.text for each in sentences)


def test_a_contradicted_sentence_says_so_in_words_that_need_no_pointer_and_no_colour() -> None:
    denied, doubted = (
        safe(answers.answer_html(answer("x", sentences=(sentence("Bees sleep.", 1, verdict=verdict),)), 1))
        for verdict in (Verdict.CONTRADICTED, Verdict.UNSUPPORTED)
    )
    assert "The cited passage says otherwise." in denied.text
    assert "The cited passage says otherwise." not in doubted.text


@pytest.mark.parametrize("style", ["page/page.css", "export/transcript.css"])
def test_a_contradicted_sentence_is_drawn_otherwise_than_one_that_is_merely_unsupported(style: str) -> None:
    rules = dict(re.findall(r"([^{}\n]*)\{([^}]*)\}", (ROOT / "ui" / style).read_text(encoding="utf-8")))
    decorations = {
        verdict: next(body for selector, body in rules.items() if f".{verdict}" in selector)
        for verdict in (Verdict.CONTRADICTED, Verdict.UNSUPPORTED)
    }
    assert "wavy" in decorations[Verdict.CONTRADICTED]
    assert "dotted" in decorations[Verdict.UNSUPPORTED]


def test_a_text_still_being_written_stands_as_it_will_when_it_is_checked() -> None:
    page = safe(
        answers.answer_html(
            Answer(
                "q",
                "q",
                Strength.FIRM,
                0.9,
                "Bees [1].\nIce [2] and",
                done=False,
                citations=(Citation(1, paper("a"), ()), Citation(2, paper("b"), ())),
            ),
            4,
        )
    )
    assert page.links == ["#source-4-1", "#source-4-2"]
    assert page.text == "Bees. [1]Ice and [2]"
    assert [tag for tag, _ in page.tags if tag == "p"] == ["p", "p"]


@pytest.mark.parametrize("number", ["7", "12345", "9" * 6000])
def test_a_number_that_stands_for_no_citation_is_not_shown(number: str) -> None:
    page = safe(answers.answer_html(Answer("q", "q", Strength.FIRM, 0.9, f"Bees [{number}]", done=False), 1))
    assert (page.links, page.text.strip()) == ([], "Bees")


def test_an_answer_in_doubt_opens_with_its_reason() -> None:
    shown = Answer("q", "q", Strength.TENTATIVE, 0.4, "x", "these are the nearest", sentences=(sentence("Bees.", 1),))
    page = safe(answers.answer_html(shown, 1))
    assert page.having("note") == ["p"]
    assert page.text.startswith("Partial answer: these are the nearest.Bees.")


def test_an_abstention_shows_its_text_and_the_nearest_papers() -> None:
    nearest = (Paper("a", ABSTRACT, "On bees"), Paper("b", ABSTRACT))
    page = safe(answers.answer_html(Answer("q", "q", Strength.NONE, 0.1, "No answer here.", "why", nearest=nearest), 1))
    assert page.having("abstention") == ["div"]
    assert page.text == f"No answer here.The nearest papers are:On bees{ABSTRACT}"
    alone = safe(answers.answer_html(Answer("q", "q", Strength.NONE, 0.1, "No answer here.", "why"), 1))
    assert alone.text == "No answer here."


# --- cards -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cited", [(), (FIRST,), (THIRD,), (FIRST, THIRD), (THIRD, FIRST), (SECOND, SECOND)])
def test_the_cited_sentences_are_marked_in_the_whole_abstract(cited: tuple[Passage, ...]) -> None:
    page = cards(*cited)
    marked = [text for text in page.marked if text]
    assert marked == [each.text for each in sorted(set(cited), key=lambda each: each.start)]
    assert page.text.endswith(ABSTRACT)


def test_passages_that_overlap_are_marked_without_repeating_a_word() -> None:
    page = cards(Passage(ABSTRACT[:30], 0, 30), Passage(ABSTRACT[10:20], 10, 20), Passage(ABSTRACT[25:40], 25, 40))
    assert "".join(page.marked) == ABSTRACT[:40]
    assert page.text.endswith(ABSTRACT)


def test_marks_fall_on_the_right_characters_of_an_abstract_that_needs_escaping() -> None:
    abstract = 'If a<b & "c">d, then $x$. The <b>bees</b> dance & fly. The end.'
    _, second, _ = passages(abstract)
    page = cards(second, abstract=abstract)
    assert [text for text in page.marked if text] == ["The <b>bees</b> dance & fly."]
    assert page.text.endswith(abstract.replace("$x$", "x"))


def test_a_card_shows_what_is_known_of_its_paper() -> None:
    known = Paper("bees", ABSTRACT, "On bees", ("K. Frisch", "M. Lindauer"), 1967, "Nature")
    page = safe(answers.sources_html(turn("Do bees dance?", Citation(2, known, (FIRST,))).answer, 1))
    assert page.text == f"[2] On beesK. Frisch, M. Lindauer1967 · Nature{ABSTRACT}"


def test_an_answer_says_what_was_searched_for_where_it_is_not_what_was_typed() -> None:
    plain = Answer("bees", "bees", Strength.NONE, 0.0, "No.")
    leaning = replace(plain, question="why <b>?", standalone="bees why <b>?")
    assert "Searched for" not in answers.answer_html(plain, 1)
    for strength in Strength:
        shown = answers.answer_html(replace(leaning, strength=strength), 1)
        assert '<p class="note">Searched for: bees why &lt;b&gt;?</p>' in shown
