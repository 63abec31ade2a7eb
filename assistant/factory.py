"""Create objects from settings. Heavy libraries are imported inside the functions that need them."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import LibraryError, SettingsError, StoreUnavailable
from assistant.schema import Recipe

if TYPE_CHECKING:
    from assistant.answering.calibration import Calibration
    from assistant.chat import Assistant
    from assistant.protocols import LLM, Embedder, Entailment, Lexicon, MessageReader, PairReader, WordVectorIndex
    from assistant.retrieval.reranking import Reranker
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.chroma_location import ChromaLocation
    from assistant.storage.conversations import Conversations
    from assistant.storage.database import DatabaseLocation
    from assistant.storage.library import Indexes, Library

CHUNKING = "title + whole sentences"
CATALOG_FILE, STORE_FOLDER, LEXICON_FOLDER, WORD_VECTORS_FILE = "catalog.db", "store", "lexicon", "words.db"
CONVERSATIONS_FILE = "conversations.db"
EXTRACTIVE = "extractive"
LATE_INTERACTION, NO_RERANKER = "late-interaction", "none"


def restrict_network_access(settings: Settings) -> None:
    """Set environment variables that disable telemetry, and model hubs unless the settings name a model of one.

    Libraries read them on import: call this before any is imported.
    """
    from assistant.embedding import is_local

    variables = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "ANONYMIZED_TELEMETRY": "False",
        "TOKENIZERS_PARALLELISM": "true",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    provider, _, model = settings.llm.partition("/")
    models = {settings.embedder, settings.reranker, settings.nli, model if provider == "huggingface" else None}
    if all(map(is_local, filter(None, models - {LATE_INTERACTION, NO_RERANKER}))):
        variables["HF_HUB_OFFLINE"] = "1"
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def open_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name. Raises ModelError."""
    from assistant import embedding

    restrict_network_access(settings)
    return embedding.load_embedder(
        settings.embedder,
        cache=settings.shared,
        revision=settings.embedder_revision,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
        engine=settings.engine,
    )


def database_location(settings: Settings, file: str = CATALOG_FILE) -> DatabaseLocation:
    """Return where the tables of a library are: in the database of the settings, or in this file of its directory.

    Raises SettingsError.
    """
    if settings.database is None:
        from assistant.storage.sqlite_file import SqliteFile

        return SqliteFile(settings.home / file)
    from assistant.storage import postgres

    return postgres.locate(settings.database.get_secret_value(), settings.library, settings.database_timeout)


def open_catalog(settings: Settings) -> Catalog:
    """Open the catalog of a library. Raises LibraryError, SettingsError."""
    from assistant.storage.catalog import Catalog

    return Catalog(database_location(settings))


def open_conversations(settings: Settings, owner: str = "") -> Conversations:
    """Open the conversations with a library. Raises LibraryError, SettingsError."""
    from assistant.storage.conversations import Conversations

    return Conversations(database_location(settings, CONVERSATIONS_FILE), owner)


def library_names(settings: Settings) -> list[str | None]:
    """Return the names of the libraries that there are, None for the one without a name. Raises LibraryError."""
    from assistant.settings import LIBRARIES

    if settings.database is None:
        folders = sorted((settings.shared / LIBRARIES).glob("*"))
        homes = [(None, settings.shared), *((folder.name, folder) for folder in folders)]
        return [name for name, home in homes if (home / CATALOG_FILE).exists()]
    from assistant.storage import postgres

    return postgres.library_names(settings.database.get_secret_value(), settings.database_timeout)


def settings_of(settings: Settings, library: str | None) -> Settings:
    """Return the settings with another library in the place of theirs."""
    from assistant.settings import LIBRARIES

    home = settings.shared / LIBRARIES / library if library else settings.shared
    return settings.model_copy(update={"library": library, "home": home})


def index_recipe(settings: Settings, embedder: Embedder) -> Recipe:
    """Return the recipe of indexes that are built with these settings."""
    from assistant.embedding.content_words import STORED_AS
    from assistant.storage.lexicon import ANALYZER

    return Recipe(
        embedder=embedder.name,
        revision=embedder.revision,
        dimension=embedder.dimension,
        chunk_tokens=min(settings.chunk_tokens or embedder.max_tokens, embedder.max_tokens),
        chunking=CHUNKING,
        analyzer=ANALYZER,
        words=STORED_AS,
        engine=embedder.engine,
    )


