"""The text of a chat completion as it grows.

A client can only append. A text that is sent is therefore complete in its sentences, and where the answer ends
otherwise than it began, the reply says so and has the whole answer after it.
"""

from __future__ import annotations

from dataclasses import replace

from assistant import citations
from assistant.schema import Answer
from assistant.text import sentences
from ui.api.cited_markdown import CitedMarkdown, PageAddress, cited_markdown, located, reference_line, up_to_sentence

_REPLACED = "*The text above is withdrawn: it is replaced by this answer.*"


class TextStream:
    """Turns snapshots of an answer into pieces of one Markdown text."""

    def __init__(self, page: PageAddress) -> None:
        self._page = page
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
        text = cited_markdown(answer, self._page, is_growing=True).text
        if not text.startswith(self._sent):
            return ""
        self._plain = _plain(answer.text)
        return text[len(self._sent) :]

    def _end(self, answer: Answer) -> str:
        text = cited_markdown(answer, self._page).text
        if text.startswith(self._sent):
            return text[len(self._sent) :]
        rest = self._unsent(answer.text)
        if rest is None:
            return f"\n\n---\n\n{_REPLACED}\n\n{text}"
        remainder = cited_markdown(replace(answer, text=rest.strip(), opening="", read_as=""), self._page).text
        separator = "\n\n" if rest.startswith("\n") or not rest.strip() else " "
        parts = [f"{separator}{remainder}" if remainder else "", reference_line(answer, self._page)]
        return "\n\n".join(parts)

    def _unsent(self, text: str) -> str | None:
        """Return what follows the sentences that were sent, with more citations or fewer; None where it is another."""
        ends = (end for _, end in sentences.spans(text))
        return next((text[end:] for end in ends if _plain(text[:end]) == self._plain), None)


def _plain(text: str) -> str:
    """Return the words of a text, without its citations."""
    return " ".join(citations.strip(text).split())
