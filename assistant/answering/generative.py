"""A language model's answer: its citations resolved as it is written, each sentence checked when it is done.

Where the model fails, or says nothing that the abstracts support, they are quoted in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant import citations
from assistant.answering import answerability, digest
from assistant.answering.prompts import Prompt
from assistant.errors import ModelError
from assistant.protocols import LLM
from assistant.schema import Answer, Citation, Hit, Message, Passage, Sentence, Strength, Verdict, Withdrawn
from assistant.text.printable import printable
from assistant.verification import verify
from assistant.verification.non_claims import denies_answer
from assistant.verification.support import SupportModel
from assistant.verification.verify import CheckedSentence

STRICT, OFF = "strict", "off"
# Characters of an answer; whoever writes more is not answering a question.
LONGEST = 16_000
# By what share the text grows between snapshots, so that all of them together take time in proportion to its length.
_GROWTH = 0.01
_DOUBTFUL = (Verdict.UNSUPPORTED, Verdict.UNCITED)

# An answer that quotes, in the place of the draft's.
Quote = Callable[[Answer], Iterator[Answer]]


@dataclass(frozen=True, slots=True)
class Rules:
    """How an answer is checked: `verify` and `firm_from` are the settings of these names."""

    judge: SupportModel
    verify: str
    firm_from: float


class Reply:
    """What a language model has written so far, as text that can be shown; `cut` once it is longer than an answer."""

    def __init__(self) -> None:
        self.text, self.cut = "", False

    def read(self, llm: LLM, messages: Sequence[Message]) -> Iterator[str]:
        """The text so far, each time that it has grown, and while the model is silent, so that the reader may stop.

        The model stops where the reader does. Raises ModelError.
        """
        pieces, shown = llm.stream(messages), 0
        try:
            for piece in pieces:
                self._add(piece)
                if not piece or len(self.text) > shown * (1 + _GROWTH):
                    shown = len(self.text)
                    yield self.text
                if self.cut:
                    return
        finally:
            if isinstance(pieces, Generator):
                pieces.close()

    def _add(self, piece: str) -> None:
        room = LONGEST - len(self.text)
        self.text += printable(piece[: room + 1], keep="\n\t")[:room]
        self.cut = len(piece) > room


def written(draft: Answer, llm: LLM, prompt: Prompt, rules: Rules, quote: Quote) -> Iterator[Answer]:
    """Snapshots of the answer that the model writes to the prompt; the last one is checked.

    Where `verify` is strict no text is shown before it is checked.
    """
    reply = Reply()
    try:
        for text in reply.read(llm, prompt.messages):
            so_far = citations.resolve(citations.settled(text), prompt.hits)
            yield draft if rules.verify == STRICT else _cited(draft, so_far)
        yield from _finished(replace(draft, cut=reply.cut), reply.text, prompt.hits, rules, quote)
    except ModelError as error:
        yield from quote(replace(draft, withdrawn=Withdrawn(reply.text, str(error), failed=True)))


def _finished(draft: Answer, text: str, shown: Sequence[Hit], rules: Rules, quote: Quote) -> Iterator[Answer]:
    """The answer with its verdicts, or what is quoted instead."""
    answer = _unchecked(draft, text, shown) if rules.verify == OFF else _checked(draft, text, shown, rules)
    verdicts = {sentence.verdict for sentence in answer.sentences if sentence.replaces is None}
    if not answer.sentences:
        raise ModelError(f"the language model {draft.model} returned no statement")
    if verdicts & {Verdict.SUPPORTED, Verdict.UNCHECKED}:
        yield replace(answer, done=True)
    elif verdicts == {Verdict.REMARK} and any(denies_answer(each.text) for each in answer.sentences):
        yield _declined(answer)
    else:
        reason = f"no abstract supports what the language model {draft.model} wrote"
        yield from quote(replace(draft, withdrawn=Withdrawn(text, reason, failed=False)))


def _unchecked(draft: Answer, text: str, shown: Sequence[Hit]) -> Answer:
    """The answer as the model wrote it; behind a citation stand the passages that bear on the question."""
    resolved = citations.resolve(text, shown)
    found = tuple(Citation(number, hit.paper, hit.passages) for number, hit in enumerate(resolved.hits, start=1))
    sentences = tuple(each.sentence for each in verify.take_unchecked(resolved.text))
    return replace(draft, text=resolved.text, citations=found, sentences=sentences, dropped=resolved.dropped)


def _checked(draft: Answer, text: str, shown: Sequence[Hit], rules: Rules) -> Answer:
    resolved = citations.resolve(text, shown)
    marked, hits, added = verify.attribute(resolved.text, resolved.hits, rules.judge, shown)
    whole = replace(citations.resolve(marked, hits), dropped=resolved.dropped)
    found = [_noted(each, added) for each in verify.verify_text(whole.text, whole.hits, rules.judge, shown)]
    if rules.verify == STRICT and any(each.sentence.verdict in _DOUBTFUL for each in found):
        whole, found = _quoting(found, whole, shown, rules.judge)
    answer = _cited(draft, whole, [each.passages for each in found])
    return _weighed(replace(answer, sentences=tuple(each.sentence for each in found)), rules.firm_from)


def _cited(draft: Answer, resolved: citations.Resolved, behind: Sequence[Mapping[int, Passage]] = ()) -> Answer:
    """A model's text with what its numbers stand for; `behind` has the passages of each sentence, by number."""
    found = tuple(
        Citation(number, hit.paper, tuple(dict.fromkeys(each[number] for each in behind if number in each)))
        for number, hit in enumerate(resolved.hits, start=1)
    )
    return replace(draft, text=resolved.text, citations=found, dropped=resolved.dropped)


