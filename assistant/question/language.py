"""Recognize a question that is not in English, the language that abstracts are searched in.

The naive Bayes classifier over byte n-grams of py3langid (Lui and Baldwin 2011, "Cross-domain feature selection for
language identification"; its licence is beside the weights), for the languages that questions are asked in.
`python -m eval.training.languages` makes the weights. The library itself takes half a second and 80 MB to load.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights" / "languages.npz"
# Languages that questions are asked in: among all 98 of the model, names of methods pass for rare ones.
LANGUAGES = {
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
# The least probability: of 4,900 questions and messages in English none but noise reaches it (docs/experiments.md).
_LEAST = 0.7
# Characters that are read.
_MAX_CHARACTERS = 1000
# Bytes of the longest n-gram; a key has the n-gram in its lower bytes, and its length above them.
LONGEST = 6


def foreign_language(text: str) -> str | None:
    """Return the English name of the language of a text that is surely not in English; None for any other."""
    probabilities = _classifier().probabilities(text[:_MAX_CHARACTERS])
    code = max(probabilities, key=probabilities.__getitem__)
    return LANGUAGES[code] if code != _ENGLISH and probabilities[code] >= _LEAST else None


@dataclass(frozen=True, slots=True, eq=False)
class LanguageClassifier:
    """Naive Bayes: the log likelihood of n-gram i in language j is `steps[i, j] * scale[j] + least[j]`.

    `keys` are the n-grams in order, `classes` the code of each column: a language in two scripts has two.
    """

    keys: NDArray[np.uint64]
    steps: NDArray[np.uint8]
    scale: Floats
    least: Floats
    prior: Floats
    classes: tuple[str, ...]

    def probabilities(self, text: str) -> dict[str, float]:
        """Return the probability of each language by its code; a text without a known n-gram is as likely in all."""
        import numpy as np

        content = normalized(text)
        rows, counts = np.unique(self._longest_ngrams(content), return_counts=True)
        likelihoods = self.steps[rows] * self.scale + self.least
        scores = (np.log1p(counts.astype(np.float32)) @ likelihoods + self.prior) if len(rows) else 0 * self.prior
        # The root of the length as a temperature, as py3langid has it.
        shares = np.exp((scores - scores.max()) / math.sqrt(len(content) or 1))
        result: dict[str, float] = {}
        for code, share in zip(self.classes, shares / shares.sum(), strict=True):
            result[code] = result.get(code, 0.0) + float(share)
        return result

    def _longest_ngrams(self, content: bytes) -> NDArray[np.intp]:
        """Return the row of the longest known n-gram that ends at each byte, without the bytes where none does."""
        import numpy as np

        values = np.frombuffer(content, dtype=np.uint8).astype(np.uint64)
        rows = np.full(len(values), -1, dtype=np.intp)
        ngrams = np.zeros(len(values), dtype=np.uint64)
        for length in range(1, min(LONGEST, len(values)) + 1):
            # The byte in front of the n-grams so far; an n-gram that would begin before the text has no key.
            ngrams[length - 1 :] += values[: len(values) - length + 1] << np.uint64(8 * (length - 1))
            keys = ngrams[length - 1 :] + (np.uint64(length) << np.uint64(8 * LONGEST))
            positions = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            known = self.keys[positions] == keys
            rows[length - 1 :][known] = positions[known]
        return rows[rows >= 0]


def normalized(text: str) -> bytes:
    """Return the bytes that are classified: composed characters, and small letters where all are capitals."""
    return unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode(errors="surrogatepass")


def read_classifier(file: Path = WEIGHTS) -> LanguageClassifier:
    """Read the weights of the package."""
    import numpy as np

    with np.load(file, allow_pickle=False) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in ("keys", "steps", "scale", "least", "prior")}
        return LanguageClassifier(**arrays, classes=tuple(map(str, stored["classes"])))


@cache
def _classifier() -> LanguageClassifier:
    return read_classifier()
