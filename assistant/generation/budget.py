"""The tokens that a prompt may take: what the settings allow, and what the model's context window leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.protocols import LLM, WindowedLLM
from assistant.schema import Message

if TYPE_CHECKING:
    from assistant.settings import Settings

# Tokens that a chat template adds to a message, roughly.
_MESSAGE_TOKENS = 8
# The most of a context window that is reserved for the reply, and what is left free because tokens are estimated.
_REPLY_SHARE = 0.25
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Budget:
    """The most tokens that a prompt may have, and the function that counts them."""

    tokens: int
    count: Callable[[str], int]

    def cost(self, messages: Sequence[Message]) -> int:
        """Return the tokens that the messages take."""
        return sum(self.count(message.content) + _MESSAGE_TOKENS for message in messages)


def prompt_budget(settings: Settings, llm: LLM) -> Budget:
    """Return the budget of a prompt: `max_prompt_tokens`, or less where the model's context window is small.

    The window of a served model is asked of its server, once; a server that does not tell it is taken to have room.
    """
    window = llm.context_window() if isinstance(llm, WindowedLLM) else None
    if window is None:
        return Budget(settings.max_prompt_tokens, llm.count_tokens)
    reply = min(settings.max_output_tokens, int(window * _REPLY_SHARE))
    return Budget(min(settings.max_prompt_tokens, int(window * (1 - _MARGIN)) - reply), llm.count_tokens)
