"""Measure the share of false sentences in a language model's answer that are flagged, and of true sentences.

Sentences are planted as a model would write them, with a citation, and verified among the papers that the model would
have been shown: claims that people wrote about a paper, true and subtly false; sentences that answer a question,
verbatim and paraphrased; and both with errors planted by rule.
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
from eval.training.perturb import paraphrase, perturbations

# Papers in the prompt of a model.
_PROMPT_PAPERS = 6
_CLAIMS, _CHANGED_CLAIMS, _SENTENCES, _CHANGED_SENTENCES = (
    "claims",
    "claims made wrong",
    "sentences",
    "sentences made wrong",
)


@dataclass(frozen=True, slots=True)
class PlantedSentence:
    """A sentence that cites a paper, in answer to a question; `source` and `kind` describe its origin and error."""

    sentence: str
    paper: str
    question: str
    true: bool
    source: str
    kind: str


def flagged_shares(settings: Settings, split: str | None, limit: int | None = None) -> dict[str, dict[str, str]]:
    """Return, by source and kind, the share of planted sentences that are flagged and their number.

    `limit` restricts the number of claims and of questions. Raises InputError if the seeds are missing.
    """
    assistant = over_seeds(settings)
    claims, questions = load_claims(SEEDS / "claims.jsonl", split), load(SEEDS / "single.jsonl", split)
    planted = [*_plant_claims(claims[:limit]), *_plant_sentences(questions[:limit])]
    by_source: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for sentence, flagged in zip(planted, _flagged(assistant, planted), strict=True):
        by_kind = by_source[f"{'true' if sentence.true else 'lies'}: {sentence.source}"]
        by_kind["all"].append(flagged)
        by_kind[sentence.kind].append(flagged)
    return {
        source: {kind: f"{fmean(flags):.3f} of {len(flags)}" for kind, flags in by_kind.items()}
        for source, by_kind in by_source.items()
    }


def _plant_claims(claims: Sequence[Claim]) -> Iterator[PlantedSentence]:
    random, texts = Random(0), [claim.text for claim in claims]  # noqa: S311 - reproducible, not secret
    for claim in claims:
        yield PlantedSentence(claim.text, claim.paper, claim.text, claim.supported, _CLAIMS, claim.group)
        for kind, text in perturbations(claim.text, texts, random).items() if claim.supported else ():
            yield PlantedSentence(text, claim.paper, claim.text, False, _CHANGED_CLAIMS, kind)


def _plant_sentences(questions: Sequence[Question]) -> Iterator[PlantedSentence]:
    answers = [
        (sentence, paper, question.text)
        for question in questions
        for paper in sorted(question.papers)
        for sentence in question.evidence
    ]
    random, texts = Random(0), [sentence for sentence, _, _ in answers]  # noqa: S311 - reproducible, not secret
    for number, (sentence, paper, question) in enumerate(answers):
        yield PlantedSentence(sentence, paper, question, True, _SENTENCES, "as they stand")
        yield PlantedSentence(paraphrase(sentence), paper, question, True, _SENTENCES, "retold")
        for kind, text in perturbations(sentence, texts, random).items():
            yield PlantedSentence(text, paper, question, False, _CHANGED_SENTENCES, kind)
        previous_paper = answers[number - 1][1]
        if previous_paper != paper:
            yield PlantedSentence(sentence, previous_paper, question, False, _CHANGED_SENTENCES, "other-paper")


def _flagged(assistant: Assistant, planted: Sequence[PlantedSentence]) -> Iterator[bool]:
    """Tell for each sentence whether its verdict in an answer would be anything but supported."""
    catalog, model = assistant.library.catalog, SupportModel(assistant.library.embedder, assistant.library.lexicon)
    prompts: dict[str, tuple[Hit, ...]] = {}
    for sentence in track(planted, "Planting sentences", transient=True):
        if sentence.question not in prompts:
            prompts[sentence.question] = assistant.search(sentence.question).hits[:_PROMPT_PAPERS]
            texts = [variant.sentence for variant in planted if variant.question == sentence.question]
            model.encode([*texts, *(hit.paper.abstract for hit in prompts[sentence.question])])
        cited = Hit(1, 1.0, catalog.papers.find(sentence.paper))
        checked = verify.verify_text(f"{sentence.sentence} [1]", [cited], model, prompts[sentence.question])
        yield any(result.sentence.verdict is not Verdict.SUPPORTED for result in checked)
