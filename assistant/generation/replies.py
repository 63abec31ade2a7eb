"""Stream the reply of a language model; its failure is a value, not an exception."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from assistant.errors import ModelError
from assistant.protocols import LLM
from assistant.schema import Message, Sampling
from assistant.text.printable import printable

# Characters of a reply; a model that writes more is not answering a question.
MAX_CHARACTERS = 16_000
# The share by which the text grows between snapshots: so all of them together take time in proportion to its length.
_GROWTH = 0.01


@dataclass(frozen=True, slots=True)
class StreamedReply:
    """What a language model has written so far, as text that can be shown.

    `is_cut` says that it wrote more than a reply may have, `error` why it failed, `done` that nothing more follows.
    """

    text: str = ""
    is_cut: bool = False
    error: str | None = None
    done: bool = False


def stream_reply(llm: LLM, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[StreamedReply]:
    """Yield the reply each time it has grown, and while the model is silent, so that the reader may stop; then done.

    The model stops where the reader does.
    """
    text, is_cut, shown = "", False, 0
    pieces: Iterator[str] = iter(())
    try:
        pieces = llm.stream(messages, sampling)
        for piece in pieces:
            text, is_cut = _append(text, piece)
            if not piece or len(text) > shown * (1 + _GROWTH):
                shown = len(text)
                yield StreamedReply(text, is_cut)
            if is_cut:
                break
        yield StreamedReply(text, is_cut, done=True)
    except ModelError as error:
        yield StreamedReply(text, is_cut, str(error), done=True)
    finally:
        if isinstance(pieces, Generator):
            pieces.close()


def _append(text: str, piece: str) -> tuple[str, bool]:
    """Return the text with a piece behind it, and whether that had to be cut."""
    room = MAX_CHARACTERS - len(text)
    return text + printable(piece[: room + 1], keep="\n\t")[:room], len(piece) > room
