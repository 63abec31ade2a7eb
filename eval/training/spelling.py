"""Fit the weights of `assistant.question.spelling`: `python -m eval.training.spelling --data DIR`.

The library is that of the annotated training abstracts. Questions about them get a slip made at random in one word, of
the kinds that typists make; what the words of questions about other abstracts are near to is meant as it is written.
Figures are of the dev questions of the seeds over the library of the seeds: slips corrected, and words left alone.
"""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.protocols import Embedder
from assistant.question import linear, terms
from assistant.question.spelling import WEIGHTS, Speller, Spelling
from assistant.question.terms import Term
from assistant.schema import Paper
from assistant.settings import Settings
from assistant.storage.lexicon import TantivyLexicon
from eval.corpora import over_seeds
from eval.suites import SEEDS, load
from eval.training import command, softmax
from eval.training.examples import AnnotatedAbstract, read_annotated
from eval.training.softmax import Figures

_SEED, _PENALTY = 20261127, 1.0
_KINDS = tuple(Spelling)
_THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)
# The keys beside a key, one row of a keyboard after another: a wrong letter is mostly a neighbour.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# The least letters of a word that a slip is made in, and the share of slips that spare its first letter.
_LEAST_LETTERS, _SPARED = 4, 0.9


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word of a question that no paper has, and what is meant by it: itself, or the word that it is a slip of."""

    question: str
    term: Term
    meant: str

    @property
    def is_slip(self) -> bool:
        """Return whether the word is a slip."""
        return self.meant != self.term.text.casefold()


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the classifier, write its weights and print its figures."""
    settings = Settings(engine="float32")
    embedder = factory.open_embedder(settings)
    abstracts = read_annotated(data)
    with tempfile.TemporaryDirectory() as folder:
        speller = _speller([paper for paper in abstracts if paper.part == "train"], Path(folder), embedder)
        written = [*_slips(_questions(abstracts, "train"), speller), *_meant(_other_questions(abstracts), speller)]
        rows, labels = examples(written, speller)
    classifier = softmax.fit_labelled(rows, labels, [1.0] * len(labels), _PENALTY, _KINDS)
    linear.save(classifier, out)
    typer.echo(f"fitted on {len(written)} words, {sum(word.is_slip for word in written)} of them slips")
    for line in report(settings, linear.load(out)):
        typer.echo(line)


def examples(written: Iterable[WrittenWord], speller: Speller) -> tuple[Figures, list[str]]:
    """Return the features of each word with each of its candidates, and whether the candidate is what is meant."""
    rows: list[Figures] = []
    labels: list[str] = []
    for word in written:
        for candidate in speller.candidates(word.term.text.casefold()):
            rows.append(speller.features(word.question, word.term, candidate))
            labels.append(Spelling.MISSPELT if candidate.word == word.meant else Spelling.MEANT)
    return np.array(rows), labels


def report(settings: Settings, classifier: linear.LinearClassifier) -> Iterator[str]:
    """Yield by threshold, over the dev questions of the seeds, the share of slips corrected and of words left alone."""
    library = over_seeds(settings).library
    speller = Speller(library.lexicon, library.catalog.papers.get, library.embedder)
    answerable = [question.text for question in load(SEEDS / "single.jsonl", "dev")]
    absent = [question.text for question in load(SEEDS / "unanswerable.jsonl", "dev")]
    slips = list(_slips(answerable, speller))
    meant = list(_meant([*answerable, *absent], speller))
    chosen = {word: _weighed(word, speller, classifier) for word in (*slips, *meant)}
    for least in _THRESHOLDS:
        right = np.mean([chosen[word][1] == word.meant and chosen[word][0] >= least for word in slips])
        wrong = np.mean([chosen[word][1] != word.meant and chosen[word][0] >= least for word in slips])
        changed = [f"{word.term.text} > {chosen[word][1]}" for word in meant if chosen[word][0] >= least]
        yield (
            f"from {least}: of {len(slips)} slips {right:.3f} corrected, {wrong:.3f} to another word; "
            f"of {len(meant)} words meant {len(changed)} changed: {', '.join(changed)}"
        )


