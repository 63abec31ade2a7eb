"""The functions that PostgreSQL computes agree with those in Python that SQLite calls, for texts of any script.

The examples of a test are collected first and then computed in one round trip.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assistant.storage.database import Database
from assistant.storage.paper_queries import FUNCTIONS
from assistant.text.matching import fold, words
from tests.postgres import PostgresProcess

EXAMPLES = 300

# Each script and each kind of character that folding or taking words apart could treat in its own way.
WORDS = [
    "bee", "Bees", "BEES", "x", "J", "Müller", "MU\N{COMBINING DIAERESIS}LLER", "Muller", "straße", "STRASSE",
    "\N{LATIN CAPITAL LETTER SHARP S}", "ﬁne", "FINE", "oﬀice", "ŉ", "ǰ", "ΣΟΦΟΣ", "σοφος", "Σ", "ς", "ᾳ", "ᾼ", "αι",
    "ῗ", "Istanbul", "İSTANBUL", "ıstanbul", "Ꭰ", "ꭰ", "µm", "μm", "K", "ſ", "ԵՒ", "և", "北京", "ｶﾞ", "ガ", "한국",
    "مرحبا", "עברית", "हिन्दी", "x²", "H₂O", "½", "Ⅳ", "１２", "12", "e\u0301\u0327", "\u0301", "😀", "👩‍🔬",
    "O'Neil", "van", "der", "_", "a_b",
]  # fmt: skip
GAPS = [
    " ", " ", " ", "  ", "-", "_", "'", ".", ", ", "\n", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "—", "·", "\x1f",
    "",
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
WORD = st.sampled_from(WORDS) | st.text(CHARACTERS, min_size=1, max_size=4)


def joined(phrase: str) -> str:
    return " ".join(words(phrase))


@st.composite
def texts(draw: st.DrawFn) -> str:
    return "".join(draw(WORD) + draw(st.sampled_from(GAPS)) for _ in range(draw(st.integers(0, 8))))


@st.composite
def phrases_of(draw: st.DrawFn, text: str) -> str:
    """A phrase with a word, often one that the text has, in another form."""
    in_text = words(text)
    if not in_text or draw(st.integers(0, 3)) == 0:
        return draw(texts().filter(words))
    first = draw(st.integers(0, len(in_text) - 1))
    phrase = draw(st.sampled_from(GAPS[:6])).join(in_text[first : first + draw(st.integers(1, 3))])
    return draw(st.sampled_from([phrase, phrase.upper(), phrase.title(), phrase[:-1]]).filter(words))


@dataclass(frozen=True)
class Example:
    """Texts of a paper, and what is looked for in them."""

    title: str | None
    abstract: str
    venue: str | None
    authors: str
    phrase: str
    name: str
    part: str


@st.composite
def papers(draw: st.DrawFn) -> Example:
    title, venue, abstract = draw(st.none() | texts()), draw(st.none() | texts()), draw(texts())
    authors = draw(st.lists(texts(), max_size=3))
    phrase = draw(phrases_of(draw(st.sampled_from([title or "", abstract, venue or "", " ".join(authors)]))))
    name, part = draw(phrases_of(" ".join(authors))), draw(st.sampled_from([*authors, *WORDS]))
    return Example(title, abstract, venue, json.dumps(authors), joined(phrase), joined(name), part)


@pytest.fixture(scope="module")
def database(postgres_server: PostgresProcess) -> Iterator[Database]:
    """A schema that has the functions, and no tables."""
    with closing(postgres_server.schema().open("texts", lambda _: None, {})) as opened:
        yield opened


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    collected: list[Example] = []

    @hypothesis_settings(max_examples=EXAMPLES, derandomize=True, database=None, phases=[Phase.generate])
    @given(papers())
    def collect(example: Example) -> None:
        collected.append(example)

    collect()
    return collected


def computed(database: Database, expression: str, rows: Sequence[tuple[str | None, ...]]) -> list[Any]:
    """What PostgreSQL computes of each row, whose texts the expression calls $1, $2 and so on."""
    numbers = range(1, len(rows[0]) + 1)
    arrays = ", ".join(f"CAST(:a{number} AS text[])" for number in numbers)
    for number in numbers:
        expression = expression.replace(f"${number}", f"row.a{number}")
    columns = ", ".join(f"a{number}" for number in numbers)
    query = sa.text(
        f"SELECT {expression} FROM unnest({arrays}) WITH ORDINALITY AS row({columns}, n) ORDER BY n"  # noqa: S608
    )
    values = {f"a{number}": list(column) for number, column in zip(numbers, zip(*rows, strict=True), strict=True)}
    with database.reading() as connection:
        return list(connection.scalars(query, values))


def assert_agree(database: Database, name: str, rows: Sequence[tuple[str | None, ...]]) -> None:
    """Compare a function of papers, called with the words of phrases and names as `paper_queries` calls it."""
    arguments = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
    results = computed(database, f"{name}({arguments})", rows)
    expected = [FUNCTIONS[name](*row) for row in rows]
    differing = [row for row, result, value in zip(rows, results, expected, strict=True) if result != value]
    assert differing == []
    assert len(set(expected)) > 1  # both answers occur, or many texts


def test_every_character_is_folded_alike(database: Database) -> None:
    every = map(chr, (code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF))
    special = [
        character
        for character in every
        if character.casefold() != character
        or unicodedata.normalize("NFKD", character) != character
        or unicodedata.combining(character)
    ]
    text = "\n".join(special)
    (folded,) = computed(database, "paperchat_folded($1)", [(text,)])
    (casefolded,) = computed(database, "casefold($1)", [(text,)])
    assert folded.split("\n") == fold(text).split("\n")
    assert casefolded.split("\n") == text.casefold().split("\n")


def test_titles_are_folded_alike(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_folded", [(each.title,) for each in examples])


def test_phrases_are_looked_for_alike(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_holds", [(each.venue, each.phrase) for each in examples])


def test_phrases_are_looked_for_alike_in_title_and_abstract(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_says", [(each.phrase, each.title, each.abstract) for each in examples])


def test_words_are_looked_for_alike_in_a_whole_paper(database: Database, examples: list[Example]) -> None:
    rows = [(each.phrase, each.title, each.abstract, each.venue, each.authors) for each in examples]
    assert_agree(database, "paperchat_has", rows)


def test_authors_are_sorted_alike(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_surname", [(each.authors,) for each in examples])


def test_authors_are_looked_for_alike(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_is_by", [(each.authors, each.name) for each in examples])


def test_sources_are_looked_for_alike(database: Database, examples: list[Example]) -> None:
    assert_agree(database, "paperchat_is_from", [(each.authors, each.part) for each in examples])


def test_conversations_are_searched_alike(database: Database, examples: list[Example]) -> None:
    rows = [(each.abstract, part.casefold()) for each in examples for part in (each.phrase, each.part)]
    results = computed(database, "instr(casefold($1), $2) > 0", rows)
    expected = [part in text.casefold() for text, part in rows]
    assert [row for row, left, right in zip(rows, results, expected, strict=True) if left != right] == []
    assert {True, False} == set(expected)
