"""How a paper is called where it is shown."""

from __future__ import annotations

from assistant.schema import Paper

# Characters of an abstract that stand for a missing title.
_MAX_OPENING = 100


def display_title(paper: Paper) -> str:
    """Return the title of a paper, or the first words of its abstract where it has none."""
    if paper.title or len(paper.abstract) <= _MAX_OPENING:
        return paper.title or paper.abstract
    return f"{paper.abstract[:_MAX_OPENING].rsplit(' ', 1)[0]} ..."
