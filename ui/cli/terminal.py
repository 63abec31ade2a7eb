"""Values as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.question.catalog_question import CATALOG
from assistant.question.filters import format_filters
from assistant.schema import (
    SINGLE,
    Annotation,
    Answer,
    Citation,
    Cost,
    Hit,
    Notice,
    Paper,
    PaperCollection,
    Query,
    Record,
    SearchResult,
    Strength,
    Turn,
    Verdict,
    Verification,
)
from assistant.tables.wording import is_read
from assistant.text.latex import to_text
from assistant.text.notices import notice_text, state_text
from assistant.text.printable import one_line, printable
from assistant.text.titles import display_title
from ui.cli.paper_table import table_text
from ui.cli.table_text import filled_text

if TYPE_CHECKING:
    from assistant.replay import ReplayComparison
    from assistant.storage.conversation_schema import Conversation

# The warnings shown with sentences of an answer.
DOUBTS = {
    Verdict.CONTRADICTED: "The cited passage says otherwise.",
    Verdict.UNSUPPORTED: "The cited passages do not clearly support this sentence.",
    Verdict.UNCITED: "This sentence carries no citation, and no abstract shown clearly says it.",
}
QUOTED_INSTEAD = "This passage replaces a sentence that the abstracts do not clearly support."


def answer_text(answer: Answer) -> str:
    """Format an answer with its warnings and references, or an abstention with the nearest papers."""
    is_searched = answer.model != CATALOG
    parts = _search_note(answer) if is_searched else []
    parts += [f"({answer.reason})"] if answer.strength is Strength.TENTATIVE and not opens_with_reason(answer) else []
    parts += [f"({note})" for note in notes(answer)]
    parts += [one_line(to_text(answer.opening))] if answer.opening else []
    parts.append("\n".join(_text_lines(answer)))
    if answer.table and answer.table.rows:
        parts.append(filled_text(answer.table) if is_read(answer.table) else table_text(answer.table))
    warnings = [f"{_mark(doubt)} {doubt} “{to_text(text)}”" for doubt, text in doubts(answer)]
    parts += ["\n".join(warnings)] if warnings else []
    if answer.citations:
        parts.append("\n".join(map(_reference, answer.citations)))
    if answer.nearest:
        parts.append("\n".join(["Nearest papers:", *(f"    {paper_line(paper)}" for paper in answer.nearest)]))
    return printable("\n\n".join(parts))


def opens_with_reason(answer: Answer) -> bool:
    """Return whether the opening of an answer says already why it is not firm."""
    return (answer.reason or "").casefold() in answer.opening.casefold()


def headed_lines(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield the lines of an answer's text, each with the heading above it, or an empty one."""
    lines = [line for line in answer.text.splitlines() if line.strip()]
    # A text that is not one line a sentence has no headings.
    is_laid_out = len(lines) == len(answer.sentences)
    headings = {heading.first: heading.text for heading in answer.headings} if is_laid_out else {}
    yield from ((headings.get(position, ""), line) for position, line in enumerate(lines))


def notes(answer: Answer) -> list[str]:
    """Return notes on how an answer was made, usually none; each is a sentence without a full stop."""
    lines = [f"{answer.withdrawn.reason}; the abstracts are quoted instead"] if answer.withdrawn else []
    if answer.dropped:
        ending = "refers to no paper shown and was" if answer.dropped == 1 else "refer to no paper shown and were"
        lines.append(f"{counted(answer.dropped, 'citation')} of the language model {ending} left out")
    if answer.cut:
        lines.append("the reply of the language model exceeded the length limit and was cut")
    if any(sentence.verdict is Verdict.UNCHECKED for sentence in answer.sentences):
        lines.append("the sentences were not checked against the abstracts")
    lines += [f"[{citation.number}] is {notice_text(notice)}" for citation, notice in _announced(answer)]
    return [*lines, *_cost_notes(answer.cost)]


def _announced(answer: Answer) -> Iterator[tuple[Citation, Notice]]:
    """Yield the citations of papers that were retracted, or the like, each with the notice."""
    for citation in answer.citations:
        if citation.paper.notice:
            yield citation, citation.paper.notice


def _cost_notes(cost: Cost | None) -> list[str]:
    """Return notes on what an answer of several calls has cost, and on what went wrong; usually none."""
    if cost is None or cost.strategy == SINGLE:
        return []
    calls = counted(cost.calls, "call")
    tokens = f"{cost.prompt_tokens:,} tokens read and {cost.output_tokens:,} written"
    lines = [f"{cost.strategy}: {calls} of the language model, {tokens}, {cost.seconds:.0f} s"]
    if cost.failed:
        lines.append(f"{cost.failed} of its {calls} failed")
    if cost.limit:
        setting = "strategy_tokens" if cost.limit == "tokens" else "strategy_timeout"
        lines.append(f"its budget of {cost.limit} ({setting}) ran out, and this is the best answer until then")
    return lines


