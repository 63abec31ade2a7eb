"""The check of a draft as the JSON that scripts rely on. Names may be added to it, never changed or removed."""

from __future__ import annotations

from assistant.drafts.values import CitationCheck, DraftCheck, EntryCheck, SentenceCheck, Suggestion
from assistant.serialization import Json, paper_json, passage_json


def check_json(check: DraftCheck) -> Json:
    """Return the check of a draft as JSON."""
    return {
        "sentences": list(map(sentence_json, check.sentences)),
        "bibliography": list(map(entry_json, check.bibliography)),
        "notes": [{"text": note.text, "start": note.start} for note in check.notes],
    }


def sentence_json(check: SentenceCheck) -> Json:
    """Return the check of a sentence as JSON; `draft[start:end] == text`."""
    sentence = check.sentence
    return {
        "text": sentence.text,
        "start": sentence.start,
        "end": sentence.end,
        "statement": sentence.statement,
        "verdict": check.verdict.value,
        "support": round(check.support, 4),
        "contradiction": round(check.contradiction, 4),
        "reason": check.reason,
        "passage": passage_json(check.passage) if check.passage else None,
        "paper": paper_json(check.paper) if check.paper else None,
        "citations": list(map(_citation_json, check.citations)),
        "suggestions": list(map(_suggestion_json, check.suggestions)),
    }


def entry_json(check: EntryCheck) -> Json:
    """Return the check of an entry of the bibliography as JSON."""
    return {
        "key": check.key,
        "status": check.status.value,
        "paper_id": check.paper.id if check.paper else None,
        "differences": {
            name: {"draft": difference.draft, "library": difference.library}
            for name, difference in check.differences.items()
        },
        "duplicate_of": check.duplicate_of,
        "missing": check.missing,
    }


def _citation_json(check: CitationCheck) -> Json:
    return {
        "key": check.citation.key,
        "paper_id": check.paper.id if check.paper else None,
        "verdict": check.verdict.value,
        "support": round(check.support, 4),
        "contradiction": round(check.contradiction, 4),
        "passage": passage_json(check.passage) if check.passage else None,
    }


def _suggestion_json(suggestion: Suggestion) -> Json:
    return {
        "paper": paper_json(suggestion.paper),
        "confidence": round(suggestion.confidence, 4),
        "passage": passage_json(suggestion.passage) if suggestion.passage else None,
    }
