"""The prompts of a language model: the templates of `template_files`, filled in within a budget of tokens.

The number of an abstract and the fence around it are part of no template, so that no template can lose them. What is
filled in is untrusted: it is cleaned of control characters, and stands inside fences as data.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.citations import strip
from assistant.errors import SettingsError
from assistant.generation import template_files
from assistant.generation.budget import Budget
from assistant.generation.template_files import EXAMPLE, FORMS, FULL, PLACEHOLDER, RULES, SMALL, Templates
from assistant.question.intent import Intent
from assistant.schema import Hit, Message, Query, Turn
from assistant.text.latex import to_text
from assistant.text.printable import one_line, printable
from assistant.text.titles import display_title, short_authors

AUTO = "auto"
_FENCED = "[{number}]\n<abstract {fence}>\n{text}\n</abstract {fence}>"
FENCE_BYTES = 8
SEPARATOR = "\n\n"
# The most turns of the conversation that a prompt repeats, and the shares of its tokens that they and the example take.
_MAX_TURNS = 3
_HISTORY_SHARE, _EXAMPLE_SHARE = 0.25, 0.2
# Below this many tokens of a prompt, the small set of templates leaves more room for abstracts.
_FULL_FROM = 2000
# The most characters of a title, and of the authors of a paper.
_MAX_LINE = 300
# The forms of intents that have none of their own: what a claim is asked is whether it is true.
_FORM_OF: Mapping[str, str] = {Intent.CLAIM: Intent.YES_NO}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages that ask for an answer, with the hits whose abstracts they show: hit i has the number i + 1.

    `example` is the example that they include, if any.
    """

    messages: tuple[Message, ...]
    hits: tuple[Hit, ...]
    example: str = ""


class Prompts:
    """The prompts of one set of templates, which `hash` identifies."""

    def __init__(self, templates: Templates) -> None:
        self._templates = dict(templates)
        self._forms = template_files.parse_forms(templates[FORMS])
        content = "\0".join([_FENCED, *(f"{name}\0{self._templates[name]}" for name in sorted(self._templates))])
        self.hash = hashlib.sha256(content.encode()).hexdigest()[:12]

    def answer(
        self, query: Query, hits: Sequence[Hit], history: Sequence[Turn], budget: Budget, intent: str = Intent.FACT
    ) -> Prompt:
        """Return the prompt for an answer of the form that the intent asks for, within the budget.

        As many hits as fit are shown, in their order, with their sentences that bear on the question; then as many of
        them as fit, the best first, are shown whole. Raise SettingsError if there is no room for any.
        """
        example = self._example(budget)
        system = Message("system", "\n\n".join(filter(None, [self._templates[RULES], example])))
        earlier = _last_turns(history, Budget(int(budget.tokens * _HISTORY_SHARE), budget.count))
        overhead = budget.cost([system, *earlier, self._question(query, "", intent)])
        shown = self._abstracts(hits, Budget(budget.tokens - overhead, budget.count))
        if hits and not shown:
            raise SettingsError(
                f"{budget.tokens} tokens leave no room for an abstract beside the rules and the question; raise "
                "max_prompt_tokens (PAPERCHAT_MAX_PROMPT_TOKENS), or shorten the question"
            )
        question = self._question(query, SEPARATOR.join(abstract for _, abstract in shown), intent)
        return Prompt((system, *earlier, question), tuple(hit for hit, _ in shown), example)

    def standalone(self, query: Query, history: Sequence[Turn]) -> list[Message]:
        """Return the messages that ask for the question in words that do not depend on the conversation."""
        earlier = [message for turn in history[-_MAX_TURNS:] for message in _messages(turn)]
        question = _fill(self._templates["follow_up.txt"], {"question": query.text})
        return [Message("system", self._templates["rewriting.txt"]), *earlier, Message("user", question)]

    def translation(self, query: Query) -> list[Message]:
        """Return the messages that ask for the standalone question in English."""
        return [Message("system", self._templates["translation.txt"]), Message("user", printable(query.standalone))]

    def fill(self, name: str, values: Mapping[str, str]) -> str:
        """Return the template of this name with the values of its placeholders."""
        return _fill(self._templates[name], values)

    def _example(self, budget: Budget) -> str:
        """Return the example if it leaves most of the prompt to the abstracts, and nothing otherwise."""
        example = self._templates[EXAMPLE]
        return example if budget.count(example) <= budget.tokens * _EXAMPLE_SHARE else ""

    def _question(self, query: Query, abstracts: str, intent: str) -> Message:
        form = self._forms.get(_FORM_OF.get(intent, intent), self._forms[Intent.FACT])
        values = {"abstracts": abstracts, "question": printable(query.text), "form": form}
        return Message("user", _fill(self._templates["question.txt"], values))

    def _abstracts(self, hits: Sequence[Hit], budget: Budget) -> list[tuple[Hit, str]]:
        """Return the hits that fit, each with its fenced abstract, numbered from 1."""
        remaining, shown, fences = budget.tokens, list[tuple[Hit, str]](), list[str]()
        for hit in hits:
            fence = secrets.token_hex(FENCE_BYTES)
            excerpt = self._fenced(len(shown) + 1, hit, _relevant_sentences(hit), fence)
            if (cost := budget.count(excerpt + SEPARATOR)) <= remaining:
                remaining -= cost
                shown.append((hit, excerpt))
                fences.append(fence)
        for index, (hit, excerpt) in enumerate(shown):
            whole = self._fenced(index + 1, hit, hit.paper.abstract, fences[index])
            if (cost := budget.count(whole) - budget.count(excerpt)) <= remaining:
                remaining -= cost
                shown[index] = hit, whole
        return shown

    def _fenced(self, number: int, hit: Hit, abstract: str, fence: str) -> str:
        """Return an abstract between fences. They are random and unique, so that no abstract can close or open one."""
        values = {
            "number": str(number),
            "title": one_line(to_text(display_title(hit.paper)))[:_MAX_LINE],
            "authors": one_line(to_text(short_authors(hit.paper.authors)))[:_MAX_LINE],
            "year": str(hit.paper.year or ""),
            "abstract": printable(to_text(abstract)),
        }
        return _FENCED.format(number=number, fence=fence, text=_fill(self._templates["abstract.txt"], values))


