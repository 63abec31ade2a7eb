"""The text of a chat completion as it grows.

A client can only append. A text that is sent is therefore complete in its sentences, and where the answer ends
otherwise than it began, the reply says so and has the whole answer after it.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant import citations
from assistant.schema import Answer, Paper
from ui.api.cited_markdown import CitedMarkdown, cited_markdown, located, reference_line, up_to_sentence

_REPLACED = "*The text above is withdrawn: it is replaced by this answer.*"


class TextStream:
    """Turns snapshots of an answer into pieces of one Markdown text."""

    def __init__(self, address: Callable[[Paper], str]) -> None:
        self._address = address
        self._sent, self._plain = "", ""

    def whole(self, answer: Answer) -> CitedMarkdown:
        """Return all that was sent, with the places of the citations of the answer."""
        return located(self._sent, answer)

    def piece(self, answer: Answer) -> str:
        """Return what to append for a snapshot; empty where nothing is certain yet."""
        piece = self._end(answer) if answer.done else self._growth(up_to_sentence(answer))
        self._sent += piece
        return piece

    def _growth(self, answer: Answer) -> str:
        text = cited_markdown(answer, self._address, is_growing=True).text
        if not text.startswith(self._sent):
            return ""
        self._plain = _plain(answer.text)
        return text[len(self._sent) :]

    def _end(self, answer: Answer) -> str:
        text = cited_markdown(answer, self._address).text
        if text.startswith(self._sent):
            return text[len(self._sent) :]
        if _plain(answer.text) == self._plain:
            return f"\n\n{reference_line(answer, self._address)}" if answer.citations else ""
        return f"\n\n---\n\n{_REPLACED}\n\n{text}"


def _plain(text: str) -> str:
    """Return the words of a text, without its citations."""
    return " ".join(citations.strip(text).split())
