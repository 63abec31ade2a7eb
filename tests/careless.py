"""A careless model that copies sentences from abstracts and invents others, and what the strategies make of it.

`python -m tests.careless` answers 40 questions about the seeds by each strategy and prints the table of docs/models.md.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from assistant import citations, factory
from assistant.generation.strategies import STRATEGIES
from assistant.schema import Answer, Message, Sampling, Verdict
from assistant.settings import Settings
from assistant.text.sentences import spans
from eval.suites import Question, selection
from tests.fakes import ScriptedLLM
from tests.regression.replay import seeds_assistant

_ABSTRACT = re.compile(r"^\[(\d+)\]\n<abstract (\w+)>\n(.*?)\n</abstract \2>$", re.MULTILINE | re.DOTALL)
_DRAFT = re.compile(r"^<draft (\w+)>\n(.*?)\n</draft \1>$", re.MULTILINE | re.DOTALL)
_DOUBTFUL = re.compile(r"^- (.*) \(.*\)$", re.MULTILINE)
_QUESTION = re.compile(r"^Question: (.*)$", re.MULTILINE)
_SENTENCES, _ERRORS, _OVERLOOKED = 4, 0.3, 0.3


class CarelessLLM(ScriptedLLM):
    """Quotes four sentences of the first three abstracts; three in ten it replaces by one of its own making.

    Of drafts it repeats every sentence; of what it is told to write again it overlooks three in ten.
    """

    name = "careless/test"

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.requests.append(list(messages))
        question = messages[-1].content
        drawn = random.Random(f"{_QUESTION.findall(question)} {sampling and sampling.seed}")  # noqa: S311
        drafts = [match[2] for match in _DRAFT.finditer(question)]
        if not drafts:
            lines = _draft(question, drawn)
        elif _DOUBTFUL.search(drafts[-1]):
            lines = _rewritten(drafts, drawn)
        else:
            lines = list(dict.fromkeys(line for draft in drafts for line in draft.splitlines()))
        yield from (f"{line}\n" for line in lines)


def _draft(question: str, drawn: random.Random) -> list[str]:
    abstracts = {int(match[1]): match[3].splitlines()[-1] for match in _ABSTRACT.finditer(question)}
    shown = [(number, text[start:end]) for number, text in list(abstracts.items())[:3] for start, end in spans(text)]
    chosen = drawn.sample(shown, min(_SENTENCES, len(shown)))
    return [_cited(sentence, number, drawn) for number, sentence in chosen]


def _cited(sentence: str, number: int, drawn: random.Random) -> str:
    if drawn.random() < _ERRORS:
        sentence = f"The same holds for {drawn.randint(3, 90)} patients with asthma, who were followed for a year"
    return f"{sentence.rstrip('.')} [{number}]."


def _rewritten(drafts: Sequence[str], drawn: random.Random) -> list[str]:
    doubtful = {sentence for sentence in _DOUBTFUL.findall(drafts[-1]) if drawn.random() >= _OVERLOOKED}
    return [line for line in drafts[0].splitlines() if citations.remove_markers(line) not in doubtful]


def _row(strategy: str, answers: Sequence[tuple[Question, Answer]]) -> str:
    sentences = [sentence for _, answer in answers for sentence in answer.sentences]
    costs = [answer.cost for _, answer in answers if answer.cost]
    supported = fmean(sentence.verdict is Verdict.SUPPORTED for sentence in sentences)
    gold = fmean(
        any(citation.paper.id in question.papers for citation in answer.citations) for question, answer in answers
    )
    read, written = (fmean(getattr(cost, name) for cost in costs) for name in ("prompt_tokens", "output_tokens"))
    calls = fmean(cost.calls for cost in costs)
    worth = f"{supported:.2f} | {gold:.2f} | {len(sentences) / len(answers):.1f}"
    return f"| `{strategy}` | {worth} | {calls:.1f} | {read:,.0f} | {written:,.0f} |"


def main() -> None:
    factory.restrict_network_access(Settings())
    [suite] = selection.read(("single",), "dev", limit=40)
    questions = [item for item in suite.items if isinstance(item, Question)]
    with TemporaryDirectory() as folder, seeds_assistant(Path(folder)) as assistant:
        for strategy in STRATEGIES:
            changed = assistant.settings.model_copy(update={"strategy": strategy})
            careless = assistant.configured(changed, CarelessLLM())
            answers = [(question, careless.ask(question.text)) for question in questions]
            print(_row(strategy, [pair for pair in answers if pair[1].cost and not pair[1].withdrawn]), flush=True)


if __name__ == "__main__":
    main()
