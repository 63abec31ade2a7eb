"""The papers behind the answers to HTML: a card for each cited paper first, then what else was found."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.schema import Citation, Hit, Paper, Passage, Scope, Turn
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.links import paper_url
from ui.page import render
from ui.page.turns import button, line

_EMPTY = "The abstracts behind an answer appear here, with the sentences that it rests on marked."
_SCORES = {"dense": "meaning", "lexical": "words", "rerank": "second look"}


def evidence_html(turns: Sequence[Turn], scope: Scope) -> str:
    """The newest answer's papers in full, then the cited papers of the answers before it."""
    parts = [_found(number, turn, scope, number == len(turns)) for number, turn in enumerate(turns, start=1)]
    shown = "".join(reversed(parts))
    return f'<div class="sources">{shown}</div>' if shown else f'<div class="sources empty"><p>{_EMPTY}</p></div>'


def similar_html(paper: Paper, others: Sequence[Paper], scope: Scope) -> str:
    """The papers that are most like one."""
    cards = "".join(_card(each, (), "similar", scope) for each in others) or "<p>None was found.</p>"
    return f'<section class="like"><h2>Papers like “{render.typeset_html(display_title(paper))}”</h2>{cards}</section>'


def looking_html(scope: Scope, titles: dict[str, str]) -> str:
    """Which papers alone are looked at, or not looked at, each with a button that ends this."""
    if not scope:
        return ""
    pinned = "".join(_kept(each, titles) for each in scope.pinned)
    excluded = "".join(_kept(each, titles) for each in scope.excluded)
    said = f"<span>Looking only at</span>{pinned}" if pinned else ""
    said += f"<span>Leaving out</span>{excluded}" if excluded else ""
    return f'<div class="looking">{said}{button("everything", "", "Look at all papers")}</div>'


def _kept(paper_id: str, titles: dict[str, str]) -> str:
    title = titles.get(paper_id, paper_id)
    free = button("free", paper_id, "×", "End this", f"for {title}")
    return f'<span class="chip"><span class="short">{line(title)}</span>{free}</span>'


def _found(number: int, turn: Turn, scope: Scope, newest: bool) -> str:
    answer = turn.answer
    hits = {hit.paper.id: hit for hit in answer.hits}
    cards = "".join(_cited(number, each, hits.get(each.paper.id), scope) for each in answer.citations)
    cited = {each.paper.id for each in answer.citations}
    others = [hit for hit in answer.hits if hit.paper.id not in cited] if newest else []
    if not cards and not others:
        return ""
    more = "".join(_card(hit.paper, hit.passages, f"hit-{hit.rank}", scope, hit=hit) for hit in others)
    rest = f'<p class="also">Also found ({counted(len(others), "paper")})</p>{more}' if more else ""
    return f'<section><h2 class="about-question">{render.typeset_html(turn.question)}</h2>{cards}{rest}</section>'


def _cited(number: int, citation: Citation, hit: Hit | None, scope: Scope) -> str:
    anchor = render.anchor(number, citation.number)
    return _card(citation.paper, citation.passages, anchor, scope, f"[{citation.number}] ", hit)


def _card(
    paper: Paper, passages: Sequence[Passage], anchor: str, scope: Scope, number: str = "", hit: Hit | None = None
) -> str:
    name = f' id="{anchor}"' if number else ""
    mark = f'<span class="number">{number}</span>' if number else ""
    abstract = render.abstract_html(paper, passages, anchor, render.typeset_html)
    return (
        f'<article class="card"{name} tabindex="-1"><h3>{mark}{_title(paper)}</h3>'
        f"{render.about_html(paper, render.typeset_html)}{abstract}{_scores(hit)}{_actions(paper, scope)}</article>"
    )


def _title(paper: Paper) -> str:
    address, title = paper_url(paper), render.typeset_html(display_title(paper))
    if not address:
        return title
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{title}</a>'


def _scores(hit: Hit | None) -> str:
    if not hit or not hit.scores:
        return ""
    parts = [f"{_SCORES.get(name, name)} {score:.2f}" for name, score in hit.scores.items()]
    return (
        f'<details class="scores"><summary>Score {hit.score:.2f}</summary>'
        f"<p>Rank {hit.rank}: {escape(', '.join(parts))}</p></details>"
    )


def _actions(paper: Paper, scope: Scope) -> str:
    of_it = to_text(display_title(paper))[:60]
    pinned, excluded = paper.id in scope.pinned, paper.id in scope.excluded
    buttons = (
        button("pin", paper.id, "Pinned ✓" if pinned else "Pin", "Look at pinned papers only", of_it),
        button("exclude", paper.id, "Left out ✓" if excluded else "Exclude", "Leave this paper out", of_it),
        button("only", paper.id, "Only this paper", "Ask the next questions of this paper alone", of_it),
        button("similar", paper.id, "Find similar", "Papers of the library that are like it", of_it),
        button("cite", paper.id, "Cite", "Copy its BibTeX entry", of_it),
    )
    return f'<div class="actions">{"".join(buttons)}</div>'
