"""How many lies in a language model's answer are marked, and how many true sentences are marked by mistake.

Sentences are planted as a model would write them, with a citation, and judged among the papers that it would have
been shown: claims that people wrote about a paper, right and subtly wrong; sentences that answer a question, as they
stand in the abstract and retold; and both made wrong by rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean

from rich.progress import track

from assistant.chat import Assistant
from assistant.schema import Hit, Verdict
from assistant.settings import Settings
from assistant.verification import verify
from assistant.verification.support import SupportModel
from eval.corpora import over_seeds
from eval.suites import SEEDS, Claim, Question, load, load_claims
from eval.training.perturb import retold, wrong

# Papers that a model is shown.
_SHOWN = 6
_WRITTEN, _MADE, _QUOTED = "claims", "claims made wrong", "sentences made wrong"


@dataclass(frozen=True, slots=True)
class Planted:
    """A sentence that cites a paper, in answer to a question; `source` and `kind` say what it is."""

    sentence: str
    paper: str
    question: str
    true: bool
    source: str
    kind: str


def lies(settings: Settings, split: str | None, limit: int | None = None) -> dict[str, dict[str, str]]:
    """By source and kind, the share that is marked and of how many: of lies, and of true sentences.

    With a limit, of so many claims and questions. Raises InputError where the seeds are not at hand.
    """
    assistant = over_seeds(settings)
    claims, questions = load_claims(SEEDS / "claims.jsonl", split), load(SEEDS / "single.jsonl", split)
    planted = [*_claims(claims[:limit]), *_sentences(questions[:limit])]
    marked: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for each, found in zip(planted, _marked(assistant, planted), strict=True):
        told = marked[f"{'true' if each.true else 'lies'}: {each.source}"]
        told["all"].append(found)
        told[each.kind].append(found)
    return {
        source: {kind: f"{fmean(found):.3f} of {len(found)}" for kind, found in kinds.items()}
        for source, kinds in marked.items()
    }


def _claims(claims: Sequence[Claim]) -> Iterator[Planted]:
    random, texts = Random(0), [each.text for each in claims]  # noqa: S311 - the same ones every time
    for each in claims:
        yield Planted(each.text, each.paper, each.text, each.supported, _WRITTEN, each.group)
        for kind, text in wrong(each.text, texts, random).items() if each.supported else ():
            yield Planted(text, each.paper, each.text, False, _MADE, kind)


def _sentences(questions: Sequence[Question]) -> Iterator[Planted]:
    answers = [
        (sentence, paper, each.text)
        for each in questions
        for paper in sorted(each.papers)
        for sentence in each.evidence
    ]
    random, texts = Random(0), [sentence for sentence, _, _ in answers]  # noqa: S311
    for number, (sentence, paper, question) in enumerate(answers):
        yield Planted(sentence, paper, question, True, "sentences", "as they stand")
        yield Planted(retold(sentence), paper, question, True, "sentences", "retold")
        for kind, text in wrong(sentence, texts, random).items():
            yield Planted(text, paper, question, False, _QUOTED, kind)
        other = answers[number - 1][1]
        if other != paper:
            yield Planted(sentence, other, question, False, _QUOTED, "other-paper")


def _marked(assistant: Assistant, planted: Sequence[Planted]) -> Iterator[bool]:
    """Whether each is anything but supported, by the verdict that it would have in an answer."""
    catalog, judge = assistant.library.catalog, SupportModel(assistant.library.embedder, assistant.library.lexicon)
    shown: dict[str, tuple[Hit, ...]] = {}
    for each in track(planted, "Planting sentences", transient=True):
        if each.question not in shown:
            shown[each.question] = assistant.search(each.question).hits[:_SHOWN]
            beside = [other.sentence for other in planted if other.question == each.question]
            judge.encode([*beside, *(hit.paper.abstract for hit in shown[each.question])])
        cited = Hit(1, 1.0, catalog.papers.find(each.paper))
        found = verify.verify_text(f"{each.sentence} [1]", [cited], judge, shown[each.question])
        yield any(checked.sentence.verdict is not Verdict.SUPPORTED for checked in found)
