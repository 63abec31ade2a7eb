"""Language models through llama-index: the only home of its LLM providers.

Nothing here is imported unless a model is configured, so no hosted service is ever used by default. The timeouts and
retries of the providers' own clients are switched off, because `streaming` applies the same ones to all of them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelError
from assistant.llm.chat_templates import WritePrompt, by_template, transformers_prompt
from assistant.llm.context_window import fetch_window
from assistant.llm.errors import describe, is_transient
from assistant.llm.output_filter import filter_output
from assistant.llm.providers import Provider, split_name
from assistant.llm.streaming import ModelRequest, ReplyLimits, stream_reply
from assistant.llm.transport import LocalRequest, NetworkRequest, OpenModel, SetSampling, SetStop
from assistant.schema import Message, Sampling

if TYPE_CHECKING:
    from assistant.settings import Settings

# The most characters that a token counts for. A reply that exceeds its tokens by this measure is cut off.
_MAX_TOKEN_LENGTH = 8
# Tokens that a chat template adds to a prompt.
_TEMPLATE_TOKENS = 256
_OPENAI_ADDRESS = "https://api.openai.com/v1"

# Makes a request for a reply to llama-index messages, sampled if so.
NewRequest = Callable[[Sequence[Any], Sampling | None], ModelRequest]
CountTokens = Callable[[str], int]
Window = Callable[[], int | None]


class LlamaIndexLLM:
    """An LLM over a llama-index model, within limits. Several threads may use it at a time."""

    def __init__(
        self, name: str, new_request: NewRequest, limits: ReplyLimits, count: CountTokens, window: Window = lambda: None
    ) -> None:
        self.name, self._new_request, self._limits, self._count = name, new_request, limits, count
        self._window = cache(window)

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        """Yield the reply piece by piece, without control characters and reasoning. Closing it ends the request.

        An empty piece is yielded every quarter of a second while the model is silent. Raise ModelError if the provider
        fails or a limit is reached, after the pieces that came before.
        """
        from llama_index.core.llms import ChatMessage

        chat = [ChatMessage(role=message.role, content=message.content) for message in messages]
        has_text, new_request = False, partial(self._new_request, chat, sampling)
        try:
            for piece in filter_output(stream_reply(new_request, self._limits, is_transient)):
                has_text |= bool(piece.strip())
                yield piece
        except Exception as error:  # every provider raises errors of its own
            raise ModelError(f"the language model {self.name} failed: {describe(error, self.name)}") from error
        if not has_text:
            remedy = "if it reasons first, it needs more room (raise PAPERCHAT_MAX_OUTPUT_TOKENS)"
            raise ModelError(f"the language model {self.name} wrote nothing; {remedy}")

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text, by the model's own tokenizer if the model runs in this process."""
        return self._count(text)

    def context_window(self) -> int | None:
        """Return the tokens that a served model reads, which its server is asked for once; None if it is not known."""
        return self._window()


def load(settings: Settings) -> LlamaIndexLLM:
    """Load the model that the settings name. Raise ModelError that says what to install or to set."""
    provider, model = split_name(settings.llm)
    if provider.missing:
        raise ModelError(f"{provider.name}/ models need a key: {provider.missing}")
    new_request, count = _LOADERS[provider.name](provider, model, settings)
    limits = ReplyLimits(
        first_token=settings.first_token_timeout,
        next_token=settings.token_timeout,
        total=settings.total_timeout,
        retries=settings.retries,
        max_characters=settings.max_output_tokens * _MAX_TOKEN_LENGTH,
    )
    return LlamaIndexLLM(settings.llm, new_request, limits, count, partial(fetch_window, provider, model))


def local_requests(
    model: Any, set_stop: SetStop = lambda _: None, set_sampling: SetSampling = lambda _: None
) -> NewRequest:
    """Return a function that makes requests to a llama-index model in this process, which run one at a time."""
    lock = Lock()

    def new_request(chat: Sequence[Any], sampling: Sampling | None) -> ModelRequest:
        return LocalRequest(model, chat, lock, set_stop, partial(set_sampling, sampling))

    return new_request


