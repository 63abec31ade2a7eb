"""The output of `paperchat models`: each provider, what it lacks, and its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.llm.providers import ProviderStatus


def as_json(statuses: Sequence[ProviderStatus]) -> list[dict[str, Any]]:
    """Return the providers as JSON values."""
    return [
        {
            "provider": status.provider.name,
            "form": status.provider.form,
            "installed": status.provider.is_installed,
            "install": status.provider.install,
            "missing": status.provider.missing,
            "server": status.provider.server,
            "models": list(status.models),
            "problem": status.problem,
        }
        for status in statuses
    ]


def as_text(statuses: Sequence[ProviderStatus], configured: str) -> str:
    """Return the providers as text, with the model that the settings name."""
    lines = [line for status in statuses for line in _lines(status)]
    return "\n".join([*lines, f"Configured: {configured}. Another by --llm, PAPERCHAT_LLM, or llm in paperchat.toml."])


def _lines(status: ProviderStatus) -> list[str]:
    provider = status.provider
    lacks = [] if provider.is_installed else [f"not installed: {provider.install}"]
    lacks += [provider.missing] if provider.missing else []
    lacks += [status.problem] if status.problem else []
    state = "; ".join(lacks) or (f"ready at {provider.server}" if provider.server else "ready")
    return [f"{provider.form:30}{state}", *(f"  {model}" for model in status.models)]
