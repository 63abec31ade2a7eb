"""Values to plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.filters import written
from assistant.schema import Answer, Citation, Filters, Hit, Paper, Scope, SearchResult, Strength, Verification

_WIDEST_TITLE = 100


def answer_text(answer: Answer) -> str:
    """The answer with its references, or the abstention with the nearest papers."""
    parts = _note(answer.question, answer.standalone, answer.filters, answer.scope)
    parts += [f"({answer.reason})"] if answer.strength is Strength.TENTATIVE else []
    parts.append(answer.text)
    if answer.citations:
        parts.append("\n".join(map(_reference, answer.citations)))
    if answer.nearest:
        parts.append("\n".join(["Nearest papers:", *(f"    {paper_line(paper)}" for paper in answer.nearest)]))
    return printable("\n\n".join(parts))


def search_text(result: SearchResult) -> str:
    """Each hit with its passages."""
    query = result.query
    note = _note(query.text, query.standalone, query.filters, query.scope)
    return printable("\n\n".join([*note, *(map(_hit, result.hits) if result.hits else ["Nothing found."])]))


def searched(typed: str, standalone: str, filters: Filters, scope: Scope) -> str:
    """What was searched for and among which papers, where it is not simply what was typed; else empty."""
    among = [f"papers with {written(filters)}"] if filters else []
    among += [f"only {', '.join(scope.pinned)}"] if scope.pinned else []
    among += [f"not {', '.join(scope.excluded)}"] if scope.excluded else []
    if standalone == typed and not among:
        return ""
    return f"Searched for: {standalone or 'anything'}" + (f" [{'; '.join(among)}]" if among else "")


def _note(typed: str, standalone: str, filters: Filters, scope: Scope) -> list[str]:
    text = searched(typed, standalone, filters, scope)
    return [text] if text else []


def verification_text(verification: Verification) -> str:
    """The verdict with its reason, and the passage."""
    lines = [f"{verification.verdict} ({verification.support:.2f}): {verification.reason}"]
    if verification.passage:
        lines += [f"    {verification.paper_id}  {verification.passage.text}"]
    return printable("\n".join(lines))


def paper_text(paper: Paper) -> str:
    """Everything known of a paper."""
    fields = [
        ("id", paper.id),
        ("title", paper.title or heading(paper)),
        ("authors", ", ".join(paper.authors)),
        ("year", paper.year),
        ("venue", paper.venue),
        ("doi", paper.doi),
        ("arXiv", paper.arxiv_id),
        ("url", paper.url),
        ("sources", ", ".join(paper.sources)),
    ]
    return printable("\n".join([*(f"{name:8}{value}" for name, value in fields if value), "", paper.abstract]))


def paper_line(paper: Paper) -> str:
    """A paper in one line: id, title, authors, year."""
    authors = f" - {paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}" if paper.authors else ""
    return printable(f"{paper.id}  {heading(paper)}{authors}{f' ({paper.year})' if paper.year else ''}")


def heading(paper: Paper) -> str:
    """The title, or how the abstract begins."""
    if paper.title:
        return paper.title
    start = paper.abstract[:_WIDEST_TITLE].rsplit(" ", 1)[0]
    return f"{start} ..." if len(paper.abstract) > _WIDEST_TITLE else paper.abstract


def printable(text: str) -> str:
    """The text without characters that could command a terminal; every white space but a line break is a blank."""
    return "".join(map(_printable, text))


def one_line(text: str) -> str:
    """The text, printable, in one line."""
    return " ".join(printable(text).split())


def _printable(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return " " if character.isspace() else ""


def _reference(citation: Citation) -> str:
    return f"[{citation.number}] {paper_line(citation.paper)}"


def _hit(hit: Hit) -> str:
    return "\n".join([f"{hit.rank:3}. {paper_line(hit.paper)}", *_indented(passage.text for passage in hit.passages)])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"     {line}" for line in lines]
