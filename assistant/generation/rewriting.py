"""Have a language model word a question so that it can be searched for: a follow-up alone, and in English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant import citations
from assistant.errors import ModelError
from assistant.generation.prompts import Prompts
from assistant.protocols import LLM
from assistant.question.language import foreign_language
from assistant.schema import Message, Query, Turn

# Characters of a question that a language model rewrites; a longer text is not a question.
_MAX_REWRITE = 400


def searchable(query: Query, llm: LLM, prompts: Prompts, history: Sequence[Turn], rewrite: bool) -> Query:
    """Return the query as the model words it: in English, as the abstracts are, and alone where it may `rewrite`."""
    if rewrite and query.is_follow_up:
        query = _standing_alone(query, llm, prompts, history)
    return _in_english(query, llm, prompts)


def _standing_alone(query: Query, llm: LLM, prompts: Prompts, history: Sequence[Turn]) -> Query:
    """Return the query with the model's wording of a follow-up if it is usable, and that of the rules otherwise."""
    text = _reworded(llm, prompts.standalone(query, history))
    return replace(query, standalone=text) if text else query


def _in_english(query: Query, llm: LLM, prompts: Prompts) -> Query:
    """Return the query of a question in another language as the model puts it in English, if that is usable.

    `read_as` is then the English question. Any other query stays as it is.
    """
    if not foreign_language(query.standalone):
        return query
    text = _reworded(llm, prompts.translation(query))
    return replace(query, standalone=text, read_as=text) if text and not foreign_language(text) else query


def _reworded(llm: LLM, messages: Sequence[Message]) -> str:
    """Return the question that the model replies with; empty where it fails or replies with something else."""
    try:
        text = " ".join("".join(llm.stream(messages)).split())
    except ModelError:
        return ""
    is_usable = text.endswith("?") and len(text) <= _MAX_REWRITE and not citations.has_marker(text)
    return text if is_usable else ""
