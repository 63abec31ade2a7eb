"""Review what a language model wrote: resolve its citations, attribute sentences without one, verify every sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.citations import Resolved, build_citations, cited_text, remove_markers, renumber, resolve, strip
from assistant.schema import Citation, Hit, Passage, Sentence, Verdict
from assistant.verification import remarks, verify
from assistant.verification.remarks import SentenceKind
from assistant.verification.support import SupportModel
from assistant.verification.verify import CheckedSentence

NORMAL, STRICT, OFF = "normal", "strict", "off"


@dataclass(frozen=True, slots=True)
class Review:
    """A model's text with its citations and a verdict on each sentence; `dropped` citations stood for no paper.

    `passages` has for each sentence the nearest passage of each paper that it cites, by number.
    """

    text: str
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    dropped: int
    passages: tuple[Mapping[int, Passage], ...] = ()

    @property
    def is_supported(self) -> bool:
        """Return whether a sentence of the model's own is supported, or was taken unchecked."""
        return bool(self._own_verdicts & {Verdict.SUPPORTED, Verdict.UNCHECKED})

    @property
    def denies_answer(self) -> bool:
        """Return whether it says nothing but that the abstracts do not answer."""
        remarks_only = self._own_verdicts == {Verdict.REMARK}
        return remarks_only and any(remarks.kind(sentence.text) is SentenceKind.DENIAL for sentence in self.sentences)

    @property
    def _own_verdicts(self) -> set[Verdict]:
        return {sentence.verdict for sentence in self.sentences if sentence.replaces is None}


def review(text: str, shown: Sequence[Hit], model: SupportModel, mode: str) -> Review:
    """Return the review of a text that was written from the hits shown; `mode` is the setting `verify`.

    In strict mode the nearest passages replace the sentences that no abstract supports; with verification off, the
    passages that bear on the question stand behind every citation. Raises ModelError where a model fails.
    """
    resolved = resolve(text, shown)
    if mode == OFF:
        return _unchecked(resolved)
    marked, hits, attributed = verify.attribute(resolved.text, resolved.hits, model, shown)
    whole = replace(resolve(marked, hits), dropped=resolved.dropped)
    checked = [_noted(item, attributed) for item in verify.verify_text(whole.text, whole.hits, model)]
    if mode == STRICT and any(item.sentence.verdict.is_doubtful for item in checked):
        whole, checked = _quoting(checked, whole, shown, model)
    return Review(
        whole.text,
        build_citations(whole.hits, _passages_by_number(checked)),
        tuple(item.sentence for item in checked),
        whole.dropped,
        tuple(item.passages for item in checked),
    )


def _unchecked(resolved: Resolved) -> Review:
    passages = {number: hit.passages for number, hit in enumerate(resolved.hits, start=1)}
    sentences = tuple(item.sentence for item in verify.take_unchecked(resolved.text))
    return Review(resolved.text, build_citations(resolved.hits, passages), sentences, resolved.dropped)


def _passages_by_number(checked: Sequence[CheckedSentence]) -> dict[int, list[Passage]]:
    passages: dict[int, list[Passage]] = {}
    for item in checked:
        for number, passage in item.passages.items():
            passages.setdefault(number, []).append(passage)
    return passages


def _noted(item: CheckedSentence, attributed: set[str]) -> CheckedSentence:
    """Return the sentence with a note where its citation was added by the review."""
    was_added = bool(item.sentence.citations) and remove_markers(item.sentence.text) in attributed
    return replace(item, sentence=replace(item.sentence, attributed=was_added))


def _quoting(
    checked: Sequence[CheckedSentence], whole: Resolved, shown: Sequence[Hit], model: SupportModel
) -> tuple[Resolved, list[CheckedSentence]]:
    """Return the sentences, a line each, with the nearest passage in the place of each that nothing supports."""
    hits = list(whole.hits)
    quoted: dict[str, CheckedSentence] = {}
    for item in checked:
        new = _quoted(item, hits, shown, model) if item.sentence.verdict.is_doubtful else item
        before = quoted.get(new.sentence.text)
        quoted[new.sentence.text] = _joined(before, new) if before else new
    order = list(dict.fromkeys(number for item in quoted.values() for number in item.sentence.citations))
    renumbered = [_renumbered(item, order) for item in quoted.values()]
    text = cited_text([item.sentence for item in renumbered])
    return Resolved(text, tuple(hits[number - 1] for number in order), whole.dropped), renumbered


def _quoted(item: CheckedSentence, hits: list[Hit], shown: Sequence[Hit], model: SupportModel) -> CheckedSentence:
    """Return the passage of the abstracts nearest to the sentence in its place; its hit is added to `hits`."""
    sentence = item.sentence
    cited = [hits[number - 1] for number in sentence.citations]
    nearest = verify.nearest_passage(sentence.text, cited or shown, model)
    if nearest is None:
        return item
    hit, passage = nearest
    hits += [] if hit in hits else [hit]
    number = hits.index(hit) + 1
    # A marker within an abstract would read as one of the answer's.
    text, reason = strip(passage.text), "quoted from the abstract"
    quote = Sentence(text, (number,), Verdict.SUPPORTED, 1.0, reason, replaces=strip(sentence.text))
    return CheckedSentence(quote, {number: passage})


def _joined(first: CheckedSentence, second: CheckedSentence) -> CheckedSentence:
    """Return one sentence for two that were replaced by the same passage."""
    replaced = [item.sentence.replaces for item in (first, second) if item.sentence.replaces]
    return replace(first, sentence=replace(first.sentence, replaces=" ".join(replaced) or None))


def _renumbered(item: CheckedSentence, order: Sequence[int]) -> CheckedSentence:
    """Return the sentence with each number replaced by its position in the order."""
    new_numbers = {number: position for position, number in enumerate(order, start=1)}
    numbers = tuple(new_numbers[number] for number in item.sentence.citations)
    text = renumber(item.sentence.text, new_numbers)
    passages = {new_numbers[number]: passage for number, passage in item.passages.items()}
    return CheckedSentence(replace(item.sentence, text=text, citations=numbers), passages)
