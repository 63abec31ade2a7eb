"""Render the check of a draft as HTML, for the page and for reports. Everything in it is untrusted and escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant.drafts.findings import entry_message
from assistant.drafts.values import (
    CitationCheck,
    CitationVerdict,
    DraftCheck,
    EntryCheck,
    EntryStatus,
    SentenceCheck,
    SentenceVerdict,
    Suggestion,
)
from assistant.schema import Paper, Passage
from assistant.text.titles import display_title
from ui.cli.terminal import counted
from ui.page.render import plain_html

# Sentences of a short draft that are shown while its check goes on, and of a longer one: the last that matter.
_MAX_RUNNING, _MAX_NOTED = 60, 20
VERDICT_WORDS = {
    SentenceVerdict.SUPPORTED: "supported",
    SentenceVerdict.CONTRADICTED: "contradicted",
    SentenceVerdict.UNSUPPORTED: "not in the library",
    SentenceVerdict.STATES_NOTHING: "states nothing",
}
_CITATION_WORDS = {
    CitationVerdict.SUPPORTED: "says so",
    CitationVerdict.CONTRADICTED: "says otherwise",
    CitationVerdict.UNSUPPORTED: "does not say so",
    CitationVerdict.UNKNOWN: "is not in the library",
    CitationVerdict.UNCHECKED: "was not checked",
}


def check_html(check: DraftCheck) -> str:
    """Return the check of a draft: a summary, its sentences, its bibliography and the notes."""
    return summary_html(check) + sentences_html(check.sentences) + bibliography_html(check.bibliography) + _notes(check)


def running_html(total: int, check: DraftCheck) -> str:
    """Return how far the check of a draft of this many characters is, with the sentences so far.

    Of many sentences, the last ones are shown of which something is to say.
    """
    done = check.sentences[-1].sentence.end if check.sentences else 0
    label = f"{done:,} of {total:,} characters checked"
    bar = f'<progress max="{total}" value="{done}" aria-label="{label}"></progress>'
    shown = check.sentences
    if len(shown) > _MAX_RUNNING:
        shown = tuple(item for item in shown if item.is_alarm)[-_MAX_NOTED:]
    return f'<p class="waiting">{label} {bar}</p>{summary_html(check)}{sentences_html(shown)}'


def summary_html(check: DraftCheck) -> str:
    """Return the number of sentences with each verdict."""
    return f'<p class="checksum">{plain_html(summary(check))}</p>'


def summary(check: DraftCheck) -> str:
    """Return the number of sentences with each verdict, and of citations that are wrong, in words."""
    verdicts = [f"{check.count(verdict)} {words}" for verdict, words in VERDICT_WORDS.items() if check.count(verdict)]
    wrong = sum(cited.is_wrong for sentence in check.sentences for cited in sentence.citations)
    counts = [*verdicts, *([f"{counted(wrong, 'citation')} to look at"] if wrong else [])]
    return f"{counted(len(check.sentences), 'sentence')}: {', '.join(counts) or 'nothing to check'}."


def sentences_html(checks: Iterable[SentenceCheck]) -> str:
    """Return the sentences in order, each with its verdict and what stands behind it."""
    items = "".join(map(_sentence, checks))
    return f'<ol class="checked">{items}</ol>' if items else ""


def bibliography_html(checks: Sequence[EntryCheck]) -> str:
    """Return the entries of the bibliography of which something is to say, and the number of the others."""
    said = [message[1] for check in checks if (message := entry_message(check))]
    known = sum(check.status is EntryStatus.KNOWN for check in checks)
    if not checks:
        return ""
    items = "".join(f"<li>{plain_html(text)}</li>" for text in said)
    listed = f'<ul class="entries">{items}</ul>' if items else ""
    return f"<h3>Bibliography</h3><p>Entries that the library knows: {known} of {len(checks)}.</p>{listed}"


def _sentence(check: SentenceCheck) -> str:
    verdict = check.verdict.value.replace("_", "-")
    parts = [f'<p class="said"><span class="verdict {verdict}">{VERDICT_WORDS[check.verdict]}</span> ']
    parts.append(f"{plain_html(check.sentence.statement)}</p>")
    if check.passage and check.paper:
        parts.append(_quotation(check.passage, check.paper))
    parts += _citations(check.citations)
    parts += _suggestions(check.suggestions)
    return f"<li>{''.join(parts)}</li>"


def _quotation(passage: Passage, paper: Paper) -> str:
    title = plain_html(display_title(paper))
    return f'<blockquote><p>{plain_html(passage.text)}</p><p class="by">{title}</p></blockquote>'


def _citations(checks: Sequence[CitationCheck]) -> Iterator[str]:
    for check in checks:
        kind = " wrong" if check.is_wrong else ""
        title = f" ({plain_html(display_title(check.paper))})" if check.paper else ""
        key = plain_html(check.citation.key)
        yield f'<p class="cited-paper{kind}"><code>{key}</code>{title} {_CITATION_WORDS[check.verdict]}</p>'


def _suggestions(suggestions: Sequence[Suggestion]) -> Iterator[str]:
    if suggestions:
        items = "".join(
            f"<li>{plain_html(display_title(item.paper))} <span class=quiet>{item.confidence:.0%}</span></li>"
            for item in suggestions
        )
        yield f'<p class="suggested">Could cite:</p><ul class="suggested">{items}</ul>'


def _notes(check: DraftCheck) -> str:
    items = "".join(f"<li>{plain_html(note.text)}</li>" for note in check.notes)
    return f'<h3>Not read</h3><ul class="notes">{items}</ul>' if items else ""
