"""Build the citations of an answer: a number, its paper, and the passages that support what cites it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.citations.stripping import numbers
from assistant.schema import Citation, Hit, Passage, Sentence


def build_citations(
    hits: Sequence[Hit], passages_by_number: Mapping[int, Sequence[Passage]] | None = None
) -> tuple[Citation, ...]:
    """Return one citation per hit, numbered from 1 in their order.

    `passages_by_number` maps a citation's number to the passages that support it; repeated passages count once, and a
    number that is missing gets none.
    """
    passages = passages_by_number or {}
    return tuple(
        Citation(number, hit.paper, tuple(dict.fromkeys(passages.get(number, ()))))
        for number, hit in enumerate(hits, start=1)
    )


def cited_text(sentences: Sequence[Sentence]) -> str:
    """Return the text of quoted sentences: one a line, with the citations behind it that do not stand within it."""
    return "\n".join(f"{sentence.text} {_trailing_markers(sentence)}".rstrip() for sentence in sentences)


def _trailing_markers(sentence: Sentence) -> str:
    inline = set(numbers(sentence.text))
    return "".join(f"[{number}]" for number in sentence.citations if number not in inline)
