"""Have a language model word a follow-up question so that it can be understood alone."""

from __future__ import annotations

from collections.abc import Sequence

from assistant import citations
from assistant.errors import ModelError
from assistant.protocols import LLM
from assistant.schema import Message, Query

# Characters of a question that a language model rewrites; a longer text is not a question.
_MAX_REWRITE = 400


def rewritten(query: Query, llm: LLM, messages: Sequence[Message]) -> str:
    """Return the model's wording of the question if it is usable, and that of the rules otherwise."""
    try:
        text = " ".join("".join(llm.stream(messages)).split())
    except ModelError:
        return query.standalone
    is_usable = text.endswith("?") and len(text) <= _MAX_REWRITE and not citations.has_marker(text)
    return text if is_usable else query.standalone
