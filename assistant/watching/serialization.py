"""Digests to JSON and back. Names may be added to it, never changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.errors import LibraryError
from assistant.serialization import Json, paper_json, passage_json
from assistant.watching.news import AnswerChange, BearingPaper, NewPaper, WatchDigest

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def digest_json(digest: WatchDigest) -> Json:
    """Return a digest as JSON."""
    return {
        "papers": list(map(_new_paper_json, digest.papers)),
        "total": digest.total,
        "notices": list(map(paper_json, digest.notices)),
        "answers": list(map(answer_change_json, digest.answers)),
    }


def answer_change_json(change: AnswerChange) -> Json:
    """Return the change of a kept answer as JSON."""
    return {
        "conversation": change.conversation,
        "turn": change.turn,
        "question": change.question,
        "before": str(change.before),
        "after": str(change.after),
        "papers": list(map(_bearing_json, change.papers)),
        "retracted": list(change.retracted),
    }


def digest_from_json(content: Mapping[str, Any], answers: Sequence[Any]) -> WatchDigest:
    """Return the digest of a stored content with the changed answers of one owner. Raises LibraryError."""
    from pydantic import ValidationError

    try:
        digest: WatchDigest = _adapter().validate_python({**content, "answers": list(answers)})
    except ValidationError as error:
        raise LibraryError(f"a stored digest is damaged: {error.errors(include_url=False)[0]['msg']}") from error
    return digest


def _new_paper_json(new: NewPaper) -> Json:
    return {
        "paper": paper_json(new.paper),
        "nearness": new.nearness,
        "topic": new.topic,
        "starred": new.starred,
        "starred_nearness": new.starred_nearness,
        "sources": list(new.sources),
    }


def _bearing_json(bearing: BearingPaper) -> Json:
    return {
        "paper": paper_json(bearing.paper),
        "passage": passage_json(bearing.passage) if bearing.passage else None,
        "probability": bearing.probability,
        "is_cited": bearing.is_cited,
        "contradicts": list(bearing.contradicts),
    }


@cache
def _adapter() -> TypeAdapter[WatchDigest]:
    from pydantic import TypeAdapter

    return TypeAdapter(WatchDigest)
