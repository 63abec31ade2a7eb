"""What `paperchat models` prints: each provider, what it lacks, and the models that are to be found there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.llm.providers import Offer


def as_json(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """The providers for scripts."""
    return [
        {
            "provider": offer.provider.name,
            "form": f"{offer.provider.name}/{offer.provider.model}",
            "installed": offer.provider.is_installed,
            "install": offer.provider.install,
            "missing": offer.provider.missing,
            "server": offer.provider.server,
            "models": list(offer.models),
            "problem": offer.problem,
        }
        for offer in offers
    ]


def as_text(offers: Sequence[Offer], configured: str) -> str:
    """The providers for a person, and which model the settings name."""
    lines = [line for offer in offers for line in _lines(offer)]
    return "\n".join([*lines, f"Configured: {configured}. Another by --llm, PAPERCHAT_LLM, or llm in paperchat.toml."])


def _lines(offer: Offer) -> list[str]:
    provider = offer.provider
    lacks = [] if provider.is_installed else [f"not installed: {provider.install}"]
    lacks += [provider.missing] if provider.missing else []
    lacks += [offer.problem] if offer.problem else []
    head = f"{provider.name}/{provider.model}"
    state = "; ".join(lacks) or (f"ready at {provider.server}" if provider.server else "ready")
    return [f"{head:30}{state}", *(f"  {model}" for model in offer.models)]
