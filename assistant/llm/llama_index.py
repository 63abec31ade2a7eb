"""Language models through llama-index: the only home of its LLM providers.

Nothing here is touched unless a model is named, so there is never a silent default to a hosted service. A provider's
own time-outs and retries are switched off: `patience` has the same ones for all of them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelError
from assistant.llm import streaming
from assistant.llm.errors import in_words, is_passing
from assistant.llm.output_filter import spoken
from assistant.llm.providers import Provider, named
from assistant.llm.streaming import Call, Limits
from assistant.llm.transport import InProcess, Opened, OverNetwork, StopWhen
from assistant.schema import Message

if TYPE_CHECKING:
    from assistant.settings import Settings

# Characters that a token is at most counted as: what a server writes beyond the tokens it was allowed is cut here.
_LONGEST_TOKEN = 8
# Tokens of a context window that are neither the prompt's nor the reply's: what a chat template adds.
_TEMPLATE = 256
# Where OpenAI itself is reached.
_OPENAI = "https://api.openai.com/v1"

Count = Callable[[str], int]
# A message as chat templates take it.
Said = dict[str, str]
# A way to call a model, and to count the tokens that it reads.
Reached = tuple[Callable[[Sequence[Any]], Call], Count]


class LlamaIndexLLM:
    """An LLM over calls of a llama-index model, within limits. Safe to use from several threads."""

    def __init__(self, name: str, call: Callable[[Sequence[Any]], Call], limits: Limits, count: Count) -> None:
        self.name, self._call, self._limits, self._count = name, call, limits, count

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply, piece by piece, without control characters and thoughts; closing it ends the call.

        An empty piece comes every quarter of a second while the model is silent. Raises ModelError where the provider
        fails or a limit is reached, after the pieces that came.
        """
        from llama_index.core.llms import ChatMessage

        chat = [ChatMessage(role=message.role, content=message.content) for message in messages]
        text = False
        try:
            for piece in spoken(streaming.reply(lambda: self._call(chat), self._limits, is_passing)):
                text |= bool(piece.strip())
                yield piece
        except Exception as error:  # every provider raises errors of its own
            raise ModelError(f"the language model {self.name} failed: {in_words(error, self.name)}") from error
        if not text:
            cure = "if it thinks first, it needs more room (raise PAPERCHAT_MAX_OUTPUT_TOKENS)"
            raise ModelError(f"the language model {self.name} wrote nothing; {cure}")

    def count_tokens(self, text: str) -> int:
        """How many tokens the model reads in a text, by its own tokenizer where that is at hand."""
        return self._count(text)


def load(settings: Settings) -> LlamaIndexLLM:
    """The model that the settings name. Raises ModelError that says what to install or to set."""
    provider, model = named(settings.llm)
    if provider.missing:
        raise ModelError(f"{provider.name}/ models need a key: {provider.missing}")
    call, count = _PROVIDERS[provider.name](provider, model, settings)
    limits = Limits(
        first=settings.first_token_timeout,
        between=settings.token_timeout,
        total=settings.total_timeout,
        retries=settings.retries,
        characters=settings.max_output_tokens * _LONGEST_TOKEN,
    )
    return LlamaIndexLLM(settings.llm, call, limits, count)


def in_process(model: Any, stop_when: StopWhen = lambda _: None) -> Callable[[Sequence[Any]], Call]:
    """Calls of a llama-index model that runs in this process."""
    turn = Lock()
    return lambda chat: InProcess(model, chat, turn, stop_when)


def count_tokens(text: str) -> int:
    """How many tokens llama-index counts in a text: about as many as any model's own tokenizer would."""
    from llama_index.core.utils import get_tokenizer

    return len(get_tokenizer()(text))


def _over_network(opened: Opened) -> Callable[[Sequence[Any]], Call]:
    return lambda chat: OverNetwork(opened, chat)


def _openai(provider: Provider, model: str, settings: Settings) -> Reached:
    """OpenAI, or whatever compatible server `OPENAI_API_BASE` names; such a server may need no key."""
    make, client_of = _class(provider, "OpenAILike"), _class(provider, "AsyncClient", "httpx")
    # OpenAI's newer models refuse the name of the parameter that all the other servers know.
    limited = {"max_tokens": settings.max_output_tokens}
    own = {"additional_kwargs": {"max_completion_tokens": settings.max_output_tokens}}

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with client_of(timeout=None) as client:
            yield make(
                model=model,
                api_base=provider.server or _OPENAI,
                api_key=os.environ.get(provider.key or "") or "none",
                is_chat_model=True,
                max_retries=0,
                timeout=settings.total_timeout,
                async_http_client=client,
                **(limited if provider.server else own),
            )

    return _over_network(opened), count_tokens


def _ollama(provider: Provider, model: str, settings: Settings) -> Reached:
    """A model of an Ollama server, told how long a prompt may get: by itself it would cut one without a word."""
    make, client_of = _class(provider, "Ollama"), _class(provider, "AsyncClient", "ollama")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with client_of(host=provider.server, timeout=None) as client:
            yield make(
                model=model,
                context_window=_window(settings),
                additional_kwargs={"num_predict": settings.max_output_tokens},
                async_client=client,
            )

    return _over_network(opened), count_tokens