@dataclass(frozen=True, slots=True)
class PromptSets:
    """The prompts of each set of templates, by the name of the set."""

    by_name: Mapping[str, Prompts]

    def choose(self, name: str, prompt_tokens: int) -> Prompts:
        """Return the set of a name; `auto` is the small one where a prompt may have few tokens, the full otherwise."""
        if name == AUTO:
            name = FULL if prompt_tokens >= _FULL_FROM else SMALL
        return self.by_name[name]


def load(folder: Path | None = None) -> PromptSets:
    """Load the packaged sets of prompts, with the templates of a folder in place of theirs.

    Raise SettingsError that names the file and the remedy.
    """
    return PromptSets({name: Prompts(templates) for name, templates in template_files.load(folder).items()})


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template. All values are put in at once, so that placeholders within them stay as they are."""
    lines = [line for line in template.splitlines() if not _lacks_values(line, values)]
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), "\n".join(lines))


def _lacks_values(line: str, values: Mapping[str, str]) -> bool:
    """Return whether a line has placeholders and none of them has a value."""
    names = PLACEHOLDER.findall(line)
    return bool(names) and not any(values.get(name) for name in names)


def _relevant_sentences(hit: Hit) -> str:
    """Return the sentences of an abstract that bear on the question, or the abstract if there are none."""
    return " ... ".join(passage.text for passage in hit.passages) or hit.paper.abstract


def _last_turns(history: Sequence[Turn], budget: Budget) -> list[Message]:
    """Return the last turns that fit into the budget, in their order."""
    repeated: list[Message] = []
    for turn in reversed(history[-_MAX_TURNS:]):
        if budget.cost([*_messages(turn), *repeated]) > budget.tokens:
            break
        repeated = [*_messages(turn), *repeated]
    return repeated


def _messages(turn: Turn) -> list[Message]:
    """Return a turn as messages, without citation numbers because they refer to the abstracts of that turn."""
    return [Message("user", turn.question), Message("assistant", to_text(strip(turn.answer.text)))]
