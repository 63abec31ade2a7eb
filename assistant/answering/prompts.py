"""Every word that is said to a language model: templates, checked when they are loaded, and what is put into them.

    rules.txt      the system message of an answer        rewriting.txt  the system message of a rewritten question
    question.txt   the message with abstracts and question   follow_up.txt  the message with the question to rewrite
    abstract.txt   one abstract; a line whose placeholder has nothing to hold is left out

The packaged ones lie in `templates`; a folder of one's own may replace any of them. The number of an abstract
and the fence around it are in no template, for no template may lose them.
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
from assistant.text.printable import one_line
from assistant.text.titles import display_title, short_authors

PACKAGED = Path(__file__).with_name("templates")
# Each template with the placeholders that it must have, and those that it may have.
_TEMPLATES: dict[str, tuple[set[str], set[str]]] = {
    "rules.txt": (set(), set()),
    "question.txt": ({"abstracts", "question"}, set()),
    "abstract.txt": ({"abstract"}, {"number", "title", "authors", "year"}),
    "rewriting.txt": (set(), set()),
    "follow_up.txt": ({"question"}, set()),
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_FENCED = "[{number}]\n<abstract {fence}>\n{text}\n</abstract {fence}>"
_BETWEEN = "\n\n"
_LONGEST_TEMPLATE = 100_000
# Turns of the conversation that are repeated to the model, and the share of the tokens that they may take.
_TURNS = 3
_EARLIER = 0.25
# Tokens that a chat template adds to a message, about.
_ROLE = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages that ask for an answer, and the hits behind their abstracts: hit i stands behind number i + 1."""

    messages: tuple[Message, ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens a prompt may have, and how they are counted."""

    tokens: int
    count: Callable[[str], int]

    def cost(self, messages: Sequence[Message]) -> int:
        """The tokens that messages take."""
        return sum(self.count(message.content) + _ROLE for message in messages)


class Prompts:
    """What is said to a language model, by one set of templates; `hash` names the set."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)
        said = "\0".join([_FENCED, *(f"{name}\0{self._templates[name]}" for name in sorted(self._templates))])
        self.hash = hashlib.sha256(said.encode()).hexdigest()[:12]

    def answer(self, query: Query, hits: Sequence[Hit], history: Sequence[Turn], budget: Budget) -> Prompt:
        """What asks for an answer, within the budget.

        First every hit gets in with the few sentences of it that bear on the question, as far as there is room; then
        best of them whole, as far as there is room. Each abstract gets a random fence of its own, so that none can
        close its fence or another's. Raises SettingsError where there is no room for any of them.
        """
        rules = Message("system", self._templates["rules.txt"])
        earlier = _repeated(history, Budget(int(budget.tokens * _EARLIER), budget.count))
        around = [rules, *earlier, self._question(query, "")]
        bodies = self._bodies(hits, Budget(budget.tokens - budget.cost(around), budget.count))
        if hits and not bodies:
            raise SettingsError(
                f"{budget.tokens} tokens hold no abstract beside the rules and the question; raise "
                "max_prompt_tokens (PAPERCHAT_MAX_PROMPT_TOKENS), or shorten the question"
            )
        asked = self._question(query, _BETWEEN.join(body for _, body in bodies))
        return Prompt((rules, *earlier, asked), tuple(hit for hit, _ in bodies))

    def standalone(self, query: Query, history: Sequence[Turn]) -> list[Message]:
        """The messages that ask for a question in words that need no conversation."""
        earlier = [message for turn in history[-_TURNS:] for message in _said(turn)]
        asked = _filled(self._templates["follow_up.txt"], {"question": query.text})
        return [Message("system", self._templates["rewriting.txt"]), *earlier, Message("user", asked)]

    def _question(self, query: Query, abstracts: str) -> Message:
        values = {"abstracts": abstracts, "question": query.text}
        return Message("user", _filled(self._templates["question.txt"], values))

    def _bodies(self, hits: Sequence[Hit], room: Budget) -> list[tuple[Hit, str]]:
        """The hits that there is room for, each with its fenced abstract, numbered from 1."""
        left, bodies, fences = room.tokens, list[tuple[Hit, str]](), list[str]()
        for hit in hits:
            fence = secrets.token_hex(8)
            short = self._fenced(len(bodies) + 1, hit, _bearing(hit), fence)
            if (cost := room.count(short + _BETWEEN)) <= left:
                left -= cost
                bodies.append((hit, short))
                fences.append(fence)
        for index, (hit, short) in enumerate(bodies):
            whole = self._fenced(index + 1, hit, hit.paper.abstract, fences[index])
            more = room.count(whole) - room.count(short)
            if more <= left:
                left -= more
                bodies[index] = hit, whole
        return bodies

    def _fenced(self, number: int, hit: Hit, abstract: str, fence: str) -> str:
        paper = hit.paper
        values = {
            "number": str(number),
            "title": one_line(display_title(paper)),
            "authors": short_authors(paper.authors),
            "year": str(paper.year or ""),
            "abstract": abstract,
        }
        return _FENCED.format(number=number, fence=fence, text=_filled(self._templates["abstract.txt"], values))


def load(folder: Path | None = None) -> Prompts:
    """The packaged templates, or those of a folder, with the packaged ones in the place of those that it lacks.

    Raises SettingsError that names the file and the cure.
    """
    packaged = {name: _read(PACKAGED / name) for name in _TEMPLATES}
    if folder is None:
        return Prompts(packaged)
    return Prompts(packaged | {file.name: _read(file) for file in _own(folder.expanduser())})


def _own(folder: Path) -> list[Path]:
    """The templates of a folder; what is no .txt file may lie there too."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".txt")
    except OSError as error:
        raise SettingsError(
            f"setting prompts (PAPERCHAT_PROMPTS): the folder {folder} cannot be read: {error.strerror}"
        ) from error
    known = ", ".join(_TEMPLATES)
    for file in files:
        if file.name not in _TEMPLATES:
            raise SettingsError(f"{file} is no template of paperchat's: rename it; there are {known}")
    if not files:
        raise SettingsError(f"the folder {folder} has no template; copy some of {known} from {PACKAGED}")
    return files


def _read(file: Path) -> str:
    """A template, without the space around it. Raises SettingsError where it will not do."""
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    if not text:
        raise SettingsError(f"{file} is empty; write something, or delete it to use the packaged one")
    if len(text) > _LONGEST_TEMPLATE:
        raise SettingsError(f"{file} has {len(text):,} characters, and {_LONGEST_TEMPLATE:,} are the most; shorten it")
    _check_placeholders(file, set(_PLACEHOLDER.findall(text)))
    return text


def _check_placeholders(file: Path, found: set[str]) -> None:
    needed, possible = _TEMPLATES[file.name]
    if missing := needed - found:
        raise SettingsError(f"{file} lacks {_braced(missing)}; put it where its value belongs")
    if unknown := found - needed - possible:
        has = f"it may have {_braced(needed | possible)}" if needed | possible else "it has no placeholders"
        raise SettingsError(f"{file} has {_braced(unknown)}, which is unknown here: {has}")


def _braced(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its values. They are put in at once, so that a placeholder within a value stays as it is."""
    lines = [line for line in template.splitlines() if not _is_bare(line, values)]
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), "\n".join(lines))


def _is_bare(line: str, values: Mapping[str, str]) -> bool:
    """Whether a line has placeholders, and none of them has a value."""
    names = _PLACEHOLDER.findall(line)
    return bool(names) and not any(values.get(name) for name in names)


def _bearing(hit: Hit) -> str:
    """The sentences of an abstract that bear on the question, in order; the abstract where none is known."""
    return " ... ".join(passage.text for passage in hit.passages) or hit.paper.abstract


def _repeated(history: Sequence[Turn], budget: Budget) -> list[Message]:
    """The last turns, as many as the budget allows, in their order."""
    repeated: list[Message] = []
    for turn in reversed(history[-_TURNS:]):
        if budget.cost([*_said(turn), *repeated]) > budget.tokens:
            break
        repeated = [*_said(turn), *repeated]
    return repeated


def _said(turn: Turn) -> list[Message]:
    """A turn without its citation numbers, which belonged to other abstracts."""
    return [Message("user", turn.question), Message("assistant", strip(turn.answer.text))]