def count_tokens(text: str) -> int:
    """Count tokens by llama-index's tokenizer, which comes close to any model's own."""
    from llama_index.core.utils import get_tokenizer

    return len(get_tokenizer()(text))


def _network_requests(open_model: OpenModel) -> NewRequest:
    return lambda chat, sampling: NetworkRequest(partial(open_model, sampling), chat)


def _draws(sampling: Sampling | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of a model class, and the additional ones of its server, that sample a reply."""
    if sampling is None:
        return {}, {}
    return {"temperature": sampling.temperature}, {"seed": sampling.seed}


def _load_openai(provider: Provider, model: str, settings: Settings) -> tuple[NewRequest, CountTokens]:
    """Load a model of OpenAI, or of the compatible server that `OPENAI_API_BASE` names and that may need no key."""
    model_class = _import_class(provider, "OpenAILike")
    client_class = _import_class(provider, "AsyncClient", "httpx")
    # OpenAI's newer models reject the parameter name that all other servers use.
    length = {"max_tokens": settings.max_output_tokens} if provider.server else {}
    hosted_length = {} if provider.server else {"max_completion_tokens": settings.max_output_tokens}

    @asynccontextmanager
    async def open_model(sampling: Sampling | None) -> AsyncIterator[Any]:
        temperature, seed = _draws(sampling)
        async with client_class(timeout=None) as client:
            yield model_class(
                model=model,
                api_base=provider.server or _OPENAI_ADDRESS,
                api_key=os.environ.get(provider.key_variable or "") or "none",
                is_chat_model=True,
                max_retries=0,
                timeout=settings.total_timeout,
                async_http_client=client,
                additional_kwargs=hosted_length | seed,
                **length,
                **temperature,
            )

    return _network_requests(open_model), count_tokens


def _load_ollama(provider: Provider, model: str, settings: Settings) -> tuple[NewRequest, CountTokens]:
    """Load a model of an Ollama server, with the context window it needs: Ollama truncates longer prompts silently."""
    model_class = _import_class(provider, "Ollama")
    client_class = _import_class(provider, "AsyncClient", "ollama")

    @asynccontextmanager
    async def open_model(sampling: Sampling | None) -> AsyncIterator[Any]:
        temperature, seed = _draws(sampling)
        async with client_class(host=provider.server, timeout=None) as client:
            yield model_class(
                model=model,
                context_window=_context_window(settings),
                additional_kwargs={"num_predict": settings.max_output_tokens} | seed,
                async_client=client,
                **temperature,
            )

    return _network_requests(open_model), count_tokens


def _load_anthropic(provider: Provider, model: str, settings: Settings) -> tuple[NewRequest, CountTokens]:
    model_class = _import_class(provider, "Anthropic")

    @asynccontextmanager
    async def open_model(sampling: Sampling | None) -> AsyncIterator[Any]:
        temperature = min(1.0, sampling.temperature) if sampling else None  # its range ends there; it takes no seed
        client = model_class(
            model=model,
            api_key=os.environ.get(provider.key_variable or ""),
            max_tokens=settings.max_output_tokens,
            max_retries=0,
            timeout=settings.total_timeout,
            **({} if temperature is None else {"temperature": temperature}),
        )
        async with client._aclient:  # it accepts no other client, and does not close its own
            yield client

    return _network_requests(open_model), count_tokens


def _load_huggingface(provider: Provider, model: str, settings: Settings) -> tuple[NewRequest, CountTokens]:
    model_class, folder = _import_class(provider, "HuggingFaceLLM"), Path(model).expanduser()
    name = str(folder) if folder.is_dir() else model
    loaded = _load_weights(
        provider,
        model,
        lambda: model_class(
            model_name=name,
            tokenizer_name=name,
            context_window=_context_window(settings),
            max_new_tokens=settings.max_output_tokens,
            generate_kwargs={"do_sample": False},
        ),
    )
    _check_window(loaded.context_window, model, settings)
    tokenizer = loaded._tokenizer
    write = by_template(partial(transformers_prompt, tokenizer)) if tokenizer.chat_template else _plain_prompt
    loaded.messages_to_prompt = write

    def set_stop(should_stop: Callable[..., bool]) -> None:
        # Generation runs in a thread that llama-index would let run on to the last token.
        loaded._stopping_criteria = [should_stop]

    def set_sampling(sampling: Sampling | None) -> None:
        # Unseeded: its random numbers are those of the process, and no two replies get the same ones.
        loaded.generate_kwargs.clear()
        loaded.generate_kwargs.update({"do_sample": sampling is not None} | _draws(sampling)[0])

    encode = partial(tokenizer.encode, add_special_tokens=False)
    return local_requests(loaded, set_stop, set_sampling), lambda text: len(encode(text))


def _load_llamacpp(provider: Provider, model: str, settings: Settings) -> tuple[NewRequest, CountTokens]:
    model_class, file = _import_class(provider, "LlamaCPP"), Path(model).expanduser()
    if not file.is_file():
        raise ModelError(f"llamacpp/ models are GGUF files, and there is no file {file}")
    sizes = {"context_window": _context_window(settings), "max_new_tokens": settings.max_output_tokens}
    load_model = partial(model_class, model_path=str(file), temperature=0.0, verbose=False, **sizes)
    loaded = _load_weights(provider, model, load_model)
    llama = loaded._model
    loaded.messages_to_prompt = _gguf_prompt(provider, llama.metadata.get("tokenizer.chat_template"))

    def set_stop(should_stop: Callable[..., bool]) -> None:
        # It emits only whole characters, and some take several tokens: checking between two pieces could be too late.
        loaded.generate_kwargs["stopping_criteria"] = should_stop

    def set_sampling(sampling: Sampling | None) -> None:
        temperature, seed = _draws(sampling)
        loaded.generate_kwargs.update({"temperature": 0.0, "seed": None} | temperature | seed)

    tokenize = partial(llama.tokenize, add_bos=False)
    return local_requests(loaded, set_stop, set_sampling), lambda text: len(tokenize(text.encode()))


_LOADERS: dict[str, Callable[[Provider, str, Settings], tuple[NewRequest, CountTokens]]] = {
    "ollama": _load_ollama,
    "openai": _load_openai,
    "anthropic": _load_anthropic,
    "huggingface": _load_huggingface,
    "llamacpp": _load_llamacpp,
}


def _context_window(settings: Settings) -> int:
    return settings.max_prompt_tokens + settings.max_output_tokens + _TEMPLATE_TOKENS


def _check_window(window: int, model: str, settings: Settings) -> None:
    """Raise ModelError if a prompt and a reply of the settings' lengths exceed the model's context window."""
    if window < _context_window(settings):
        room = max(0, window - settings.max_output_tokens - _TEMPLATE_TOKENS)
        raise ModelError(
            f"{model} reads at most {window} tokens, prompt and reply together: lower "
            f"PAPERCHAT_MAX_PROMPT_TOKENS to {room}, or PAPERCHAT_MAX_OUTPUT_TOKENS"
        )


def _plain_prompt(chat: Sequence[Any]) -> str:
    """Write the prompt of a model that has no chat template."""
    from llama_index.core.base.llms.generic_utils import messages_to_prompt

    return str(messages_to_prompt(chat))


def _gguf_prompt(provider: Provider, template: str | None) -> WritePrompt:
    """Return a function that writes llama.cpp prompts; the tokenizer adds the initial token."""
    if not template:
        return _plain_prompt
    formatter_class = _import_class(provider, "Jinja2ChatFormatter", "llama_cpp.llama_chat_format")
    formatter = formatter_class(template=template, bos_token="", eos_token="")
    return by_template(lambda messages: str(formatter(messages=messages).prompt))


def _load_weights(provider: Provider, model: str, load_model: Callable[[], Any]) -> Any:
    try:
        return load_model()
    except Exception as error:  # damaged weights fail in many ways
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{provider.name}/{model} cannot be loaded: {reason}") from error


def _import_class(provider: Provider, name: str, module: str | None = None) -> Any:
    try:
        return getattr(importlib.import_module(module or provider.module), name)
    except ImportError as error:
        raise ModelError(f"{provider.name}/ models need another package: {provider.install}") from error