def _noted(checked: CheckedSentence, added: set[str]) -> CheckedSentence:
    """The sentence with a note where its citation was found afterwards."""
    found = bool(checked.sentence.citations) and checked.sentence.text in added
    return replace(checked, sentence=replace(checked.sentence, attributed=found))


def _quoting(
    found: Sequence[CheckedSentence], whole: citations.Resolved, shown: Sequence[Hit], judge: SupportModel
) -> tuple[citations.Resolved, list[CheckedSentence]]:
    """The sentences, a line each, with the nearest passage in the place of each that nothing supports."""
    known = list(whole.hits)
    quoted: dict[str, CheckedSentence] = {}
    for each in found:
        new = _quoted(each, known, shown, judge) if each.sentence.verdict in _DOUBTFUL else each
        before = quoted.get(new.sentence.text)
        quoted[new.sentence.text] = _joined(before, new) if before else new
    order = list(dict.fromkeys(number for each in quoted.values() for number in each.sentence.citations))
    renumbered = [_renumbered(each, order) for each in quoted.values()]
    text = digest.text([each.sentence for each in renumbered])
    return citations.Resolved(text, tuple(known[number - 1] for number in order), whole.dropped), renumbered


def _quoted(checked: CheckedSentence, known: list[Hit], shown: Sequence[Hit], judge: SupportModel) -> CheckedSentence:
    """What the abstracts do say that is nearest to the sentence; its hit is added to those known."""
    sentence = checked.sentence
    cited = [known[number - 1] for number in sentence.citations]
    near = verify.nearest_passage(sentence.text, cited or shown, judge)
    if near is None:
        return checked
    hit, passage = near
    known += [] if hit in known else [hit]
    number = known.index(hit) + 1
    # A marker within an abstract would read as ours.
    text, reason = citations.strip(passage.text), "quoted from the abstract"
    quote = Sentence(text, (number,), Verdict.SUPPORTED, 1.0, reason, replaces=sentence.text)
    return CheckedSentence(quote, {number: passage})


def _joined(before: CheckedSentence, again: CheckedSentence) -> CheckedSentence:
    """One sentence for two that came out the same."""
    replaced = [each.sentence.replaces for each in (before, again) if each.sentence.replaces]
    return replace(before, sentence=replace(before.sentence, replaces=" ".join(replaced) or None))


def _renumbered(checked: CheckedSentence, order: Sequence[int]) -> CheckedSentence:
    """The same with each number as its place in the order."""
    numbers = tuple(order.index(number) + 1 for number in checked.sentence.citations)
    behind = {order.index(number) + 1: passage for number, passage in checked.passages.items()}
    return CheckedSentence(replace(checked.sentence, citations=numbers), behind)


def _weighed(answer: Answer, firm_from: float) -> Answer:
    """The answer, trusted as far as what it states is supported."""
    stated = [each for each in answer.sentences if each.verdict is not Verdict.REMARK]
    doubtful = sum(each.verdict in _DOUBTFUL or each.replaces is not None for each in stated)
    confidence = answer.confidence * (1 - doubtful / max(1, len(stated)))
    if answer.strength is not Strength.FIRM or not doubtful or confidence >= firm_from:
        return replace(answer, confidence=confidence)
    reason = f"the abstracts do not clearly support {doubtful} of the {len(stated)} sentences that the model wrote"
    return replace(answer, confidence=confidence, strength=Strength.TENTATIVE, reason=reason)


def _declined(answer: Answer) -> Answer:
    """An abstention in the words of the model, which finds no answer in the abstracts either."""
    return replace(
        answer,
        strength=Strength.NONE,
        confidence=0.0,
        reason=f"the language model {answer.model} finds no answer in the abstracts",
        text=citations.strip(answer.text),
        citations=(),
        sentences=(),
        nearest=tuple(hit.paper for hit in answer.hits[: answerability.NEAREST]),
        done=True,
    )
