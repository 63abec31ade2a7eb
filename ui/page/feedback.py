"""What should have answered a question: the papers and sentences that a person names beside an answer that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from assistant.errors import InputError
from assistant.schema import Filters, Paper, Selection
from assistant.storage.catalog import Catalog
from assistant.storage.conversation_schema import Feedback
from assistant.text.latex import to_text
from assistant.text.matching import contains_phrase
from assistant.text.printable import one_line
from assistant.text.sentences import passages
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.page.turns import button, line

_MOST_OFFERED = 5
_LONGEST = 2000
_SHORTENED = 60


def meant(catalog: Catalog, text: str) -> tuple[Paper, tuple[str, ...]]:
    """The paper that somebody names, and which of its sentences, if they were what was typed.

    It is named by words in a row of its title, or of its abstract, or by its id. Raises InputError where no paper or
    more than one is meant.
    """
    words = " ".join(text[:_LONGEST].split())
    if not words:
        raise InputError("paper", "type some words in a row of its title, or a sentence of its abstract")
    found = catalog.papers.get([words]) or _matching(catalog, Filters(titles=(words,)))
    found = found or _matching(catalog, Filters(phrases=(words,)))
    if not found:
        raise InputError("paper", f"none of the library has “{_short(words)}” in its title or abstract")
    same = [paper for paper in found if paper.title and one_line(paper.title).casefold() == words.casefold()]
    if len(same or found) > 1:
        names = "; ".join(_short(to_text(display_title(paper))) for paper in found[:_MOST_OFFERED])
        raise InputError("paper", f"several have “{_short(words)}”: {names}. Type more of the title")
    paper = (same or found)[0]
    return paper, tuple(each.text for each in passages(paper.abstract) if _is_said(words, each.text))


def named(given: Feedback, paper: Paper, sentences: tuple[str, ...]) -> Feedback:
    """The judgement with one more paper that answers."""
    papers = dict.fromkeys((*(given.papers or ()), paper.id))
    said = dict.fromkeys((*given.passages, *sentences))
    return replace(given, papers=tuple(papers), passages=tuple(said))


def unnamed(given: Feedback, paper: Paper | None, paper_id: str) -> Feedback:
    """The judgement without one of the papers, and without its sentences."""
    left = tuple(each for each in given.papers or () if each != paper_id)
    abstract = paper.abstract if paper else ""
    kept = tuple(each for each in given.passages if each not in abstract) if left else ()
    return replace(given, papers=left or None, passages=kept)


def naming_html(turn_id: int, given: Feedback, titles: Mapping[str, str]) -> str:
    """What was named so far, and where more can be."""
    chips = "".join(_chip(turn_id, each, titles.get(each, each)) for each in given.papers or ())
    if given.papers == ():
        chips = f'<span class="chip">No paper of the library{_end(turn_id, "", "no paper")}</span>'
    sentences = f" ({counted(len(given.passages), 'sentence')})" if given.passages else ""
    nothing = "" if given.papers else button("nothing", turn_id, "No paper does", "The library has no answer to this")
    # The page's script puts a field into the span: the sanitiser takes out those that come from here.
    return (
        f'<div class="naming"><p>What answers it? {chips}{sentences}</p><span class="meant"></span>'
        f"{button('name', turn_id, 'Add')}{nothing}</div>"
    )


def _matching(catalog: Catalog, filters: Filters) -> list[Paper]:
    return list(catalog.papers.page(Selection(filters), limit=_MOST_OFFERED + 1).papers)


def _is_said(words: str, sentence: str) -> bool:
    """Whether the words are a part of the sentence, or go on beyond it."""
    return contains_phrase(sentence, words) or contains_phrase(words, sentence)


def _chip(turn_id: int, paper_id: str, title: str) -> str:
    return f'<span class="chip"><span class="short">{line(title)}</span>{_end(turn_id, paper_id, title)}</span>'


def _end(turn_id: int, paper_id: str, title: str) -> str:
    return button("unname", f"{turn_id}:{paper_id}", "×", "Take this back", f"for {_short(title)}")


def _short(text: str) -> str:
    return text if len(text) <= _SHORTENED else f"{text[:_SHORTENED]} ..."
