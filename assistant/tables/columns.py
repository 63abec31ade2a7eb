"""Read the columns of a table: fields of the catalog by their names, all others as questions to an abstract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.citations import remove_markers
from assistant.errors import InputError
from assistant.schema import Paper
from assistant.text.function_words import AUXILIARIES
from assistant.text.links import paper_url
from assistant.text.printable import one_line

# Columns of a table, and characters of one.
MAX_COLUMNS, MAX_LENGTH = 20, 300
# A bare topic is put to the reader in these words.
_TOPIC = "What is the {topic}?"
_INTERROGATIVES = frozenset("what which who whom whose when where why how".split()) | AUXILIARIES

_FIELDS: dict[str, Callable[[Paper], str | None]] = {
    "id": lambda paper: paper.id,
    "title": lambda paper: paper.title,
    "authors": lambda paper: ", ".join(paper.authors),
    "year": lambda paper: None if paper.year is None else str(paper.year),
    "venue": lambda paper: paper.venue,
    "doi": lambda paper: paper.doi,
    "arxiv_id": lambda paper: paper.arxiv_id,
    "url": paper_url,
    "sources": lambda paper: ", ".join(paper.sources),
}
# Other names of the same fields.
_ALIASES = {"author": "authors", "arxiv": "arxiv_id", "arxiv id": "arxiv_id", "source": "sources"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name as typed, and the question that an abstract is read with.

    The question is empty for a field of the catalog, which `field` names.
    """

    name: str
    question: str
    field: str = ""

    @property
    def key(self) -> str:
        """Return what two columns have in common that ask the same in other letters."""
        return self.question.casefold()

    def recorded(self, paper: Paper) -> str | None:
        """Return what the catalog records of a paper in the field, as one line; None for nothing."""
        return one_line(remove_markers(_FIELDS[self.field](paper) or "")) or None


def parse_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of these names, each once. Raises InputError for none, too many, and one that asks nothing."""
    columns = tuple({column.name.casefold(): column for column in map(parse_column, names)}.values())
    if not columns:
        raise InputError("columns", "name at least one, such as dataset or year")
    if len(columns) > MAX_COLUMNS:
        raise InputError("columns", f"are {len(columns)}; a table has at most {MAX_COLUMNS}")
    return columns


def parse_column(name: str) -> Column:
    """Return the column of a name: a field of the catalog, a question, or a topic. Raises InputError."""
    if len(name) > MAX_LENGTH:
        raise InputError("columns", f"one has {len(name):,} characters; ask in at most {MAX_LENGTH}")
    shown = one_line(name)
    if not any(map(str.isalpha, shown)):
        raise InputError("columns", f"{shown!r} asks nothing; write a question, a topic, or a field such as year")
    folded = shown.casefold()
    field = _ALIASES.get(folded, folded)
    return Column(shown, "", field) if field in _FIELDS else Column(shown, as_question(shown, _what_it_is))


def as_question(text: str, of_topic: Callable[[str], str]) -> str:
    """Return a question as it is; of a topic, the question that `of_topic` makes of it."""
    if text.endswith("?"):
        return text
    if text.split()[0].casefold() in _INTERROGATIVES:
        return f"{text.rstrip(' .!')}?"
    return of_topic(text.rstrip(" .!:"))


def _what_it_is(topic: str) -> str:
    return _TOPIC.format(topic=topic)
