"""The providers of language models: what each needs before it can be used, and the models that it offers.

Only servers of this machine, or those that the environment names, are contacted.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import ModelError

# Seconds to wait for what a server tells of its models, and the longest list that is read, in bytes.
_TIMEOUT = 3
_MAX_LIST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider is installed and reached.

    `name` is the prefix of its models' names and the extra that installs it, `module` the llama-index package behind
    it, and `model_form` what follows the prefix. `address_variable` and `key_variable` are environment variables;
    `default_address` is where a local server listens unless the variable says otherwise.
    """

    name: str
    module: str
    model_form: str
    address_variable: str | None = None
    key_variable: str | None = None
    default_address: str | None = None

    @property
    def form(self) -> str:
        """Return the form of its models' names in the settings."""
        return f"{self.name}/{self.model_form}"

    @property
    def install(self) -> str:
        """Return the command that installs it."""
        return f"pip install 'paperchat[{self.name}]'"

    @property
    def is_installed(self) -> bool:
        """Return whether its package can be imported, without importing it."""
        try:
            return find_spec(self.module) is not None
        except (ImportError, ValueError):  # a parent package is missing, or was removed from sys.modules
            return False

    @property
    def server(self) -> str | None:
        """Return the address of the server to contact, or None for a hosted service and for models in this process.

        Raise ModelError if the environment names an address that no web server can have.
        """
        address = os.environ.get(self.address_variable or "") or self.default_address
        return _full_address(address, self.default_address) if address else None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a request to its server: the key, if there is one."""
        key = os.environ.get(self.key_variable or "")
        return {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def missing(self) -> str | None:
        """Return which environment variable must be set before it can be used, or None if none must."""
        if self.key_variable is None or self.server or os.environ.get(self.key_variable):
            return None
        alternative = f", or {self.address_variable} to the address of a compatible server"
        return f"set {self.key_variable}{alternative if self.address_variable else ''}"


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A provider with the models that it offers, named as in the settings, or the reason that they are unknown."""

    provider: Provider
    models: tuple[str, ...] = ()
    problem: str | None = None


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("ollama", "llama_index.llms.ollama", "<model>", "OLLAMA_HOST", None, "http://localhost:11434"),
        Provider("openai", "llama_index.llms.openai_like", "<model>", "OPENAI_API_BASE", "OPENAI_API_KEY"),
        Provider("anthropic", "llama_index.llms.anthropic", "<model>", key_variable="ANTHROPIC_API_KEY"),
        Provider("huggingface", "llama_index.llms.huggingface", "<repo or folder>"),
        Provider("llamacpp", "llama_index.llms.llama_cpp", "<file.gguf>"),
    )
}


def split_name(name: str) -> tuple[Provider, str]:
    """Split `provider/model` into the two. Raise ModelError if the provider is unknown."""
    provider, _, model = name.partition("/")
    if provider not in PROVIDERS:
        forms = ", ".join(provider.form for provider in PROVIDERS.values())
        raise ModelError(f"unknown provider {provider!r} of a language model: use extractive, {forms}")
    return PROVIDERS[provider], model


def list_models() -> list[ProviderStatus]:
    """Return every provider with its models. Local servers are asked for theirs, for a few seconds each."""
    return [_status(provider) for provider in PROVIDERS.values()]


def _status(provider: Provider) -> ProviderStatus:
    if provider.server is None:
        return ProviderStatus(provider)
    try:
        models = _fetch_model_names(provider, provider.server)
    except OSError as error:
        reason = getattr(error, "reason", error)
        return ProviderStatus(provider, problem=f"cannot list the models of {provider.server}: {reason}")
    except (ValueError, KeyError, TypeError):
        problem = f"{provider.server} does not list its models in the format of {provider.name}"
        return ProviderStatus(provider, problem=problem)
    return ProviderStatus(provider, tuple(f"{provider.name}/{model}" for model in models))


def _fetch_model_names(provider: Provider, server: str) -> list[str]:
    """Return the sorted names of a server's models. Raise OSError, and other errors if the list is malformed."""
    if provider.name == "ollama":
        return sorted(str(model["name"]) for model in fetch(f"{server}/api/tags", {})["models"])
    return sorted(str(model["id"]) for model in fetch(f"{server}/models", provider.headers)["data"])


def fetch(address: str, headers: Mapping[str, str], question: Mapping[str, Any] | None = None) -> Any:
    """Return the JSON at an address of a server, to which the question is posted if there is one.

    Raise OSError where the server cannot be reached, ValueError where it sends no JSON.
    """
    body = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(address, body, dict(headers))  # noqa: S310 - http or https, see `_full_address`
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
        return json.loads(response.read(_MAX_LIST_BYTES))


def _full_address(address: str, default: str | None) -> str:
    """Return the address with its scheme and, for a local server, with the host and port that it may lack.

    Raise ModelError if it is not the address of a web server.
    """
    full = address.rstrip("/") if "://" in address else f"http://{address.rstrip('/')}"
    try:
        parts, usual = urlsplit(full), urlsplit(default or "")
        port = parts.port or usual.port
    except ValueError as error:
        raise ModelError(f"{address!r} is not a server address: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise ModelError(f"{address!r} is not a server address: it must begin with http:// or https://")
    if default is None or parts.scheme == "https":
        return full
    host = usual.hostname if parts.hostname in (None, "0.0.0.0") else parts.hostname  # noqa: S104 - not bound
    return f"{parts.scheme}://{host}:{port}{parts.path}"
