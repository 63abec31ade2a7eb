"""Recognize a question that is not in English, the language that abstracts are searched in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Languages that questions are asked in: among all 98 of the model, names of methods pass for rare ones.
_LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_ENGLISH = "en"
# The least probability: of 2,100 questions and messages in English none reaches it (docs/experiments.md).
_LEAST = 0.9
# Characters that are read.
_MAX_CHARACTERS = 1000


def foreign_language(text: str) -> str | None:
    """Return the English name of the language of a text that is surely not in English; None for any other."""
    code, probability = _identifier().classify(text[:_MAX_CHARACTERS])
    return _LANGUAGES[code] if code != _ENGLISH and probability >= _LEAST else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LANGUAGES))
    return identifier
