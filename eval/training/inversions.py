"""Fit the weights of `assistant.question.inversion`: `python -m eval.training.inversions --data DATA`.

The sentences that fit it are claims in which somebody wrote "does not", "do not" or "did not" before a verb. Without
those two words and with the verb inflected as they leave it, such a claim shows where a negation goes. Claims with a
modal verb ("can reduce") show the verb, too, once it is left out. Figures are by cross-validation, on the former alone.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.question import inversion, linear, subject
from assistant.question.inversion import OTHER, VERB
from assistant.question.linear import LinearClassifier
from assistant.question.subject import split, word_features
from assistant.text.function_words import FUNCTION_WORDS
from eval.training import command, softmax
from eval.training.examples import read_annotated, read_lines
from eval.training.softmax import Figures

_FOLDS, _PENALTY = 5, 0.1
# Public sets whose licence allows weights to be shipped, and the most claims of each: some are made of a template.
_SETS, _OF_SET = ("check_covid", "conjnli", "evidence_inference", "fever_eraser", "fm2", "nli_new_protocols"), 100
_MODAL = re.compile(r"\b(?:can|could|may|might|must|should|will|would) (?=[a-z]+\b)")
_DO = ("do", "does", "did")
_ADVERBS = frozenset("also even further just never not now often only still then thus".split())
_NEGATED = re.compile(r"\b(does|do|did) not (?=[a-z]+\b)")
# Claims with fewer than so many words before and behind the negation are fragments; words in fewer claims than this are
# not read as themselves.
_LEAST_WORDS, _LEAST_CLAIMS = 4, 3


@dataclass(frozen=True, slots=True)
class NegatedClaim:
    """A claim without its negation, and the position of the verb that had one."""

    text: str
    verb: int

    @property
    def fold(self) -> int:
        """Return the fold, by a hash of the text."""
        return zlib.crc32(self.text.encode()) % _FOLDS


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    out: Annotated[Path, typer.Option(help="File of the weights.")] = inversion.WEIGHTS,
    vocabulary_out: Annotated[Path, typer.Option(help="File of the words that are read.")] = inversion.VOCABULARY,
) -> None:
    """Fit the classifier, write its weights and print how often the verb is found in claims of other folds."""
    claims, modal = read_negated(data), read_modal(data)
    right = []
    for fold in range(_FOLDS):
        words, classifier = fit([claim for claim in (*claims, *modal) if claim.fold != fold])
        right += [_found(claim, words, classifier) for claim in claims if claim.fold == fold]
    typer.echo(f"{len(claims)} claims: verb found {np.mean(right):.3f}, cross-validated")
    words, classifier = fit([*claims, *modal])
    linear.save(classifier, out)
    vocabulary_out.write_text("".join(f"{word}\n" for word in sorted(words)), encoding="utf-8")


def read_negated(data: Path) -> list[NegatedClaim]:
    """Return the claims of the training part of the annotated abstracts and of the public sets. Raises InputError."""
    texts = _annotated_claims(data)
    for name in _SETS:
        rows = read_lines(data / "judge" / "nli" / f"{name}.jsonl.gz", "claim")
        negated = [text for text in dict.fromkeys(row["claim"] for row in rows) if _NEGATED.search(text)]
        texts += sorted(negated, key=lambda text: zlib.crc32(text.encode()))[:_OF_SET]
    return [claim for text in dict.fromkeys(texts) for claim in _negated(text)]


def read_modal(data: Path) -> list[NegatedClaim]:
    """Return the claims of the annotated training abstracts with one modal verb, without it. Raises InputError."""
    return [claim for text in dict.fromkeys(_annotated_claims(data)) for claim in _without_modal(text)]


def _annotated_claims(data: Path) -> list[str]:
    return [claim["text"] for paper in read_annotated(data) if paper.part == "train" for claim in paper.claims]


def _without_modal(text: str) -> Iterator[NegatedClaim]:
    matches = list(_MODAL.finditer(text))
    if len(matches) != 1:
        return
    (match,) = matches
    before, (verb, rest) = text[: match.start()], _divided(text[match.end() :])
    # An adverb, or another auxiliary, is no verb that would be negated.
    if verb in FUNCTION_WORDS or verb.endswith("ly") or verb in _ADVERBS:
        return
    # Every inflection is met as often, whatever the subject.
    inflected = before + _inflected(verb, _DO[zlib.crc32(text.encode()) // _FOLDS % len(_DO)]) + rest
    position = len(split(before))
    if 0 < position < len(split(inflected)) and len(split(inflected)) >= _LEAST_WORDS:
        yield NegatedClaim(inflected, position)


def _negated(text: str) -> Iterator[NegatedClaim]:
    matches = list(_NEGATED.finditer(text))
    if len(matches) != 1:
        return
    (match,) = matches
    before, (verb, rest) = text[: match.start()], _divided(text[match.end() :])
    inflected = before + _inflected(verb, match[1]) + rest
    position = len(split(before))
    if 0 < position < len(split(inflected)) and len(split(inflected)) >= _LEAST_WORDS:
        yield NegatedClaim(inflected, position)


def _divided(text: str) -> tuple[str, str]:
    verb = re.match(r"[a-z]+", text)
    return (verb[0], text[verb.end() :]) if verb else ("", text)


def _inflected(verb: str, auxiliary: str) -> str:
    """Return the verb as it is without its auxiliary: regular ones are most of them."""
    if auxiliary == "do":
        return verb
    if auxiliary == "did":
        return f"{verb}d" if verb.endswith("e") else f"{verb}ed"
    return f"{verb}es" if verb.endswith(("s", "sh", "ch", "x")) else f"{verb}s"


def fit(claims: Sequence[NegatedClaim]) -> tuple[frozenset[str], LinearClassifier]:
    """Return the words that are read as themselves, and the classifier."""
    counts = Counter(word for claim in claims for word in {word.text.casefold() for word in split(claim.text)})
    words = frozenset(word for word, count in counts.items() if count >= _LEAST_CLAIMS)
    rows = np.vstack([_rows(claim.text, words) for claim in claims])
    labels = [
        VERB if position == claim.verb else OTHER
        for claim in claims
        for position in range(1, len(subject.split(claim.text)))
    ]
    return words, softmax.fit_labelled(rows, labels, [1.0] * len(labels), _PENALTY, (VERB, OTHER))


def _found(claim: NegatedClaim, vocabulary: frozenset[str], classifier: LinearClassifier) -> bool:
    verbs = softmax.predict(classifier, _rows(claim.text, vocabulary))[:, 0]
    return 1 + int(verbs.argmax()) == claim.verb


def _rows(text: str, vocabulary: frozenset[str]) -> Figures:
    words = split(text)
    return np.array([word_features(text, words, position, None, vocabulary) for position in range(1, len(words))])


if __name__ == "__main__":
    command.run(main)
