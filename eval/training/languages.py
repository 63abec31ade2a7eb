"""Make the weights that recognize the language of a question: `python -m eval.training.languages`.

They are those of py3langid, whose model is not trained here: its automaton is written out as n-grams, the other
languages are left out, and log likelihoods are rounded to 256 steps for each language.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assistant.question.language import LANGUAGES, LONGEST, WEIGHTS
from eval.training import command

_STEPS = 255


def main(file: Path = WEIGHTS) -> None:
    """Write the weights and print how many n-grams there are."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    weights = written_out(identifier)
    np.savez(file, **weights)
    print(f"{len(weights['keys'])} n-grams, {file.stat().st_size / 1e6:.1f} MB")


def written_out(identifier: Any) -> dict[str, Any]:
    """Return the arrays of a LanguageClassifier from an identifier of py3langid."""
    by_key = {key(ngram): feature for ngram, feature in ngrams(identifier)}
    keys = np.array(sorted(by_key), dtype=np.uint64)
    table = np.asarray(identifier.nb_ptc, dtype=np.float32)[[by_key[number] for number in keys.tolist()]]
    least = table.min(axis=0)
    scale = np.maximum(table.max(axis=0) - least, 1e-9) / _STEPS
    return {
        "keys": keys,
        "steps": np.round((table - least) / scale).astype(np.uint8),
        "scale": scale.astype(np.float32),
        "least": least.astype(np.float32),
        "prior": np.asarray(identifier.nb_pc, dtype=np.float32),
        "classes": np.array(identifier.nb_classes),
    }


def ngrams(identifier: Any) -> Iterator[tuple[bytes, int]]:
    """Yield the n-gram of each state of the automaton that has a feature, with the feature, the shortest first.

    The automaton is that of Aho and Corasick: a state stands for the shortest text that leads to it. Its feature is
    that of the longest n-gram which the text ends with, so a state whose end has the same feature adds nothing.
    """
    features: dict[bytes, int] = {}
    for text, state in _states(identifier):
        feature = int(identifier.tk_output[state])
        inherited = next((features[text[start:]] for start in range(1, len(text)) if text[start:] in features), -1)
        if feature >= 0 and feature != inherited:
            features[text] = feature
            yield text, feature


def key(ngram: bytes) -> int:
    """Return the number that stands for an n-gram."""
    return int.from_bytes(ngram, "big") + (len(ngram) << 8 * LONGEST)


def _states(identifier: Any) -> Iterator[tuple[bytes, int]]:
    """Yield each state with the shortest text that leads to it, breadth first."""
    moves = np.asarray(identifier.tk_nextmove).reshape(-1, 256)
    seen, level = {0}, [(b"", 0)]
    while level:
        following = []
        for text, state in level:
            for byte, target in enumerate(moves[identifier.tk_row[state]].tolist()):
                if target not in seen:
                    seen.add(target)
                    following.append((text + bytes([byte]), target))
        yield from following
        level = following


if __name__ == "__main__":
    command.run(main)
