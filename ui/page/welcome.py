"""Render what stands on the page before a conversation begins."""

from __future__ import annotations

from collections.abc import Sequence

from ui.cli.terminal import counted
from ui.page.turns import button

_SEARCHING = '<p class="quiet finding">Looking for questions to begin with ...</p>'
# How a library gets its first papers: a heading, an explanation, and a control that the page's script knows.
_STEPS = (
    (
        "Drop a file here",
        "Exports of reference managers and databases (BibTeX, RIS, PubMed, arXiv, JSON, tables), or abstracts as text.",
        button("choose", "", "Choose files"),
    ),
    (
        "Add from arXiv",
        "Ids, addresses, a DOI, or words to search for. This asks arxiv.org, or doi.org.",
        f'<div class="naming"><span class="meant names"></span>{button("fetch", "", "Add")}</div>',
    ),
    ("Connect Zotero", "In a terminal, on the machine that has Zotero: <code>paperchat add zotero:</code>", ""),
    (
        "Try the sample library",
        "The abstracts of 278 papers on machine learning, which came with the program; it takes about a minute.",
        button("sample", "", "Add the sample library"),
    ),
)


def welcome_html(questions: Sequence[str] | None, papers: int) -> str:
    """Return example questions, or a guide to the first papers if the library is empty.

    The page's script asks again for questions that are None, because they are still being looked for.
    """
    if not papers:
        return _guide_html()
    items = "".join(f"<li>{button('ask', question, question)}</li>" for question in questions or ())
    examples = f"<p>Questions to begin with:</p><ul>{items}</ul>" if items else ""
    examples = _SEARCHING if questions is None else examples
    return (
        f'<section class="welcome"><h2>Ask the abstracts of {counted(papers, "paper")}</h2><p>Every statement of an '
        f"answer leads to the sentence behind it. Where the library holds no answer, the reply says so.</p>{examples}"
        "</section>"
    )


def _guide_html() -> str:
    steps = "".join(f"<li><h3>{name}</h3><p>{text}</p>{control}</li>" for name, text, control in _STEPS)
    return (
        '<section class="welcome guide"><h2>The library is empty</h2><p>Add papers in one of these ways, then ask '
        f"below.</p><ul>{steps}</ul></section>"
    )
