"""Ask a server of language models how many tokens a model reads, prompt and reply together.

Ollama tells it in `/api/show`. Of the compatible servers, vLLM and others tell it in their list of models, and
llama.cpp in `/props`, where it is the window that the server was started with.
"""

from __future__ import annotations

from typing import Any

from assistant.errors import ModelError
from assistant.llm.providers import Provider, fetch

# What the servers call the window in their lists of models: vLLM; LM Studio, OpenRouter; llama.cpp.
_NAMES = ("max_model_len", "loaded_context_length", "max_context_length", "context_length")


def fetch_window(provider: Provider, model: str) -> int | None:
    """Return the window of a served model in tokens; None where the server does not tell it, or cannot be reached."""
    try:
        server = provider.server
        if server is None:
            return None
        window = _ollama_window(server, model) if provider.name == "ollama" else _listed_window(provider, model)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelError):
        return None
    return window if isinstance(window, int) and window > 0 else None


def _ollama_window(server: str, model: str) -> Any:
    described = fetch(f"{server}/api/show", {}, {"model": model})["model_info"]
    return next((value for name, value in described.items() if name.endswith(".context_length")), None)


def _listed_window(provider: Provider, model: str) -> Any:
    headers = provider.headers
    listed = fetch(f"{provider.server}/models", headers)["data"]
    entry = next(entry for entry in (*listed, {}) if entry.get("id", model) == model)
    if entry.get("owned_by") == "llamacpp":
        server = str(provider.server).removesuffix("/v1")
        return fetch(f"{server}/props", headers)["default_generation_settings"]["n_ctx"]
    return next((entry[name] for name in _NAMES if name in entry), None)
