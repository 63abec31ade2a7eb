"""Render the papers behind the answers: a card for each cited paper first, then the other hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from assistant.question.filters import format_filters
from assistant.schema import Annotation, Citation, Filters, Hit, Paper, Passage, Scope, Turn
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.page import render
from ui.page.collection_menu import annotation_html
from ui.page.paper_table import unlisted_citations
from ui.page.turns import button, line_html

_EMPTY = "The abstracts behind an answer appear here, with the sentences that it rests on highlighted."
_SCORES = {"dense": "meaning", "lexical": "words", "rerank": "second look"}

AnnotationsById = Mapping[str, Annotation]
NO_ANNOTATIONS: AnnotationsById = MappingProxyType({})
NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Look:
    """What the cards of papers depend on besides the papers."""

    scope: Scope
    annotations: AnnotationsById


def evidence_html(turns: Sequence[Turn], scope: Scope, annotations: AnnotationsById = NO_ANNOTATIONS) -> str:
    """Return the newest answer's papers in full, then the cited papers of the answers before it.

    `annotations` has what persons have added to papers, by id.
    """
    look = _Look(scope, annotations)
    sections = [_section(number, turn, look, number == len(turns)) for number, turn in enumerate(turns, start=1)]
    shown = "".join(reversed(sections))
    return f'<div class="sources">{shown}</div>' if shown else f'<div class="sources empty"><p>{_EMPTY}</p></div>'


def similar_html(paper: Paper, similar: Sequence[Paper], scope: Scope) -> str:
    """Return the cards of the papers that are most similar to one."""
    look = _Look(scope, NO_ANNOTATIONS)
    cards = "".join(_card(match, (), "similar", look) for match in similar) or "<p>There are no similar papers.</p>"
    title = render.typeset_html(display_title(paper))
    return f'<section class="like"><h2>Papers like “{title}”</h2>{cards}</section>'


def scope_html(scope: Scope, titles: Mapping[str, str], topics: Mapping[str, str] = NO_LABELS) -> str:
    """Return what questions are restricted to, each with a button that releases it; empty without any.

    `titles` are those of papers, `topics` the labels of topics, by id.
    """
    if not scope:
        return ""
    sets = "".join(map(_collection_chip, scope.collections))
    sets += "".join(_topic_chip(topic_id, topics.get(topic_id, topic_id)) for topic_id in scope.topics)
    sets += _years_chip(scope)
    pinned = "".join(_scope_chip(paper_id, titles) for paper_id in scope.pinned)
    excluded = "".join(_scope_chip(paper_id, titles) for paper_id in scope.excluded)
    lists = f"<span>Looking only at</span>{sets}{pinned}" if sets or pinned else ""
    lists += f"<span>Leaving out</span>{excluded}" if excluded else ""
    return f'<div class="looking">{lists}{button("everything", "", "Look at all papers")}</div>'


def _scope_chip(paper_id: str, titles: Mapping[str, str]) -> str:
    title = titles.get(paper_id, paper_id)
    release = button("free", paper_id, "×", "End this", f"for {title}")
    return f'<span class="chip"><span class="short">{line_html(title)}</span>{release}</span>'


def _collection_chip(name: str) -> str:
    release = button("outside", name, "×", "Look at all papers again", f"for the collection {name}")
    return f'<span class="chip"><span class="short">Collection {line_html(name)}</span>{release}</span>'


def _topic_chip(topic_id: str, label: str) -> str:
    release = button("offtopic", topic_id, "×", "Look at all papers again", f"for the topic {label}")
    return f'<span class="chip"><span class="short">Topic {line_html(to_text(label))}</span>{release}</span>'


def _years_chip(scope: Scope) -> str:
    years = format_filters(Filters(since=scope.since, until=scope.until))
    release = button("allyears", "", "×", "Look at all years again", f"for {years}")
    return f'<span class="chip">{line_html(years)}{release}</span>' if years else ""


def _section(number: int, turn: Turn, look: _Look, is_newest: bool) -> str:
    answer = turn.answer
    hits = {hit.paper.id: hit for hit in answer.hits}
    cards = "".join(_cited_card(number, citation, hits, look) for citation in answer.citations)
    unlisted = list(unlisted_citations(answer, number))
    cards += "".join(_card(paper, passages, anchor, look, is_target=True) for anchor, paper, passages in unlisted)
    shown = {citation.paper.id for citation in answer.citations} | {paper.id for _, paper, _ in unlisted}
    uncited = [hit for hit in answer.hits if hit.paper.id not in shown] if is_newest else []
    if not cards and not uncited:
        return ""
    question = render.typeset_html(turn.question)
    return f'<section><h2 class="about-question">{question}</h2>{cards}{_uncited_cards(uncited, look)}</section>'


def _uncited_cards(hits: Sequence[Hit], look: _Look) -> str:
    if not hits:
        return ""
    cards = "".join(_card(hit.paper, hit.passages, f"hit-{hit.rank}", look, hit=hit) for hit in hits)
    return f'<p class="also">Also found ({counted(len(hits), "paper")})</p>{cards}'


def _cited_card(number: int, citation: Citation, hits: dict[str, Hit], look: _Look) -> str:
    anchor, paper = render.anchor(number, citation.number), citation.paper
    number_text = f"[{citation.number}] "
    return _card(paper, citation.passages, anchor, look, number_text, hits.get(paper.id), is_target=True)


def _card(
    paper: Paper,
    passages: Sequence[Passage],
    anchor: str,
    look: _Look,
    number: str = "",
    hit: Hit | None = None,
    *,
    is_target: bool = False,
) -> str:
    element_id = f' id="{anchor}"' if is_target else ""
    prefix = f'<span class="number">{number}</span>' if number else ""
    abstract = render.abstract_html(paper, passages, anchor, render.typeset_html)
    below = annotation_html(look.annotations.get(paper.id, Annotation())) + _scores(hit) + _buttons(paper, look.scope)
    return (
        f'<article class="card"{element_id} tabindex="-1"><h3>{prefix}{_title(paper)}</h3>'
        f"{render.about_html(paper, render.typeset_html)}{render.zotero_html(paper)}{abstract}{below}</article>"
    )


def _title(paper: Paper) -> str:
    url, title = paper_url(paper), render.typeset_html(display_title(paper))
    if not url:
        return title
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{title}</a>'


def _scores(hit: Hit | None) -> str:
    if not hit or not hit.scores:
        return ""
    parts = [f"{_SCORES.get(name, name)} {score:.2f}" for name, score in hit.scores.items()]
    return (
        f'<details class="scores"><summary>Score {hit.score:.2f}</summary>'
        f"<p>Rank {hit.rank}: {escape(', '.join(parts))}</p></details>"
    )


def _buttons(paper: Paper, scope: Scope) -> str:
    title = to_text(display_title(paper))[:60]
    pinned, excluded = paper.id in scope.pinned, paper.id in scope.excluded
    buttons = (
        button("pin", paper.id, "Pinned ✓" if pinned else "Pin", "Look at pinned papers only", title),
        button("exclude", paper.id, "Left out ✓" if excluded else "Exclude", "Leave this paper out", title),
        button("only", paper.id, "Only this paper", "Ask the next questions about this paper only", title),
        button("similar", paper.id, "Find similar", "Show similar papers of the library", title),
        button("cite", paper.id, "Cite", "Copy its BibTeX entry", title),
    )
    return f'<div class="actions">{"".join(buttons)}</div>'