def doubts(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield a warning with the sentence that it is about, as the model wrote it."""
    for sentence in answer.sentences:
        if sentence.replaces is not None:
            yield QUOTED_INSTEAD, sentence.replaces
        elif sentence.verdict in DOUBTS:
            yield DOUBTS[sentence.verdict], sentence.text


def _text_lines(answer: Answer) -> Iterator[str]:
    for position, (heading, line) in enumerate(headed_lines(answer)):
        if heading:
            yield f"{'' if position == 0 else chr(10)}{one_line(to_text(heading))}"
        yield to_text(line)


def _mark(doubt: str) -> str:
    return "!" if doubt == DOUBTS[Verdict.CONTRADICTED] else "?"


def search_text(result: SearchResult) -> str:
    """Format the result of a search: each hit with its passages."""
    query = result.query
    note = _search_note(query)
    return printable("\n\n".join([*note, *(map(_hit, result.hits) if result.hits else ["Nothing found."])]))


def describe_search(searched: Answer | Query) -> str:
    """Describe the search for a question; return an empty text if it was for the question itself, in all papers."""
    question = searched.question if isinstance(searched, Answer) else searched.text
    scope, standalone = searched.scope, searched.standalone
    filters = searched.filters.within(replace(scope, collections=()))
    limits = [f"papers with {format_filters(filters)}"] if filters else []
    limits += [f"collection {name!r}" for name in scope.collections]
    limits += [f"only {', '.join(scope.pinned)}"] if scope.pinned else []
    limits += [f"not {', '.join(scope.excluded)}"] if scope.excluded else []
    if standalone == question and not limits:
        return ""
    label = "Read as" if searched.read_as and standalone in searched.read_as else "Searched for"
    return f"{label}: {standalone or 'anything'}" + (f" [{'; '.join(limits)}]" if limits else "")


def verification_text(verification: Verification) -> str:
    """Format the verdict on a claim with its probability, or that of support, its reason and passage."""
    is_denied = verification.verdict is Verdict.CONTRADICTED
    probability = verification.contradiction if is_denied else verification.support
    lines = [f"{verification.verdict} ({probability:.2f}): {verification.reason}"]
    if verification.passage:
        lines += [f"    {verification.paper_id}  {to_text(verification.passage.text)}"]
    return printable("\n".join(lines))


def conversation_line(conversation: Conversation) -> str:
    """Format a conversation as one line: id, date of its last change, number of turns, title."""
    turns = counted(conversation.turns, "turn")
    return one_line(f"{conversation.id}  {conversation.changed[:10]}  {turns}  {conversation.title}")


def turns_text(turns: Iterable[Turn]) -> str:
    """Format the turns of a conversation: each question with its answer."""
    return "\n\n".join(f"> {one_line(turn.question)}\n\n{answer_text(turn.answer)}" for turn in turns)


def comparison_text(comparison: ReplayComparison) -> str:
    """Format a replayed question with the changes in its answer."""
    before, after = comparison.before, comparison.after
    lines = [f"> {one_line(before.question)}"]
    for papers, change in ((comparison.gained, "would now be cited"), (comparison.lost, "would no longer be cited")):
        if papers:
            lines.append(f"  {counted(len(papers), 'paper')} {change}:")
            lines += [f"    {one_line(paper_line(paper))}" for paper in papers]
    if before.strength is not after.strength:
        reason = f": {one_line(after.reason)}" if after.reason else ""
        lines.append(f"  the answer was {before.strength} and would now be {after.strength}{reason}")
    return "\n".join(lines if comparison.changed else [*lines, "  nothing changed"])


def paper_text(paper: Paper) -> str:
    """Format a paper with all its fields."""
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
        ("notice", notice_text(paper.notice) if paper.notice else ""),
    ]
    lines = (f"{name:8}{value}" for name, value in fields if value)
    return printable("\n".join([*lines, "", to_text(paper.abstract) or "(no abstract)"]))


def annotation_text(annotation: Annotation) -> str:
    """Format what a person has added to a paper."""
    lines = [f"tags        {', '.join(annotation.tags)}"] if annotation.tags else []
    lines += [f"file tags   {', '.join(annotation.keywords)}"] if annotation.keywords else []
    lines += [f"collections {', '.join(annotation.collections)}"] if annotation.collections else []
    lines += [f"cited as    {one_line(annotation.citation_key)}"] if annotation.citation_key else []
    lines += [f"note        {annotation.note}"] if annotation.note else []
    return printable("\n".join(lines))


def collection_line(collection: PaperCollection) -> str:
    """Format a collection as one line: the day of its creation, the number of its papers, its name."""
    return one_line(f"{collection.created[:10]}  {counted(collection.papers, 'paper'):>12}  {collection.name}")


def record_text(record: Record) -> str:
    """Format what one source says of a paper."""
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
    """Format a paper as one line: id, title, authors, year."""
    authors = f" - {paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}" if paper.authors else ""
    year = f" ({paper.year})" if paper.year else ""
    remark = "" if paper.abstract else " [no abstract]"
    remark += f" [{state_text(paper.notice)}]" if paper.notice else ""
    return printable(f"{paper.id}  {to_text(display_title(paper))}{authors}{year}{remark}")


def counted(number: int, noun: str) -> str:
    """Return the number with the noun in singular or plural: `1 paper`, `2 papers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _search_note(searched: Answer | Query) -> list[str]:
    text = describe_search(searched)
    return [text] if text else []


def _reference(citation: Citation) -> str:
    return f"[{citation.number}] {paper_line(citation.paper)}"


def _hit(hit: Hit) -> str:
    passages = _indented(to_text(passage.text) for passage in hit.passages)
    return "\n".join([f"{hit.rank:3}. {paper_line(hit.paper)}", *passages])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"     {line}" for line in lines]
