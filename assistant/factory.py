"""Names to objects. Heavy libraries are imported inside the functions that need them."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import LibraryError, StoreUnavailable
from assistant.schema import Recipe

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.protocols import LLM, Embedder, Entailment
    from assistant.retrieval.reranking import Reranker
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.chroma_location import ChromaLocation
    from assistant.storage.conversations import Conversations
    from assistant.storage.library import Indexes, Library

CHUNKING = "title + whole sentences"
CATALOG, STORE, LEXICON, WORDS = "catalog.db", "store", "lexicon", "words.db"
EXTRACTIVE = "extractive"
LATE_INTERACTION, NO_RERANKER = "late-interaction", "none"


def stay_local(settings: Settings) -> None:
    """Keep libraries from calling home. To be called before any of them is imported.

    A hub is asked only where the settings name a model of it.
    """
    from assistant.embedding import is_local

    quiet = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "ANONYMIZED_TELEMETRY": "False",
        "TOKENIZERS_PARALLELISM": "true",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    provider, _, model = settings.llm.partition("/")
    named = {settings.embedder, settings.reranker, settings.nli, model if provider == "huggingface" else None}
    if all(map(is_local, filter(None, named - {LATE_INTERACTION, NO_RERANKER}))):
        quiet["HF_HUB_OFFLINE"] = "1"
    for name, value in quiet.items():
        os.environ.setdefault(name, value)


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name. Raises ModelError."""
    from assistant import embedding

    return embedding.load_embedder(
        settings.embedder,
        cache=settings.shared,
        revision=settings.embedder_revision,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
        engine=settings.engine,
    )


def open_catalog(home: Path) -> Catalog:
    """The catalog of a library's directory. Raises LibraryError."""
    from assistant.storage.catalog import Catalog

    return Catalog(home / CATALOG)


def open_conversations(home: Path, owner: str = "") -> Conversations:
    """The conversations kept in a library's directory. Raises LibraryError."""
    from assistant.storage.conversations import Conversations

    return Conversations(home / "conversations.db", owner)


def recipe(settings: Settings, embedder: Embedder) -> Recipe:
    """What the indexes of these settings are built with."""
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


def place(settings: Settings, catalog: Catalog) -> ChromaLocation:
    """Where the vectors of a catalog's library lie. Nothing is opened."""
    from assistant.storage.chroma_location import ChromaFolder, ChromaServer

    if settings.store is None:
        return ChromaFolder(settings.home / STORE)
    return ChromaServer(
        url=settings.store,
        collection=f"paperchat-{catalog.library_id:016x}",  # other libraries may be on the same server
        tenant=settings.store_tenant,
        database=settings.store_database,
        timeout=settings.store_timeout,
        token=settings.store_token.get_secret_value() if settings.store_token else None,
    )


def held_recipe(settings: Settings, catalog: Catalog) -> dict[str, Any] | None:
    """What the indexes of a catalog's library were built with; None where there are none. Raises LibraryError."""
    from assistant.storage import chroma_store

    if settings.store is None and not (settings.home / STORE).is_dir():
        return None  # a look must not make one
    return chroma_store.stored_recipe(place(settings, catalog))


def open_held_indexes(settings: Settings, catalog: Catalog) -> Indexes | None:
    """The indexes of a catalog's library, whatever they were built with; None where there are none of this version.

    Raises LibraryError.
    """
    try:
        recipe = Recipe(**held_recipe(settings, catalog) or {})
    except TypeError:  # fields that it has not, or that are not there
        return None
    return _open_indexes(settings, catalog, recipe)


def open_library(settings: Settings, embedder: Embedder | None = None, *, to_mend: bool = False) -> Library:
    """The library of the settings, created where there is none. Raises RecipeMismatch and LibraryError.

    One whose indexes are gone is opened only to mend it.
    """
    from assistant.storage.library import Library

    embedder = embedder or open_embedder(settings)
    made_with = recipe(settings, embedder)
    with ExitStack() as on_failure:
        catalog = on_failure.enter_context(closing(open_catalog(settings.home)))
        library = Library(
            settings.home, catalog, embedder, made_with, lambda: _open_indexes(settings, catalog, made_with)
        )
        on_failure.callback(library.close)
        searched = catalog.papers.count() - catalog.papers.count_without_abstract()
        indexes = () if to_mend or not searched else (library.store, library.lexicon, library.words)
        if any(index.is_empty() for index in indexes):
            raise LibraryError(f"the indexes in {settings.home} are empty, the catalog is not; run: paperchat reindex")
        on_failure.pop_all()
    return library


def reset_indexes(settings: Settings) -> None:
    """Delete the indexes; the catalog stays, and everything in it waits to be indexed again."""
    from assistant.storage.library import lock

    with closing(open_catalog(settings.home)) as catalog, lock(settings.home):
        wipe_indexes(settings, catalog)


def wipe_indexes(settings: Settings, catalog: Catalog) -> None:
    """The same, for whoever holds the writer's lock."""
    from assistant.storage import lexicon, word_vectors

    place(settings, catalog).wipe()  # first: where a server is away, everything is to stay as it is
    catalog.ledger.clear()
    lexicon.wipe(settings.home / LEXICON)
    word_vectors.wipe(settings.home / WORDS)


def reach_store(settings: Settings, catalog: Catalog) -> None:
    """Raises StoreUnavailable where the vectors are on a server that cannot be asked; what is damaged passes."""
    try:
        held_recipe(settings, catalog)
    except StoreUnavailable:
        raise
    except LibraryError:
        pass


def open_llm(settings: Settings) -> LLM | None:
    """The language model that the settings name; None for `extractive`. Raises ModelError."""
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
    """The entailment model of this name, if one is named. Raises ModelError."""
    if name is None:
        return None
    from assistant import embedding

    return embedding.load_entailment(name)


def open_assistant(settings: Settings, library: Library | None = None) -> Assistant:
    """The assistant of the settings over their library."""
    from assistant.chat import Assistant

    library = library or open_library(settings)
    models = open_llm(settings), open_reranker(settings), open_entailment(settings.nli)
    return Assistant(library, settings, *models)


def _open_indexes(settings: Settings, catalog: Catalog, made_with: Recipe) -> Indexes:
    from assistant.storage.chroma_store import ChromaStore
    from assistant.storage.lexicon import TantivyLexicon
    from assistant.storage.library import Indexes
    from assistant.storage.word_vectors import SqliteWordVectors

    lexicon = TantivyLexicon(settings.home / LEXICON)  # first: it holds nothing open if another then fails
    store = ChromaStore(place(settings, catalog), made_with)
    with ExitStack() as on_failure:
        on_failure.callback(store.close)
        if store.stamp != catalog.ledger.store_stamp and not store.is_empty():
            raise LibraryError(
                f"{place(settings, catalog)} is not the one that this library was last indexed in, and may lack "
                "papers; run: paperchat reindex, or restore the earlier setting of store"
            )
        indexes = Indexes(store, lexicon, SqliteWordVectors(settings.home / WORDS))
        on_failure.pop_all()
    return indexes
