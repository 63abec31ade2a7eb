"""The check of a draft, as the tool `verify` returns it."""

from __future__ import annotations

from assistant.errors import InputError
from assistant.serialization import Json
from ui.mcp import results
from ui.mcp.arguments import VerifyArguments
from ui.mcp.calls import ToolCall

# Sentences of a draft that one call checks: more would be too long a result.
_MAX_SENTENCES = 200
_BIBLIOGRAPHY = "bibliography.bib"


def check(arguments: VerifyArguments, call: ToolCall) -> Json:
    """Return the check of the draft. Raises InputError where it is too long, or a paper is named."""
    from ingest import drafts

    if arguments.id:
        raise InputError("id", "a draft is checked against the whole library")
    opened = drafts.open_text(arguments.text)
    count = sum(1 for _ in opened.text.sentences())
    if count > _MAX_SENTENCES:
        raise InputError("text", f"has {count} sentences; give at most {_MAX_SENTENCES} at a time")
    files = [(arguments.bibliography.encode("utf-8", "replace"), _BIBLIOGRAPHY)] if arguments.bibliography else []
    run = drafts.check(drafts.with_bibliography(opened, files), call.assistant())
    for number, _ in enumerate(run.sentences(), 1):
        call.report(f"checked {number} of {count} sentences")
    return results.draft_result(run.result())
