"""Render what stands on the page before a conversation begins."""

from __future__ import annotations

from collections.abc import Sequence

from ui.cli.terminal import counted
from ui.page.turns import button

_SEARCHING = '<p class="quiet finding">Looking for questions to begin with ...</p>'


def welcome_html(questions: Sequence[str] | None, papers: int, has_seeds: bool = False) -> str:
    """Return example questions, or how to fill the library if it is empty.

    The page's script asks again for questions that are None, because they are still being looked for.
    """
    if not papers:
        seeds = f"<p>{button('seeds', '', 'Begin with the seed papers')}</p>" if has_seeds else ""
        return (
            '<section class="welcome"><h2>The library is empty</h2><p>Add papers in the Library tab: drop a file there '
            "(BibTeX, RIS, PubMed, arXiv, JSON, tables, or abstracts as plain text). Then ask here.</p>"
            f"{seeds}</section>"
        )
    items = "".join(f"<li>{button('ask', question, question)}</li>" for question in questions or ())
    examples = f"<p>Questions to begin with:</p><ul>{items}</ul>" if items else ""
    examples = _SEARCHING if questions is None else examples
    return (
        f'<section class="welcome"><h2>Ask the abstracts of {counted(papers, "paper")}</h2><p>Every statement of an '
        f"answer leads to the sentence behind it. Where the library holds no answer, the reply says so.</p>{examples}"
        "</section>"
    )
