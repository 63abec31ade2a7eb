"""Values to plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from assistant.question.filters import written
from assistant.schema import (
    Answer,
    Citation,
    Filters,
    Hit,
    Paper,
    Record,
    Scope,
    SearchResult,
    Strength,
    Turn,
    Verdict,
    Verification,
)
from assistant.text.latex import to_text
from assistant.text.printable import one_line, printable
from assistant.text.titles import display_title

if TYPE_CHECKING:
    from assistant.replay import Comparison
    from assistant.storage.conversation_schema import Conversation

# What is to be said against a sentence of an answer.
DOUBTS = {
    Verdict.UNSUPPORTED: "The cited passages do not clearly support this sentence.",
    Verdict.UNCITED: "This sentence carries no citation, and no abstract shown clearly says it.",
}
QUOTED_INSTEAD = "Quoted in the place of a sentence that the abstracts do not clearly support."


def answer_text(answer: Answer) -> str:
    """The answer with what is to be said against it and its references, or the abstention with the nearest papers."""
    parts = _note(answer.question, answer.standalone, answer.filters, answer.scope)
    parts += [f"({answer.reason})"] if answer.strength is Strength.TENTATIVE else []
    parts += [f"({note})" for note in notes(answer)]
    parts.append(to_text(answer.text))
    questioned = [f"? {doubt} “{to_text(text)}”" for doubt, text in doubts(answer)]
    parts += ["\n".join(questioned)] if questioned else []
    if answer.citations:
        parts.append("\n".join(map(_reference, answer.citations)))
    if answer.nearest:
        parts.append("\n".join(["Nearest papers:", *(f"    {paper_line(paper)}" for paper in answer.nearest)]))
    return printable("\n\n".join(parts))


def notes(answer: Answer) -> list[str]:
    """What is to be known of how an answer came about, a sentence each without a full stop; mostly nothing."""
    found = [f"{answer.withdrawn.reason}; the abstracts are quoted instead"] if answer.withdrawn else []
    if answer.dropped:
        stood = "stands for none of the papers found and was" if answer.dropped == 1 else "stand for none and were"
        found.append(f"{counted(answer.dropped, 'citation')} of the language model {stood} left out")
    found += ["the language model wrote more than an answer may have; the rest was left out"] if answer.cut else []
    if any(sentence.verdict is Verdict.UNCHECKED for sentence in answer.sentences):
        found.append("the sentences were not checked against the abstracts")
    return found


def doubts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What is to be said against sentences, with each of them as it was written."""
    for sentence in answer.sentences:
        if sentence.replaces is not None:
            yield QUOTED_INSTEAD, sentence.replaces
        elif sentence.verdict in DOUBTS:
            yield DOUBTS[sentence.verdict], sentence.text


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
        lines += [f"    {verification.paper_id}  {to_text(verification.passage.text)}"]
    return printable("\n".join(lines))


def conversation_line(conversation: Conversation) -> str:
    """A conversation in one line: id, day of its last change, number of turns, title."""
    turns = counted(conversation.turns, "turn")
    return one_line(f"{conversation.id}  {conversation.changed[:10]}  {turns}  {conversation.title}")


def turns_text(turns: Iterable[Turn]) -> str:
    """Each question with its answer."""
    return "\n\n".join(f"> {one_line(turn.question)}\n\n{answer_text(turn.answer)}" for turn in turns)


def comparison_text(compared: Comparison) -> str:
    """A question and what changed in its answer."""
    parts = [f"> {one_line(compared.before.question)}"]
    for papers, what in ((compared.gained, "would now be cited"), (compared.lost, "would no longer be cited")):
        if papers:
            parts.append(f"  {counted(len(papers), 'paper')} {what}:")
            parts += [f"    {one_line(paper_line(paper))}" for paper in papers]
    if compared.before.strength is not compared.after.strength:
        why = f": {one_line(compared.after.reason)}" if compared.after.reason else ""
        parts.append(f"  the answer was {compared.before.strength} and would now be {compared.after.strength}{why}")
    return "\n".join(parts if compared.changed else [*parts, "  nothing changed"])


def paper_text(paper: Paper) -> str:
    """Everything known of a paper."""
    fields = [
        ("id", paper.id),
        ("title", to_text(display_title(paper))),
        ("authors", ", ".join(paper.authors)),
        ("year", paper.year),
        ("venue", paper.venue),
        ("doi", paper.doi),
        ("arXiv", paper.arxiv_id),
        ("url", paper.url),
        ("sources", ", ".join(paper.sources)),
    ]
    known = (f"{name:8}{value}" for name, value in fields if value)
    return printable("\n".join([*known, "", to_text(paper.abstract) or "(no abstract)"]))


def record_text(record: Record) -> str:
    """What one source says of a paper."""
    fields = [
        ("source", f"{record.source}:{record.line}" if record.line else record.source),
        ("title", to_text(record.title or "")),
        ("authors", ", ".join(record.authors)),
        ("year", record.year),
        ("venue", record.venue),
        ("doi", record.doi),
        ("arXiv", record.arxiv_id),
        ("abstract", to_text(record.abstract or "")),
    ]
    return printable("\n".join(f"  {name:9}{one_line(str(value))}" for name, value in fields if value))


def paper_line(paper: Paper) -> str:
    """A paper in one line: id, title, authors, year."""
    authors = f" - {paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}" if paper.authors else ""
    year, bare = f" ({paper.year})" if paper.year else "", "" if paper.abstract else " [no abstract]"
    return printable(f"{paper.id}  {to_text(display_title(paper))}{authors}{year}{bare}")


def counted(number: int, noun: str) -> str:
    """`1 paper`, `2 papers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _reference(citation: Citation) -> str:
    return f"[{citation.number}] {paper_line(citation.paper)}"


def _hit(hit: Hit) -> str:
    passages = _indented(to_text(passage.text) for passage in hit.passages)
    return "\n".join([f"{hit.rank:3}. {paper_line(hit.paper)}", *passages])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"     {line}" for line in lines]
