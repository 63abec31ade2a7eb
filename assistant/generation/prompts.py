"""The prompts of a language model: templates, which are checked when they are loaded, and the text that fills them.

    rules.txt      the system message of an answer           rewriting.txt  the system message of a rewritten question
    question.txt   the message with abstracts and question   follow_up.txt  the message with the question to rewrite
    abstract.txt   one abstract; a line is omitted if none of its placeholders has a value

The packaged templates are in `templates`, and a folder that the settings name may replace any of them. The number of an
abstract and the fence around it are part of no template, so that no template can lose them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.citations import strip
from assistant.errors import SettingsError
from assistant.schema import Hit, Message, Query, Turn
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title, short_authors

PACKAGED = Path(__file__).with_name("templates")
# The placeholders that each template must have, and those that it may have.
_TEMPLATES: dict[str, tuple[set[str], set[str]]] = {
    "rules.txt": (set(), set()),
    "question.txt": ({"abstracts", "question"}, set()),
    "abstract.txt": ({"abstract"}, {"number", "title", "authors", "year"}),
    "rewriting.txt": (set(), set()),
    "follow_up.txt": ({"question"}, set()),
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_FENCED = "[{number}]\n<abstract {fence}>\n{text}\n</abstract {fence}>"
_FENCE_BYTES = 8
_SEPARATOR = "\n\n"
_MAX_TEMPLATE_LENGTH = 100_000
# The most turns of the conversation that a prompt repeats, and the share of its tokens that they may take.
_MAX_TURNS = 3
_HISTORY_SHARE = 0.25
# Tokens that a chat template adds to a message, roughly.
_MESSAGE_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages that ask for an answer, with the hits whose abstracts they show: hit i has the number i + 1."""

    messages: tuple[Message, ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """The most tokens that a prompt may have, and the function that counts them."""

    tokens: int
    count: Callable[[str], int]

    def cost(self, messages: Sequence[Message]) -> int:
        """Return the tokens that the messages take."""
        return sum(self.count(message.content) + _MESSAGE_TOKENS for message in messages)


class Prompts:
    """The prompts of one set of templates, which `hash` identifies."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)
        content = "\0".join([_FENCED, *(f"{name}\0{self._templates[name]}" for name in sorted(self._templates))])
        self.hash = hashlib.sha256(content.encode()).hexdigest()[:12]

    def answer(self, query: Query, hits: Sequence[Hit], history: Sequence[Turn], budget: Budget) -> Prompt:
        """Return the prompt for an answer, within the budget.

        As many hits as fit are shown, in their order, with their sentences that bear on the question; then as many of
        them as fit, the best first, are shown whole. Raise SettingsError if there is no room for any.
        """
        rules = Message("system", self._templates["rules.txt"])
        earlier = _last_turns(history, Budget(int(budget.tokens * _HISTORY_SHARE), budget.count))
        overhead = budget.cost([rules, *earlier, self._question(query, "")])
        shown = self._abstracts(hits, Budget(budget.tokens - overhead, budget.count))
        if hits and not shown:
            raise SettingsError(
                f"{budget.tokens} tokens leave no room for an abstract beside the rules and the question; raise "
                "max_prompt_tokens (PAPERCHAT_MAX_PROMPT_TOKENS), or shorten the question"
            )
        question = self._question(query, _SEPARATOR.join(abstract for _, abstract in shown))
        return Prompt((rules, *earlier, question), tuple(hit for hit, _ in shown))

    def standalone(self, query: Query, history: Sequence[Turn]) -> list[Message]:
        """Return the messages that ask for the question in words that do not depend on the conversation."""
        earlier = [message for turn in history[-_MAX_TURNS:] for message in _messages(turn)]
        question = _fill(self._templates["follow_up.txt"], {"question": query.text})
        return [Message("system", self._templates["rewriting.txt"]), *earlier, Message("user", question)]

    def _question(self, query: Query, abstracts: str) -> Message:
        values = {"abstracts": abstracts, "question": query.text}
        return Message("user", _fill(self._templates["question.txt"], values))

    def _abstracts(self, hits: Sequence[Hit], budget: Budget) -> list[tuple[Hit, str]]:
        """Return the hits that fit, each with its fenced abstract, numbered from 1."""
        remaining, shown, fences = budget.tokens, list[tuple[Hit, str]](), list[str]()
        for hit in hits:
            fence = secrets.token_hex(_FENCE_BYTES)
            excerpt = self._fenced(len(shown) + 1, hit, _relevant_sentences(hit), fence)
            if (cost := budget.count(excerpt + _SEPARATOR)) <= remaining:
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
            "title": one_line(to_text(display_title(hit.paper))),
            "authors": short_authors(hit.paper.authors),
            "year": str(hit.paper.year or ""),
            "abstract": to_text(abstract),
        }
        return _FENCED.format(number=number, fence=fence, text=_fill(self._templates["abstract.txt"], values))


def load(folder: Path | None = None) -> Prompts:
    """Load the packaged templates, or those of a folder and the packaged ones that it does not replace.

    Raise SettingsError that names the file and the remedy.
    """
    packaged = {name: _read(PACKAGED / name) for name in _TEMPLATES}
    if folder is None:
        return Prompts(packaged)
    return Prompts(packaged | {file.name: _read(file) for file in _template_files(folder.expanduser())})


def _template_files(folder: Path) -> list[Path]:
    """Return the .txt files of a folder, which may have other files too. Raise SettingsError if one is no template."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".txt")
    except OSError as error:
        raise SettingsError(
            f"setting prompts (PAPERCHAT_PROMPTS): the folder {folder} cannot be read: {error.strerror}"
        ) from error
    names = ", ".join(_TEMPLATES)
    for file in files:
        if file.name not in _TEMPLATES:
            raise SettingsError(f"{file} is not a template of paperchat: rename it to one of {names}")
    if not files:
        raise SettingsError(f"the folder {folder} has no template; copy some of {names} from {PACKAGED}")
    return files


def _read(file: Path) -> str:
    """Return a template without surrounding white space. Raise SettingsError if it is unusable."""
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    if not text:
        raise SettingsError(f"{file} is empty; fill it, or delete it to use the packaged one")
    if len(text) > _MAX_TEMPLATE_LENGTH:
        raise SettingsError(f"{file} has {len(text):,} characters, more than {_MAX_TEMPLATE_LENGTH:,}; shorten it")
    _check_placeholders(file, set(_PLACEHOLDER.findall(text)))
    return text


def _check_placeholders(file: Path, names: set[str]) -> None:
    required, optional = _TEMPLATES[file.name]
    if missing := required - names:
        raise SettingsError(f"{file} lacks {_braced(missing)}; put it where its value belongs")
    if unknown := names - required - optional:
        allowed = f"it may have {_braced(required | optional)}" if required | optional else "it has no placeholders"
        raise SettingsError(f"{file} has the unknown {_braced(unknown)}: {allowed}")


def _braced(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template. All values are put in at once, so that placeholders within them stay as they are."""
    lines = [line for line in template.splitlines() if not _lacks_values(line, values)]
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), "\n".join(lines))


def _lacks_values(line: str, values: Mapping[str, str]) -> bool:
    """Return whether a line has placeholders and none of them has a value."""
    names = _PLACEHOLDER.findall(line)
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
