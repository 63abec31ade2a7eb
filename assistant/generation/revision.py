"""The prompts of a further call: put drafts together, or write the unsupported sentences of one again.

    aggregation.txt  what follows the question where drafts are put together
    revision.txt     what follows the question where sentences of a draft are written again

Each is added to the message with the abstracts and the question. A draft may repeat an abstract that is hostile: like
an abstract it is data, and stands behind a fence of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from assistant.generation.budget import Budget
from assistant.generation.prompts import FENCE_BYTES, SEPARATOR, Prompt, Prompts
from assistant.schema import Message, Sentence
from assistant.text.printable import one_line

# The share of the tokens of a prompt that abstracts and question leave to drafts.
DRAFTS_SHARE = 0.3
_FENCED = "<draft {fence}>\n{text}\n</draft {fence}>"


def aggregation(prompts: Prompts, prompt: Prompt, drafts: Sequence[str], budget: Budget) -> list[Message] | None:
    """Return the messages that ask for one answer from the drafts, as many as fit; None where not even two do.

    The prompt is that of the drafts, whose numbers are those of its abstracts; its first tokens stay as they were, so
    that a server which has them cached need not read them again.
    """
    fenced: list[str] = []
    messages: list[Message] = []
    for draft in drafts:
        more = [*fenced, fence(draft)]
        extended = _followed(prompt, prompts.fill("aggregation.txt", {"drafts": SEPARATOR.join(more)}))
        if budget.cost(extended) <= budget.tokens:
            fenced, messages = more, extended
    return messages if len(fenced) > 1 else None


def revision(
    prompts: Prompts, prompt: Prompt, draft: str, doubtful: Sequence[Sentence], budget: Budget
) -> list[Message] | None:
    """Return the messages that ask for the draft with its doubtful sentences written again; None where they do not fit.

    The numbers of the draft are those of the prompt's abstracts.
    """
    lines = (f"- {one_line(sentence.text)} ({one_line(sentence.reason)})" for sentence in doubtful)
    values = {"draft": fence(draft), "doubtful": fence("\n".join(lines))}
    messages = _followed(prompt, prompts.fill("revision.txt", values))
    return messages if budget.cost(messages) <= budget.tokens else None


def fence(text: str) -> str:
    """Return the text between fences. They are random and unique, so that no text can close or open one."""
    return _FENCED.format(fence=secrets.token_hex(FENCE_BYTES), text=text)


def _followed(prompt: Prompt, text: str) -> list[Message]:
    """Return the messages of a prompt with a text behind the last one: two messages of one role are often refused."""
    *earlier, question = prompt.messages
    return [*earlier, replace(question, content=f"{question.content}{SEPARATOR}{text}")]