def _anthropic(provider: Provider, model: str, settings: Settings) -> Reached:
    make = _class(provider, "Anthropic")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        made = make(
            model=model,
            api_key=os.environ.get(provider.key or ""),
            max_tokens=settings.max_output_tokens,
            max_retries=0,
            timeout=settings.total_timeout,
        )
        async with made._aclient:  # it takes no client of ours, and closes none of its own
            yield made

    return _over_network(opened), count_tokens


def _huggingface(provider: Provider, model: str, settings: Settings) -> Reached:
    make, folder = _class(provider, "HuggingFaceLLM"), Path(model).expanduser()
    named = str(folder) if folder.is_dir() else model
    loaded = _loaded(
        provider,
        model,
        lambda: make(
            model_name=named,
            tokenizer_name=named,
            context_window=_window(settings),
            max_new_tokens=settings.max_output_tokens,
            generate_kwargs={"do_sample": False},
        ),
    )
    _check_window(loaded.context_window, model, settings)
    tokenizer = loaded._tokenizer
    loaded.messages_to_prompt = _templated(partial(_in_template, tokenizer)) if tokenizer.chat_template else _plain

    def stop_when(cancelled: Callable[..., bool]) -> None:
        """It writes in a thread of its own, which llama-index lets run on to the last token."""
        loaded._stopping_criteria = [cancelled]

    return in_process(loaded, stop_when), lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def _llamacpp(provider: Provider, model: str, settings: Settings) -> Reached:
    make, file = _class(provider, "LlamaCPP"), Path(model).expanduser()
    if not file.is_file():
        raise ModelError(f"llamacpp/ models are GGUF files, and there is no file {file}")
    limits = {"context_window": _window(settings), "max_new_tokens": settings.max_output_tokens}
    loaded = _loaded(provider, model, lambda: make(model_path=str(file), temperature=0.0, verbose=False, **limits))
    llama = loaded._model
    loaded.messages_to_prompt = _in_gguf_template(provider, llama.metadata.get("tokenizer.chat_template"))

    def stop_when(cancelled: Callable[..., bool]) -> None:
        """A token that is no whole character is not said yet: asked between two pieces, it might stop late."""
        loaded.generate_kwargs["stopping_criteria"] = cancelled

    return in_process(loaded, stop_when), lambda text: len(llama.tokenize(text.encode(), add_bos=False))


_PROVIDERS: dict[str, Callable[[Provider, str, Settings], Reached]] = {
    "ollama": _ollama,
    "openai": _openai,
    "anthropic": _anthropic,
    "huggingface": _huggingface,
    "llamacpp": _llamacpp,
}


def _window(settings: Settings) -> int:
    return settings.max_prompt_tokens + settings.max_output_tokens + _TEMPLATE


def _check_window(window: int, model: str, settings: Settings) -> None:
    """Raises ModelError where a model cannot read a prompt and write a reply of the settings' lengths."""
    if window < _window(settings):
        room = max(0, window - settings.max_output_tokens - _TEMPLATE)
        raise ModelError(
            f"{model} reads {window} tokens at most, prompt and reply together: lower "
            f"PAPERCHAT_MAX_PROMPT_TOKENS to {room}, or PAPERCHAT_MAX_OUTPUT_TOKENS"
        )


def _plain(messages: Sequence[Any]) -> str:
    """The prompt of a model that was never taught to chat."""
    from llama_index.core.base.llms.generic_utils import messages_to_prompt

    return str(messages_to_prompt(messages))


def _templated(write: Callable[[list[Said]], str]) -> Callable[[Sequence[Any]], str]:
    """The prompt as a model's own chat template writes it."""

    def prompt(chat: Sequence[Any]) -> str:
        said = [{"role": each.role.value, "content": each.content or ""} for each in chat]
        try:
            return write(said)
        except Exception:  # each template refuses what it does not know in its own way: most often, a system message
            return write(_without_system(said))

    return prompt


def _without_system(said: list[Said]) -> list[Said]:
    """The messages with what the system says at the head of the first of the person's."""
    rules = "\n\n".join(each["content"] for each in said if each["role"] == "system")
    first, *others = [each for each in said if each["role"] != "system"]
    return [first | {"content": f"{rules}\n\n{first['content']}"}, *others]


def _in_template(tokenizer: Any, said: list[Said]) -> str:
    """A transformers prompt, without the token that a text begins with where the tokenizer adds it once more."""
    prompt = str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))
    adds = tokenizer.bos_token and tokenizer("").input_ids[:1] == [tokenizer.bos_token_id]
    return prompt.removeprefix(tokenizer.bos_token) if adds else prompt


def _in_gguf_template(provider: Provider, template: str | None) -> Callable[[Sequence[Any]], str]:
    """A llama.cpp prompt; the token that a text begins with is left to the tokenizer."""
    if not template:
        return _plain
    formatter = _class(provider, "Jinja2ChatFormatter", "llama_cpp.llama_chat_format")
    formatted = formatter(template=template, bos_token="", eos_token="")
    return _templated(lambda said: str(formatted(messages=said).prompt))


def _loaded(provider: Provider, model: str, load_it: Callable[[], Any]) -> Any:
    try:
        return load_it()
    except Exception as error:  # whatever a file of weights can be wrong with
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{provider.name}/{model} cannot be loaded: {reason}") from error


def _class(provider: Provider, name: str, module: str | None = None) -> Any:
    try:
        return getattr(importlib.import_module(module or provider.module), name)
    except ImportError as error:
        raise ModelError(f"{provider.name}/ models need one more package: {provider.install}") from error