def store_location(settings: Settings, catalog: Catalog) -> ChromaLocation:
    """Return the location of the vector store that belongs to the catalog, without opening it."""
    from assistant.storage.chroma_location import ChromaFolder, ChromaServer

    if settings.store is None:
        if catalog.is_shared:
            raise SettingsError(
                "setting store (PAPERCHAT_STORE): a library in PostgreSQL needs a Chroma server for its vectors, which "
                "other machines reach too"
            )
        return ChromaFolder(settings.home / STORE_FOLDER)
    return ChromaServer(
        url=settings.store,
        collection=f"paperchat-{catalog.library_id:016x}",  # several libraries can share a server
        tenant=settings.store_tenant,
        database=settings.store_database,
        timeout=settings.store_timeout,
        token=settings.store_token.get_secret_value() if settings.store_token else None,
    )


def stored_recipe(settings: Settings, catalog: Catalog) -> dict[str, Any] | None:
    """Return the fields of the recipe that the indexes were built with; None without indexes. Raises LibraryError."""
    from assistant.storage import chroma_collection

    if settings.store is None and settings.database is None and not (settings.home / STORE_FOLDER).is_dir():
        return None  # opening it would create a store
    return chroma_collection.stored_recipe(store_location(settings, catalog))


def stored_shards(settings: Settings, catalog: Catalog) -> int | None:
    """Return over how many shards the vector store is spread; None without one, or in a folder. Raises LibraryError."""
    from assistant.storage import chroma_collection

    location = store_location(settings, catalog)
    return chroma_collection.stored_shards(location) if location.is_shared else None


def open_stored_indexes(settings: Settings, catalog: Catalog) -> Indexes | None:
    """Open the existing indexes, regardless of the recipe; None without indexes, or with those of another version.

    Raises LibraryError.
    """
    try:
        recipe = Recipe(**stored_recipe(settings, catalog) or {})
    except TypeError:  # a field is missing or unknown
        return None
    return _open_indexes(settings, catalog, recipe)


def open_library(settings: Settings, embedder: Embedder | None = None, *, for_repair: bool = False) -> Library:
    """Open the library of the settings, or create it. Raises RecipeMismatch and LibraryError.

    A library whose indexes are lost is opened only `for_repair`.
    """
    from assistant.storage.library import Library

    restrict_network_access(settings)  # before Chroma is imported, whoever calls
    embedder = embedder or open_embedder(settings)
    recipe = index_recipe(settings, embedder)
    with ExitStack() as on_failure:
        catalog = on_failure.enter_context(closing(open_catalog(settings)))
        library = Library(settings.home, catalog, embedder, recipe, lambda: _open_indexes(settings, catalog, recipe))
        on_failure.callback(library.close)
        if not for_repair and _lacks_index(library):
            raise LibraryError(f"the indexes in {settings.home} are empty, the catalog is not; run: paperchat reindex")
        on_failure.pop_all()
    return library


def reset_indexes(settings: Settings) -> None:
    """Delete the indexes, so that all papers of the catalog are pending again. Raises LibraryBusy."""
    with closing(open_catalog(settings)) as catalog, catalog.location.exclusive():
        delete_indexes(settings, catalog)


def delete_indexes(settings: Settings, catalog: Catalog) -> None:
    """Delete the indexes, as `reset_indexes` does, under a write lock that the caller holds."""
    from assistant.storage import lexicon, word_vectors
    from assistant.storage.postgres_word_vectors import PostgresWordVectors

    store_location(settings, catalog).wipe()  # first: an unreachable server must leave everything unchanged
    catalog.ledger.clear()
    if catalog.is_shared:  # replicas of the lexicon follow the catalog
        with closing(PostgresWordVectors(catalog.location)) as words:
            words.clear()
    else:
        lexicon.wipe(settings.home / LEXICON_FOLDER)
        word_vectors.wipe(settings.home / WORD_VECTORS_FILE)


def require_reachable_store(settings: Settings, catalog: Catalog) -> None:
    """Raise StoreUnavailable where the server of the vector store cannot be reached; a damaged store is accepted."""
    try:
        stored_recipe(settings, catalog)
    except StoreUnavailable:
        raise
    except LibraryError:
        pass


def open_llm(settings: Settings) -> LLM | None:
    """Return the language model that the settings name; None for `extractive`. Raises ModelError."""
    if settings.llm == EXTRACTIVE:
        return None
    from assistant.llm import llama_index

    return llama_index.load(settings)


def open_reranker(settings: Settings) -> Reranker | None:
    """Return the reranker that the settings name; None for `none`. Raises ModelError."""
    from assistant.retrieval.reranking import CrossEncoderReranker, LateInteraction

    if settings.reranker == NO_RERANKER:
        return None
    if settings.reranker == LateInteraction.name:
        return LateInteraction()
    from assistant import embedding

    return CrossEncoderReranker(embedding.load_cross_encoder(settings.reranker))


