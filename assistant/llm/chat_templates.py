"""Write the messages of a chat as the prompt of a model in this process, by the model's own chat template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Writes llama-index messages as the prompt of a model in this process.
WritePrompt = Callable[[Sequence[Any]], str]
# A message as chat templates take it: `role` and `content`.
TemplateMessage = dict[str, str]


def by_template(write: Callable[[list[TemplateMessage]], str]) -> WritePrompt:
    """Return a function that writes prompts by a model's own chat template."""

    def write_prompt(chat: Sequence[Any]) -> str:
        messages = [{"role": message.role.value, "content": message.content or ""} for message in chat]
        try:
            return write(messages)
        except Exception:  # templates reject unsupported roles in ways of their own, most often the system's
            return write(_without_system(messages))

    return write_prompt


def _without_system(messages: list[TemplateMessage]) -> list[TemplateMessage]:
    """Move the system's messages to the head of the user's first one."""
    rules = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    first, *rest = [message for message in messages if message["role"] != "system"]
    return [first | {"content": f"{rules}\n\n{first['content']}"}, *rest]


def transformers_prompt(tokenizer: Any, messages: list[TemplateMessage]) -> str:
    """Write the prompt without its initial token if the tokenizer adds that token once more."""
    prompt = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    adds_token = tokenizer.bos_token and tokenizer("").input_ids[:1] == [tokenizer.bos_token_id]
    return prompt.removeprefix(tokenizer.bos_token) if adds_token else prompt
