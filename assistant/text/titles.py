"""How a paper and its authors are called where they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.schema import Paper

# Characters of an abstract that stand for a missing title.
_MAX_OPENING = 100


def display_title(paper: Paper) -> str:
    """Return the title of a paper, or the first words of its abstract where it has none."""
    if paper.title or len(paper.abstract) <= _MAX_OPENING:
        return paper.title or paper.abstract
    return f"{paper.abstract[:_MAX_OPENING].rsplit(' ', 1)[0]} ..."


def short_authors(authors: Sequence[str]) -> str:
    """Return the authors as in a citation: one or two by name, of more the first and "et al."."""
    return f"{authors[0]} et al." if len(authors) > 2 else " and ".join(authors)