def open_entailment(name: str | None) -> Entailment | None:
    """Return the entailment model of this name, if any. Raises ModelError."""
    if name is None:
        return None
    from assistant import embedding

    return embedding.load_entailment(name)


def open_pair_reader(settings: Settings, embedder: Embedder) -> PairReader:
    """Return the packaged pair reader, run by the same engine as the embedder. Raises ModelError."""
    from assistant import embedding

    return embedding.load_pair_reader(settings.shared, embedder.engine)


def open_message_reader(settings: Settings, embedder: Embedder) -> MessageReader:
    """Return the packaged message reader, run by the same engine as the embedder. Raises ModelError."""
    from assistant import embedding

    return embedding.load_message_reader(settings.shared, embedder.engine)


def calibration_folders(settings: Settings, embedder: Embedder) -> tuple[Path, Path]:
    """Return where a calibration may be stored: that of the library, and that of the embedder."""
    from assistant.question import fitted

    return settings.home, fitted.folder(settings.shared, embedder)


def calibrated_models(embedder: Embedder) -> str:
    """Return what identifies the models that a calibration is fitted with: embedder and pair reader.

    Raises ModelError where the weights of the pair reader are missing or damaged.
    """
    from assistant.embedding.fine_tuned import PAIR_READER, read_revision

    return f"{embedder.name}@{embedder.revision} {read_revision(PAIR_READER)}"


def reader_revisions() -> list[str]:
    """Return the revisions of the packaged readers. Raises ModelError where weights are missing or damaged."""
    from assistant.embedding.fine_tuned import MESSAGE_READER, PAIR_READER, read_revision

    return [f"{file.stem} {read_revision(file)}" for file in (PAIR_READER, MESSAGE_READER)]


def open_calibration(settings: Settings, embedder: Embedder) -> Calibration:
    """Return the calibration of the library, of the embedder, or of the package.

    Raises LibraryError for a damaged one, ModelError.
    """
    from assistant.answering import calibration

    return calibration.find(calibrated_models(embedder), calibration_folders(settings, embedder))


def open_assistant(settings: Settings, library: Library | None = None) -> Assistant:
    """Return an assistant over the library, by default the one of the settings. Raises LibraryError, ModelError."""
    from assistant.chat import Assistant

    library = library or open_library(settings)
    reader = open_pair_reader(settings, library.embedder)
    models = open_llm(settings), open_reranker(settings), open_entailment(settings.nli)
    fitted = open_calibration(settings, library.embedder)
    return Assistant(library, settings, reader, *models, fitted, open_message_reader(settings, library.embedder))


def _lacks_index(library: Library) -> bool:
    """Return whether an index is empty although the catalog has papers to search."""
    papers = library.catalog.papers
    if papers.count() == papers.count_without_abstract():
        return False
    return any(index.is_empty() for index in (library.store, library.lexicon, library.words))


def _open_indexes(settings: Settings, catalog: Catalog, recipe: Recipe) -> Indexes:
    from assistant.storage.library import Indexes
    from assistant.storage.sharded_store import open_store

    lexicon = _open_lexicon(settings, catalog)  # first: it needs no closing where the store fails
    location = store_location(settings, catalog)
    store = open_store(location, recipe, settings.store_shards)
    with ExitStack() as on_failure:
        on_failure.callback(store.close)
        if store.stamp != catalog.ledger.store_stamp and not store.is_empty():
            raise LibraryError(
                f"{location} is not the one that this library was last indexed in, and may lack "
                "papers; run: paperchat reindex, or restore the earlier setting of store"
            )
        indexes = Indexes(store, lexicon, _open_words(settings, catalog))
        on_failure.pop_all()
    return indexes


def _open_lexicon(settings: Settings, catalog: Catalog) -> Lexicon:
    """Open the lexicon; where other machines share the library, this one's replica, brought up to date."""
    from assistant.storage.lexicon import TantivyLexicon
    from assistant.storage.lexicon_replica import LexiconReplica

    folder = settings.home / LEXICON_FOLDER
    if not catalog.is_shared:
        return TantivyLexicon(folder)
    replica = LexiconReplica(folder, catalog.changes)
    replica.refresh()
    return replica


def _open_words(settings: Settings, catalog: Catalog) -> WordVectorIndex:
    from assistant.storage.postgres_word_vectors import PostgresWordVectors
    from assistant.storage.word_vectors import SqliteWordVectors

    if catalog.is_shared:
        return PostgresWordVectors(catalog.location)
    return SqliteWordVectors(settings.home / WORD_VECTORS_FILE)