def _weighed(word: WrittenWord, speller: Speller, classifier: linear.LinearClassifier) -> tuple[float, str]:
    column = _KINDS.index(Spelling.MISSPELT)
    candidates = speller.candidates(word.term.text.casefold())
    rows = np.array([speller.features(word.question, word.term, candidate) for candidate in candidates])
    weighed = softmax.predict(classifier, rows)[:, column].tolist()
    return max(zip(weighed, (candidate.word for candidate in candidates), strict=True), default=(0.0, ""))


def _speller(abstracts: Sequence[AnnotatedAbstract], folder: Path, embedder: Embedder) -> Speller:
    papers = {item.id: Paper(item.id, " ".join(item.sentences), item.title) for item in abstracts}
    lexicon = TantivyLexicon(folder)
    lexicon.replace(list(papers.values()))
    return Speller(lexicon, lambda ids: [papers[paper_id] for paper_id in ids], embedder)


def _questions(abstracts: Sequence[AnnotatedAbstract], part: str) -> list[str]:
    return [question["text"] for paper in abstracts if paper.part == part for question in paper.questions]


def _other_questions(abstracts: Sequence[AnnotatedAbstract]) -> list[str]:
    """Return questions that the library does not answer, as they are written and in small letters."""
    near = [text for paper in abstracts if paper.part == "train" for text in paper.near_misses]
    questions = [*near, *_questions(abstracts, "dev")]
    return [*questions, *map(str.lower, questions)]


def _slips(questions: Iterable[str], speller: Speller) -> Iterator[WrittenWord]:
    """Yield a slip made in one word of each question; none where that makes a word that papers have."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    for question in questions:
        words = [match for match in terms.WORD.finditer(question) if _may_slip(match.group(1), speller)]
        if not words:
            continue
        match = random.choice(words)
        meant = match.group(1).casefold()
        slip = _slip(match.group(1), random)
        text = question[: match.start()] + slip + question[match.start() + len(meant) :]
        yield from (
            WrittenWord(text, term, meant)
            for term in speller.unseen(text)
            if term.text == slip and slip.lower() != meant
        )


def _may_slip(word: str, speller: Speller) -> bool:
    """Return whether a slip is made in the word, which papers or any question have."""
    if len(word) < _LEAST_LETTERS or not (word.isascii() and word.isalpha()):
        return False
    index_terms = speller.lexicon.terms(word)
    idf = speller.lexicon.idf({"", *index_terms})
    return word.casefold() in terms.QUESTION_WORDS or any(idf[term] < idf[""] for term in index_terms)


def _slip(word: str, random: Random) -> str:
    """Return the word with two letters swapped, or one dropped, doubled, added or replaced by a neighbouring key."""
    position = random.randrange(int(random.random() < _SPARED), len(word))
    before, letter, after = word[:position], word[position], word[position + 1 :]
    kinds = [
        before[:-1] + letter + before[-1:] + after,
        before + after,
        before + letter + letter + after,
        before + _neighbour(letter, random) + letter + after,
        before + _neighbour(letter, random) + after,
    ]
    return random.choices(kinds, weights=(3, 3, 1, 1, 2))[0]


def _neighbour(letter: str, random: Random) -> str:
    row = next((row for row in _ROWS if letter.lower() in row), string.ascii_lowercase)
    position = max(row.find(letter.lower()), 0)
    return random.choice([row[max(0, position - 1)], row[min(len(row) - 1, position + 1)]])


def _meant(questions: Iterable[str], speller: Speller) -> Iterator[WrittenWord]:
    """Yield the words that no paper has, as they are."""
    for question in questions:
        yield from (WrittenWord(question, term, term.text.casefold()) for term in speller.unseen(question))


if __name__ == "__main__":
    command.run(main)
