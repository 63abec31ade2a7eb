"""Choose the abstracts that a language model is shown: those that may bear on the question, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.question.intent import SURVEY
from assistant.schema import Hit

# The most abstracts that are shown, more where a question asks what several papers say.
_MAX_SHOWN, _MAX_SHOWN_OF_SURVEY = 6, 10
# The least share of the best score from which a hit is shown. `python -m eval.training.shown` measures it.
SHARE_OF_BEST = 0.7


def select_shown(hits: Sequence[Hit], intent: str, share: float | None = None) -> tuple[Hit, ...]:
    """Return the hits to show, best first: the first one, and those whose score comes near to the best."""
    most = _MAX_SHOWN_OF_SURVEY if intent in SURVEY else _MAX_SHOWN
    least = max((hit.score for hit in hits), default=0.0) * (SHARE_OF_BEST if share is None else share)
    return (*hits[:1], *(hit for hit in hits[1:] if hit.score >= least))[:most]
