"""The files of prompt templates, which are checked when they are loaded.

    rules.txt      the system message of an answer           rewriting.txt  the system message of a rewritten question
    example.txt    a question with its answer, below rules   follow_up.txt  the message with the question to rewrite
    question.txt   the message with abstracts and question   forms.txt      the form of an answer by intent, a line each
    abstract.txt   one abstract; a line is omitted if none of its placeholders has a value

`translation.txt` is the system message of a question that is translated into English; `aggregation.txt` and
`revision.txt` ask for a further call (`assistant.generation.revision`).

Two sets are packaged, which differ in rules and example: `small`, for a context of 2,000 tokens, and `full`. A folder
that the settings name may replace any template, in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from assistant.errors import SettingsError

PACKAGED = Path(__file__).with_name("templates")
SMALL, FULL = "small", "full"
RULES, EXAMPLE, FORMS = "rules.txt", "example.txt", "forms.txt"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# The templates that the packaged sets do not share.
_OF_SET = frozenset({RULES, EXAMPLE})
# The placeholders that each template must have, and those that it may have.
_TEMPLATES: dict[str, tuple[set[str], set[str]]] = {
    RULES: (set(), set()),
    EXAMPLE: (set(), set()),
    "question.txt": ({"abstracts", "question"}, {"form"}),
    "abstract.txt": ({"abstract"}, {"number", "title", "authors", "year"}),
    FORMS: (set(), set()),
    "rewriting.txt": (set(), set()),
    "follow_up.txt": ({"question"}, set()),
    "translation.txt": (set(), set()),
    "aggregation.txt": ({"drafts"}, set()),
    "revision.txt": ({"draft", "doubtful"}, set()),
}
# The intents that `forms.txt` must have a line for.
_FORMS = ("fact", "yes_no", "definition", "list", "comparison", "summary")
_FORM = re.compile(r"([a-z_]+):\s*(\S.*)")
_MAX_LENGTH = 100_000

# The text of each template by its file name.
Templates: TypeAlias = Mapping[str, str]


def load(folder: Path | None = None) -> dict[str, Templates]:
    """Load the packaged sets by name, each with the templates of the folder in place of its own.

    A folder with rules of its own has an example of its own too, or none: the packaged example shows the packaged
    rules. Raise SettingsError that names the file and the remedy.
    """
    custom = {} if folder is None else {file.name: _read(file) for file in _template_files(folder.expanduser())}
    if RULES in custom:
        custom = {EXAMPLE: ""} | custom
    return {name: {file: _read(_packaged(file, name)) for file in _TEMPLATES} | custom for name in (SMALL, FULL)}


def parse_forms(text: str) -> dict[str, str]:
    """Return the form of an answer by intent, of a `forms.txt` that was checked."""
    return {match[1]: match[2] for match in map(_FORM.fullmatch, _lines(text)) if match}


def _packaged(file: str, set_name: str) -> Path:
    return PACKAGED / set_name / file if file in _OF_SET else PACKAGED / file


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
    if len(text) > _MAX_LENGTH:
        raise SettingsError(f"{file} has {len(text):,} characters, more than {_MAX_LENGTH:,}; shorten it")
    _check_placeholders(file, set(PLACEHOLDER.findall(text)))
    if file.name == FORMS:
        _check_forms(file, text)
    return text


def _check_placeholders(file: Path, names: set[str]) -> None:
    required, optional = _TEMPLATES[file.name]
    if missing := required - names:
        raise SettingsError(f"{file} lacks {_braced(missing)}; put it where its value belongs")
    if unknown := names - required - optional:
        allowed = f"it may have {_braced(required | optional)}" if required | optional else "it has no placeholders"
        raise SettingsError(f"{file} has the unknown {_braced(unknown)}: {allowed}")


def _check_forms(file: Path, text: str) -> None:
    lines = _lines(text)
    if bad := [line for line in lines if not _FORM.fullmatch(line)]:
        raise SettingsError(f"{file} has the line {bad[0][:60]!r}: write each line as `fact: one or two sentences`")
    forms = parse_forms(text)
    if unknown := sorted(forms.keys() - set(_FORMS)):
        raise SettingsError(f"{file} has the unknown {unknown[0]!r}: it has a line for each of {', '.join(_FORMS)}")
    if missing := [name for name in _FORMS if name not in forms]:
        raise SettingsError(f"{file} lacks a line for {', '.join(missing)}; copy it from {PACKAGED / FORMS}")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
