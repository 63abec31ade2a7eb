"""Language models through llama-index: the only home of its LLM providers, and its retriever face.

Nothing here is touched unless a model is named, so there is never a silent default to a hosted service.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from assistant.errors import ModelError
from assistant.schema import Message


class LlamaIndexLLM:
    """An LLM over any llama-index chat model."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self._model = name, model

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply, piece by piece. Raises ModelError where the provider fails."""
        from llama_index.core.llms import ChatMessage

        chat = [ChatMessage(role=message.role, content=message.content) for message in messages]
        try:
            for piece in self._model.stream_chat(chat):
                yield piece.delta or ""
        except Exception as error:  # every provider raises errors of its own
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"the language model {self.name} failed: {reason}") from error


def load(name: str) -> LlamaIndexLLM:
    """The model of a `provider/model` name. Raises ModelError that says what to install or to set."""
    provider, _, model = name.partition("/")
    if provider not in _PROVIDERS:
        known = ", ".join(f"{each}/<model>" for each in _PROVIDERS)
        raise ModelError(f"no provider {provider!r} for a language model: use extractive, {known}")
    return LlamaIndexLLM(name, _PROVIDERS[provider](model))


def count_tokens(text: str) -> int:
    """How many tokens llama-index counts in a text: about as many as any model's own tokenizer would."""
    from llama_index.core.utils import get_tokenizer

    return len(get_tokenizer()(text))


def _ollama(model: str) -> Any:
    return _class("llama_index.llms.ollama", "Ollama", "ollama")(model=model, request_timeout=600.0)


def _openai(model: str) -> Any:
    """OpenAI, or whatever compatible server `OPENAI_API_BASE` names; such a server may need no key."""
    base, key = os.environ.get("OPENAI_API_BASE"), os.environ.get("OPENAI_API_KEY")
    if not base and not key:
        raise ModelError(
            "openai/ models need OPENAI_API_KEY, or OPENAI_API_BASE with the address of a compatible server"
        )
    return _class("llama_index.llms.openai_like", "OpenAILike", "openai")(
        model=model,
        api_base=base or "https://api.openai.com/v1",
        api_key=key or "none",
        is_chat_model=True,
        timeout=600.0,
        max_retries=2,
    )


def _huggingface(model: str) -> Any:
    return _class("llama_index.llms.huggingface", "HuggingFaceLLM", "huggingface")(
        model_name=model, tokenizer_name=model, max_new_tokens=512, device_map="auto"
    )


_PROVIDERS: dict[str, Callable[[str], Any]] = {"ollama": _ollama, "openai": _openai, "huggingface": _huggingface}


def _class(module: str, name: str, extra: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ModelError(f"{extra}/ models need one more package: pip install 'paperchat[{extra}]'") from error
