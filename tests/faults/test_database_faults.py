"""Databases that are not what they should be, texts that they may refuse, and what must never be shown of them."""

from __future__ import annotations

import logging
import secrets
import socket
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assistant import factory
from assistant.errors import LibraryError, PaperchatError, SettingsError
from assistant.schema import EVERYTHING, Answer, Filters, Paper, Record, Selection, Sort, Strength, Turn
from assistant.settings import Settings, load
from assistant.storage.catalog import Catalog, PaperChange
from assistant.storage.conversations import Conversations
from assistant.storage.postgres import locate
from ingest import pipeline
from ingest.identity import match_keys
from tests.chromas import ChromaProcess
from tests.conftest import BEES, Paperchat
from tests.fakes import WordHashEmbedder
from tests.labs import Lab
from tests.postgres import PostgresProcess
from tests.unit.storage.catalogs import keep

pytestmark = pytest.mark.slow

SECRET = "hunter2"  # noqa: S105


@pytest.fixture
def administrator(postgres_server: PostgresProcess) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_server.address.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture
def name() -> str:
    """A new name on the server, of a role or a database."""
    return f"name_{secrets.token_hex(6)}"


@pytest.fixture
def address(postgres_server: PostgresProcess) -> Callable[..., str]:
    def address_of(user: str = "tester", database: str = "postgres", port: int = postgres_server.port) -> str:
        return f"postgresql+psycopg://{user}:{SECRET}@127.0.0.1:{port}/{database}"

    return address_of


def refusal(address: str) -> str:
    """What is said of a database that cannot be opened; it shows no password, nor do its causes."""
    with pytest.raises(LibraryError) as refused:
        Catalog(locate(address, f"lab-{secrets.token_hex(6)}", 30.0)).close()
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert "\n" not in str(refused.value)
    return str(refused.value)


# Servers and databases that are not what they should be


