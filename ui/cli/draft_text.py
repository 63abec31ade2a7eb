"""The check of a draft as text for a terminal, in colours where it has them."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from assistant.drafts.findings import DraftRule, entry_message, sentence_findings
from assistant.drafts.values import CitationVerdict, DraftCheck, SentenceCheck, SentenceVerdict
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from ui.cli.terminal import paper_line
from ui.page.check_view import VERDICT_WORDS, summary

_COLOURS = {
    SentenceVerdict.SUPPORTED: typer.colors.GREEN,
    SentenceVerdict.CONTRADICTED: typer.colors.RED,
    SentenceVerdict.UNSUPPORTED: typer.colors.YELLOW,
    SentenceVerdict.STATES_NOTHING: typer.colors.BRIGHT_BLACK,
}


def sentence_text(check: SentenceCheck, line: int) -> str:
    """Format a sentence with its verdict, the passage behind it, and what is to say of its citations."""
    verdict = typer.style(VERDICT_WORDS[check.verdict], fg=_COLOURS[check.verdict], bold=True)
    return "\n".join([f"{line}: {verdict}: {one_line(check.sentence.statement)}", *_details(check)])


def result_text(check: DraftCheck) -> str:
    """Format the bibliography, the notes and the summary, after the sentences."""
    messages = [message[1] for entry in check.bibliography if (message := entry_message(entry))]
    lines = [*(f"bibliography: {one_line(text)}" for text in messages)]
    lines += [f"note: {one_line(note.text)}" for note in check.notes]
    return "\n".join([*lines, summary(check)])


def _details(check: SentenceCheck) -> Iterator[str]:
    if check.passage and check.paper:
        yield f"    “{one_line(to_text(check.passage.text))}”"
        yield f"    {one_line(paper_line(check.paper))}"
    for cited in check.citations:
        if cited.verdict is CitationVerdict.SUPPORTED and cited.paper and cited.paper != check.paper:
            yield f"    {one_line(cited.citation.key)} says so"
    for found in sentence_findings(check):
        if found.rule is not DraftRule.CONTRADICTED:
            colour = typer.colors.BRIGHT_BLACK if found.rule.level == "note" else typer.colors.YELLOW
            yield f"    {typer.style(one_line(found.message), fg=colour)}"
