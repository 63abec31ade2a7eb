"""Who can run a language model: what each provider needs to be had, and which models are to be found there.

Nothing but a server of this machine, or one that the person has named, is ever asked here.
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

# Seconds that a server has to list its models, and the longest list that is read, in bytes.
_PATIENCE = 3
_LONGEST_LIST = 4_000_000


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider is had.

    `name` is what a model's name begins with and the extra that installs it; `module` is the llama-index package
    behind it and `model` the form that the rest of the name has. `address` and `key` are variables of the
    environment, where it takes one; `local` is the address of a server that needs no variable.
    """

    name: str
    module: str
    model: str
    address: str | None = None
    key: str | None = None
    local: str | None = None

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'paperchat[{self.name}]'"

    @property
    def is_installed(self) -> bool:
        """Whether its package can be imported; nothing is."""
        try:
            return find_spec(self.module) is not None
        except (ImportError, ValueError):  # the package around it is not there either, or was taken away
            return False

    @property
    def server(self) -> str | None:
        """The address of the server that is asked, None where that is the provider's own or there is none."""
        given = os.environ.get(self.address or "") or self.local
        return _whole(given, self.local) if given else None

    @property
    def missing(self) -> str | None:
        """What has to be set before it can be used; None where nothing has."""
        if self.key is None or self.server or os.environ.get(self.key):
            return None
        return f"set {self.key}" + (
            f", or {self.address} to the address of a compatible server" if self.address else ""
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider has: the names of its models as the settings take them, or why they cannot be listed."""

    provider: Provider
    models: tuple[str, ...] = ()
    problem: str | None = None


PROVIDERS: Mapping[str, Provider] = {
    each.name: each
    for each in (
        Provider("ollama", "llama_index.llms.ollama", "<model>", "OLLAMA_HOST", local="http://localhost:11434"),
        Provider("openai", "llama_index.llms.openai_like", "<model>", "OPENAI_API_BASE", "OPENAI_API_KEY"),
        Provider("anthropic", "llama_index.llms.anthropic", "<model>", key="ANTHROPIC_API_KEY"),
        Provider("huggingface", "llama_index.llms.huggingface", "<repo or folder>"),
        Provider("llamacpp", "llama_index.llms.llama_cpp", "<file.gguf>"),
    )
}


def named(name: str) -> tuple[Provider, str]:
    """The provider and the model of a `provider/model` name. Raises ModelError where there is no such provider."""
    provider, _, model = name.partition("/")
    if provider not in PROVIDERS:
        known = ", ".join(f"{each.name}/{each.model}" for each in PROVIDERS.values())
        raise ModelError(f"no provider {provider!r} for a language model: use extractive, {known}")
    return PROVIDERS[provider], model


def offers() -> list[Offer]:
    """What every provider has; those with a server of one's own are asked, each for a few seconds at most."""
    return [_offer(provider) for provider in PROVIDERS.values()]


def _offer(provider: Provider) -> Offer:
    if provider.server is None:
        return Offer(provider)
    try:
        return Offer(provider, tuple(f"{provider.name}/{model}" for model in _listed(provider, provider.server)))
    except OSError as error:
        return Offer(provider, problem=f"no list of models from {provider.server}: {getattr(error, 'reason', error)}")
    except (ValueError, KeyError, TypeError):
        return Offer(provider, problem=f"{provider.server} does not list its models as {provider.name} does")


def _listed(provider: Provider, server: str) -> list[str]:
    """The names of a server's models, sorted. Raises OSError, and others where the list is none."""
    if provider.name == "ollama":
        return sorted(str(each["name"]) for each in _fetch(f"{server}/api/tags", {})["models"])
    key = os.environ.get(provider.key or "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return sorted(str(each["id"]) for each in _fetch(f"{server}/models", headers)["data"])


def _fetch(address: str, headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(address, headers=dict(headers))  # noqa: S310 - always http, see `_whole`
    with urllib.request.urlopen(request, timeout=_PATIENCE) as reply:  # noqa: S310
        return json.loads(reply.read(_LONGEST_LIST))


def _whole(address: str, local: str | None) -> str:
    """An address with the scheme and, where it is a local server's, the host and the port that it may lack.

    Raises ModelError where it is no address of a web server.
    """
    whole = address.rstrip("/") if "://" in address else f"http://{address.rstrip('/')}"
    try:
        found, usual = urlsplit(whole), urlsplit(local or "")
        port = found.port or usual.port
    except ValueError as error:
        raise ModelError(f"{address!r} is no address of a server: {error}") from error
    if found.scheme not in ("http", "https"):
        raise ModelError(f"{address!r} is no address of a server: it must begin with http:// or https://")
    if local is None or found.scheme == "https":
        return whole
    host = usual.hostname if found.hostname in (None, "0.0.0.0") else found.hostname  # noqa: S104 - not bound
    return f"{found.scheme}://{host}:{port}{found.path}"