def test_a_server_that_is_away_is_named_with_the_question_whether_it_runs(address: Callable[..., str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = refusal(address(port=port))
    assert f"PostgreSQL database postgres on 127.0.0.1:{port}" in error
    assert error.endswith("; is the server running, and is the address right?")


def test_a_database_that_does_not_exist_is_named_with_the_command_that_creates_it(
    address: Callable[..., str], administrator: psycopg.Connection[Any], name: str
) -> None:
    _, command = refusal(address(database=name)).split("; let an administrator run: ")
    assert command == f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0"
    administrator.execute(command.encode())
    Catalog(locate(address(database=name), None, 30.0)).close()


def test_a_role_that_may_not_create_a_schema_is_told_what_to_ask_an_administrator_for(
    address: Callable[..., str], administrator: psycopg.Connection[Any], name: str
) -> None:
    administrator.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
    error, command = refusal(address(user=name)).split("; let an administrator run: ")
    assert "permission denied for database postgres" in error
    administrator.execute(command.encode())
    Catalog(locate(address(user=name), name.replace("_", "-"), 30.0)).close()


def test_a_role_with_another_password_and_one_that_does_not_exist_are_told_what_to_check(
    address: Callable[..., str], administrator: psycopg.Connection[Any], postgres_server: PostgresProcess, name: str
) -> None:
    administrator.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'another'".encode())
    rules = postgres_server.folder / "pg_hba.conf"
    rules.write_text(
        f"host all {name} 127.0.0.1/32 scram-sha-256\n{rules.read_text(encoding='utf-8')}", encoding="utf-8"
    )
    administrator.execute("SELECT pg_reload_conf()")
    assert "authentication failed" in (error := refusal(address(user=name)))
    assert error.endswith("; check user and password in PAPERCHAT_DATABASE")
    error = refusal(address(user=name).replace(f":{SECRET}", ""))
    assert error.endswith(
        "; put the password into PAPERCHAT_DATABASE: postgresql+psycopg://user:password@host/database"
    )
    assert refusal(address(user="nobody")).endswith("; check user and password in PAPERCHAT_DATABASE")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused_with_the_command_that_creates_a_suitable_one(
    encoding: str, address: Callable[..., str], administrator: psycopg.Connection[Any], name: str
) -> None:
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    administrator.execute(f'CREATE DATABASE "{name}" {options}'.encode())
    error = refusal(address(database=name))
    assert f"has the encoding {encoding}" in error
    assert "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0" in error


def test_a_server_without_icu_is_refused(
    address: Callable[..., str], administrator: psycopg.Connection[Any], postgres_server: PostgresProcess, name: str
) -> None:
    administrator.execute(f'CREATE DATABASE "{name}"'.encode())
    url = postgres_server.address.replace("+psycopg", "").replace("/postgres", f"/{name}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM pg_collation WHERE collprovider = 'i'")
    assert "has no ICU collations; use a PostgreSQL that was built with ICU" in refusal(address(database=name))


def test_a_standby_is_refused(address: Callable[..., str]) -> None:
    error = refusal(f"{address()}?options=-cdefault_transaction_read_only%3Don")
    assert error.endswith("; name the primary server in PAPERCHAT_DATABASE, not a standby")


def test_a_server_that_is_no_postgresql_is_told_from_one(
    address: Callable[..., str], chroma_server: ChromaProcess
) -> None:
    assert refusal(address(port=chroma_server.port)).endswith("; is it a PostgreSQL server that listens there?")


def test_a_server_that_is_silent_is_given_up(address: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(f"{address(port=silent.getsockname()[1])}?connect_timeout=2")
    assert error.endswith("; is the server running, and can it be reached from here?")


@pytest.mark.parametrize("language", ["tr", "de", "sv"])
def test_papers_are_sorted_and_found_alike_in_a_database_of_any_language(
    language: str, address: Callable[..., str], administrator: psycopg.Connection[Any], name: str, tmp_path: Path
) -> None:
    locale = f"LOCALE_PROVIDER icu ICU_LOCALE '{language}' ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    administrator.execute(f'CREATE DATABASE "{name}" {locale} TEMPLATE template0'.encode())
    names = ["Ilmaz", "ilmaz", "Zeta", "äther", "Ather", "Ödön", "ISIK", "a_b", "a b", "A-B", "Ça", "CA"]
    papers = [
        Paper(id=f"{number:02}", abstract=f"TITLE {word}", title=word, authors=(f"J. {word}",), venue=word)
        for number, word in enumerate(names)
    ]

    def seen(catalog: Catalog) -> list[Any]:
        keep(catalog, *papers)
        pages = [catalog.papers.page(Selection(), sort, limit=99).papers for sort in Sort]
        found = [catalog.papers.page(Selection(words=(word,)), limit=99).papers for word in ("title", "isik", "ather")]
        by = [catalog.papers.allowed_ids(Filters(authors=(word,)), EVERYTHING) for word in names]
        return [[paper.id for paper in page] for page in [*pages, *found]] + by

    with closing(Catalog(tmp_path / "catalog.db")) as file:
        expected = seen(file)
    with closing(Catalog(locate(address(database=name), None, 30.0))) as shared:
        assert seen(shared) == expected


# Addresses


@pytest.mark.parametrize(
    "wrong",
    [
        f"mysql://user:{SECRET}@host/database",
        f"postgresql://user:{SECRET}@host:port/database",
        f"postgresql://user:x@{SECRET}@host/database",
        f"postgresql://user:x@{SECRET}:5432/database/{SECRET}@host",
        f"postgresql://user:x {SECRET}@host/database",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_being_shown(wrong: str, settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"database") as refused:
        factory.open_catalog(load(home=settings.home, database=wrong))
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_library_whose_name_postgresql_would_cut_off_is_refused(
    address: Callable[..., str], settings: Settings
) -> None:
    with pytest.raises(SettingsError, match="setting library: in PostgreSQL a name has at most 53 characters, not 54"):
        factory.open_catalog(load(home=settings.home, database=address(), library="a" * 54))
    with closing(factory.open_catalog(load(home=settings.home, database=address(), library="a" * 53))) as catalog:
        assert catalog.papers.count() == 0


def test_the_password_is_never_shown(
    paperchat: Paperchat,
    address: Callable[..., str],
    chroma_server: ChromaProcess,
    papers_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lab = Lab(tmp_path, address(), chroma_server.address)
    settings = lab.at("one")
    for variable, value in (
        ("DATABASE", lab.database),
        ("STORE", lab.store),
        ("LIBRARY", lab.library),
        ("LOG", "debug"),
    ):
        monkeypatch.setenv(f"PAPERCHAT_{variable}", value)
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")
    caplog.set_level(logging.DEBUG)
    verbs = [("ingest", papers_file), ("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("list",)]
    shown = [paperchat(*verb) for verb in [*verbs, ("ask", BEES), ("search", BEES), ("libraries",)]]
    assert [run.code for run in shown[:3]] == [0, 0, 0]
    texts = [run.out + run.err for run in shown]
    texts += [
        caplog.text,
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        repr(factory.database_location(settings)),
    ]
    with closing(factory.open_conversations(settings)) as conversations:
        begun = conversations.begin()
        conversations.append(begun.id, [Turn(BEES, _answer("Bees dance."))], settings)
        texts.append(repr(conversations.turns(begun.id)))
    assert not any(SECRET in text for text in texts)


# Texts


def _answer(text: str) -> Answer:
    return Answer("Why?", "Why?", Strength.FIRM, 0.9, text)


TEXTS = {
    "NUL": "ice\0bees",
    "half a character": "ice \ud83d bees",
    "right to left": "\u202eice \u05d0\u05d1 \u0645\u0631\u062d\u0628\u0627\u200f",
    "marks": "e" + "\u0301" * 200,
    "of SQL": "'; DROP TABLE papers; -- %_\\ $1 :a {b} \"",
    "of JSON": '\\u0000 \\ud800 "]}',
    "no character": "\ufffe\uffff\U0010ffff",
    "lines": "one\r\ntwo\u2028three\x0b",
    "emoji": "👩\u200d🔬" * 30,
    "long": "bees dance " * 5000,
    "a long word": "ß" * 9000,
    "random": secrets.token_hex(6000),
}
PAPER = Paper(id="01", abstract="Honey bees dance.")


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it, with what is stored in the place of NUL, or the kind of error."""
    try:
        return repr(work()).replace(r"\x00", "\N{REPLACEMENT CHARACTER}")
    except (PaperchatError, ValueError) as error:
        return type(error).__name__


def written(catalog: Catalog, conversations: Conversations, text: str, settings: Settings) -> list[Any]:
    """What comes of a text wherever a person or a file may write it."""
    keep(catalog, PAPER)
    begun = conversations.begin()
    of = catalog.annotations.of
    sought = text[:4000]  # as long as a question may be
    paper = Paper("02", text, text, (text, "Ada"), 1843, text, text, text, text, (text,))
    record = Record(text, text, (text,), 1843, text, text, text, text, text[:200], 1, (text[:90],))
    selections = [
        Filters(phrases=(sought,)),
        Filters(authors=(sought,)),
        Filters(sources=(sought,)),
        Filters(notes=(sought,)),
    ]
    return [
        outcome(work)
        for work in (
            lambda: (catalog.annotations.set_note(PAPER.id, text), of(PAPER.id)),  # type: ignore[func-returns-value]
            lambda: (catalog.annotations.set_tags(PAPER.id, [text[:90]]), of(PAPER.id)),  # type: ignore[func-returns-value]
            lambda: (catalog.collections.create(text[:90], [PAPER.id]), catalog.collections.find(text[:90]).name)[1],
            lambda: catalog.cells.correct(PAPER, text[:300], text),
            lambda: list(catalog.cells.get([PAPER], [text[:300]], "").values()),
            lambda: (catalog.watches.add(text[:500]), [watch.source for watch in catalog.watches.all()])[1],
            lambda: catalog.put([PaperChange(paper, {record: match_keys(record)}, frozenset(), frozenset())], run=2),
            lambda: (catalog.ledger.mark_indexed([paper]), catalog.papers.get([paper.id]))[1],  # type: ignore[func-returns-value]
            lambda: catalog.records.existing([record]) == {record},
            *(lambda each=each: catalog.papers.page(Selection(each)).total for each in selections),
            *(lambda sort=sort: [each.id for each in catalog.papers.page(sort=sort).papers] for sort in Sort),
            lambda: conversations.begin(text).title,
            lambda: conversations.append(begun.id, [Turn(text, _answer(text))], settings),
            lambda: [turn.turn for turn in conversations.turns(begun.id)],
            lambda: conversations.count(text[:99]) < 99,
            lambda: conversations.find(text[:99]),
        )
    ]


Opened = tuple[Catalog, Conversations]


@pytest.fixture(scope="module")
def both(postgres_server: PostgresProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Opened, Opened]]:
    """A catalog and conversations in SQLite, and others in PostgreSQL."""
    folder, schema = tmp_path_factory.mktemp("sqlite"), postgres_server.schema()
    with (
        closing(Catalog(folder / "catalog.db")) as catalog,
        closing(Conversations(folder / "conversations.db")) as conversations,
        closing(Catalog(schema)) as shared_catalog,
        closing(Conversations(schema)) as shared_conversations,
    ):
        yield (catalog, conversations), (shared_catalog, shared_conversations)


@pytest.mark.parametrize("kind", TEXTS)
def test_postgresql_takes_every_text_that_sqlite_takes(
    kind: str, both: tuple[Opened, Opened], settings: Settings
) -> None:
    sqlite, postgresql = (written(*opened, TEXTS[kind], settings) for opened in both)
    assert postgresql == sqlite


# Connections


def test_sixty_threads_that_read_at_once_are_all_answered_by_few_connections(
    address: Callable[..., str], administrator: psycopg.Connection[Any], name: str, chroma_server: ChromaProcess,
    papers_file: Path, tmp_path: Path,
) -> None:  # fmt: skip
    administrator.execute(f'CREATE DATABASE "{name}" CONNECTION LIMIT 40'.encode())
    administrator.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
    administrator.execute(f'GRANT CREATE ON DATABASE "{name}" TO "{name}"'.encode())
    settings = Lab(tmp_path, address(user=name, database=name), chroma_server.address).at("one")
    with (
        closing(factory.open_library(settings, WordHashEmbedder())) as library,
        closing(factory.open_conversations(settings)) as conversations,
        ThreadPoolExecutor(60) as pool,
    ):
        pipeline.ingest([papers_file], library)
        assistant = factory.open_assistant(settings, library)

        def read(number: int) -> tuple[int, int]:
            found = 0
            for paper in library.catalog.papers.all():  # which is read while others are
                found += len(library.catalog.papers.get([paper.id]))
            conversations.append(conversations.begin().id, [Turn(BEES, _answer(str(number)))], settings)
            return found, len(assistant.search(BEES).hits)

        assert set(pool.map(read, range(120))) == {(3, len(assistant.search(BEES).hits))}
        assert conversations.count() == 120
