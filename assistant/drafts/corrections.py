"""Correct a draft: cite the paper that supports a sentence without a citation, and replace citations that are wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.drafts.values import CitationVerdict, DraftFormat, SentenceCheck, SentenceVerdict
from assistant.schema import Paper

# The key of a paper in the bibliography; None where it has none and none can be added.
KeyOf = Callable[[Paper], str | None]

_END = re.compile(r"[.!?]+[\"'”’)\]}*_]*$")
_COMMAND = re.compile(r"\\((?:p|P|paren|auto|foot|smart)?cite[p]?)\*?(?=[\[{])")
_KEY_CHARACTER = r"[\w:.#$%&+?<>~/-]"


@dataclass(frozen=True, slots=True)
class Correction:
    """A replacement of a span of the draft; `paper` is what is cited there now."""

    start: int
    end: int
    text: str
    paper: Paper


def corrections(
    checks: Iterable[SentenceCheck], source: str, draft_format: DraftFormat, key_of: KeyOf
) -> Iterator[Correction]:
    """Yield the corrections of a LaTeX or Markdown draft, in order; none overlaps another."""
    command = _cite_command(source)
    found = (edit for check in checks for edit in _of_sentence(check, source, draft_format, command, key_of))
    reached = 0
    # A footnote stands within the paragraph that its sentences follow.
    for correction in sorted(found, key=lambda edit: edit.start):
        if correction.start >= reached:
            yield correction
            reached = correction.end


def apply(source: str, edits: Sequence[Correction]) -> str:
    """Return the draft with the corrections, which are in order."""
    pieces, position = [], 0
    for edit in edits:
        pieces += [source[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, source[position:]])


def _of_sentence(
    check: SentenceCheck, source: str, draft_format: DraftFormat, command: str, key_of: KeyOf
) -> Iterator[Correction]:
    if not check.suggestions or check.verdict is not SentenceVerdict.SUPPORTED:
        return
    paper = check.suggestions[0].paper
    wrong = [cited for cited in check.citations if cited.verdict is CitationVerdict.UNSUPPORTED]
    if check.citations and not wrong:
        return
    key = key_of(paper)
    if key is None:
        return
    if not wrong:
        place = _insertion(check.sentence.text, check.sentence.start)
        yield Correction(
            place, place, f"~\\{command}{{{key}}}" if draft_format is DraftFormat.LATEX else f" [@{key}]", paper
        )
        return
    # The best paper replaces the first citation that is wrong: what else is cited there is for the author to decide.
    citation = wrong[0].citation
    written = source[citation.start : citation.end]
    replaced = re.sub(
        rf"(?<!{_KEY_CHARACTER}){re.escape(citation.key)}(?!{_KEY_CHARACTER})", lambda _: key, written, count=1
    )
    if replaced != written:
        yield Correction(citation.start, citation.end, replaced, paper)


def _insertion(text: str, start: int) -> int:
    """Return the offset before the full stop of a sentence."""
    stripped = text.rstrip()
    ending = _END.search(stripped)
    return start + (ending.start() if ending else len(stripped))


def _cite_command(source: str) -> str:
    """Return the command for citations in parentheses that the draft uses most."""
    used = Counter(_COMMAND.findall(source))
    return used.most_common(1)[0][0] if used else "cite"
