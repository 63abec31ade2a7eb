"""Record what should have answered a question: the papers and sentences that a person names for a wrong answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from ui.page.turns import button, line_html

_MAX_CANDIDATES = 5
_MAX_TEXT_LENGTH = 2000
_MAX_SHORT_LENGTH = 60


def resolve_paper(catalog: Catalog, text: str) -> tuple[Paper, tuple[str, ...]]:
    """Return the paper that a person names, and which of its sentences the text quotes.

    The text is an id, or consecutive words of the title or abstract. Raises InputError if no paper or several match.
    """
    words = " ".join(text[:_MAX_TEXT_LENGTH].split())
    if not words:
        raise InputError("paper", "type consecutive words of its title, or a sentence of its abstract")
    candidates = catalog.papers.get([words]) or _matching(catalog, Filters(titles=(words,)))
    candidates = candidates or _matching(catalog, Filters(phrases=(words,)))
    if not candidates:
        raise InputError("paper", f"no paper of the library has “{_shorten(words)}” in its title or abstract")
    paper = _only_candidate(candidates, words)
    return paper, tuple(sentence.text for sentence in passages(paper.abstract) if _is_quoted(words, sentence.text))


def add_paper(judgement: Feedback, paper: Paper, sentences: Sequence[str]) -> Feedback:
    """Return the judgement with one more paper that answers the question."""
    papers = dict.fromkeys((*(judgement.papers or ()), paper.id))
    quoted = dict.fromkeys((*judgement.passages, *sentences))
    return replace(judgement, papers=tuple(papers), passages=tuple(quoted))


def remove_paper(judgement: Feedback, paper: Paper | None, paper_id: str) -> Feedback:
    """Return the judgement without one of the papers and without its sentences."""
    papers = tuple(other_id for other_id in judgement.papers or () if other_id != paper_id)
    abstract = paper.abstract if paper else ""
    quoted = tuple(sentence for sentence in judgement.passages if sentence not in abstract) if papers else ()
    return replace(judgement, papers=papers or None, passages=quoted)


def form_html(turn_id: int, judgement: Feedback, titles: Mapping[str, str]) -> str:
    """Return the papers named so far, and a form to name more."""
    chips = "".join(_chip(turn_id, paper_id, titles.get(paper_id, paper_id)) for paper_id in judgement.papers or ())
    if judgement.papers == ():
        chips = f'<span class="chip">No paper of the library{_remove_button(turn_id, "", "no paper")}</span>'
    sentences = f" ({counted(len(judgement.passages), 'sentence')})" if judgement.passages else ""
    none = "" if judgement.papers else button("nothing", turn_id, "No paper does", "The library has no answer to this")
    # The page's script puts an input field into the span, because the sanitiser removes those that are sent.
    return (
        f'<div class="naming"><p>What answers it? {chips}{sentences}</p><span class="meant"></span>'
        f"{button('name', turn_id, 'Add')}{none}</div>"
    )


def _matching(catalog: Catalog, filters: Filters) -> list[Paper]:
    return list(catalog.papers.page(Selection(filters), limit=_MAX_CANDIDATES + 1).papers)


def _only_candidate(candidates: Sequence[Paper], words: str) -> Paper:
    """Return the candidate whose whole title was typed, or the only one. Raises InputError for several."""
    titled = [paper for paper in candidates if paper.title and one_line(paper.title).casefold() == words.casefold()]
    [paper, *others] = titled or candidates
    if others:
        names = "; ".join(_shorten(to_text(display_title(candidate))) for candidate in candidates[:_MAX_CANDIDATES])
        raise InputError("paper", f"several papers have “{_shorten(words)}”: {names}. Type more of the title")
    return paper


def _is_quoted(words: str, sentence: str) -> bool:
    """Tell whether the words are a part of the sentence, or contain it."""
    return contains_phrase(sentence, words) or contains_phrase(words, sentence)


def _chip(turn_id: int, paper_id: str, title: str) -> str:
    remove = _remove_button(turn_id, paper_id, title)
    return f'<span class="chip"><span class="short">{line_html(title)}</span>{remove}</span>'


def _remove_button(turn_id: int, paper_id: str, title: str) -> str:
    return button("unname", f"{turn_id}:{paper_id}", "×", "Remove this paper", f"for {_shorten(title)}")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHORT_LENGTH else f"{text[:_MAX_SHORT_LENGTH]} ..."
