"""Requests that chat clients send of their own: for a title, tags or further questions of a chat.

They are prompts in a fixed form with the conversation in it, not questions to a library, and get a reply in the form
that they ask for, made from the conversation without a language model. Forms: those of Open WebUI (a heading "Task",
the JSON of the output, the conversation in an element `chat_history`) and of LibreChat (a sentence, the conversation).
"""

from __future__ import annotations

import json
import re

from assistant.serialization import Json
from assistant.text.printable import one_line

_MAX_TITLE = 60
_TASK, _TITLE_TASK = "### Task:", "Provide a concise, 5-word-or-less title"
_OUTPUT = re.compile(r'\{\s*"(\w+)":\s*([\["])')
# Who speaks, at the beginning of a line.
_SPEAKER = re.compile(r"^(USER|ASSISTANT|User|AI): ?", re.MULTILINE)


def task_reply(text: str) -> str | None:
    """Return the reply to a message that is such a request; None for any other message."""
    prompt, _, rest = text.lstrip().partition("<chat_history>")
    conversation, end, _ = rest.partition("</chat_history>")
    if prompt.startswith(_TASK) and end:
        output = _OUTPUT.search(prompt)
        return json.dumps(_value(output, conversation), ensure_ascii=False) if output else _title(conversation)
    prompt, separator, conversation = text.lstrip().partition("\nConversation:\n")
    return _title(conversation) if prompt.startswith(_TITLE_TASK) and separator else None


def _value(output: re.Match[str], conversation: str) -> Json:
    """Return the JSON of the output: a title or search queries are the user's words, anything else is left empty."""
    name, is_list = output[1], output[2] == "["
    if name == "title":
        return {name: _title(conversation)}
    if is_list:
        return {name: _questions(conversation)[-1:] if name == "queries" else []}
    return {name: ""}


def _title(conversation: str) -> str:
    """Return the first question, cut after a word."""
    [question, *_] = [*_questions(conversation), "Conversation"]
    if len(question) <= _MAX_TITLE:
        return question
    return f"{question[:_MAX_TITLE].rsplit(' ', 1)[0]} …"


def _questions(conversation: str) -> list[str]:
    _, *parts = _SPEAKER.split(conversation)  # speaker and text in turn
    turns = zip(parts[::2], parts[1::2], strict=True)
    return [line for speaker, text in turns if speaker.casefold() == "user" and (line := one_line(text).strip())]
