"""Carry over collections: where Zotero puts papers in or takes them out, so is it here; the rest is the person's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

from assistant.storage.catalog import Catalog
from assistant.storage.sync_ledger import SyncedItem, SyncedLibrary
from assistant.text.labels import MAX_LENGTH, label_key
from assistant.text.links import zotero_link
from ingest.zotero.items import USER_LIBRARY, ZoteroCollection, ZoteroLibrary

_BETWEEN = " / "
# The state of an item before or after a reading; None for one that was not there.
States = Mapping[str, SyncedItem | None]


class CollectionMap:
    """The collections of a library of Zotero and those of paperchat that follow them."""

    def __init__(self, catalog: Catalog, last: SyncedLibrary) -> None:
        self._catalog, self.library = catalog, last

    def follow(self, library: ZoteroLibrary, collections: Sequence[ZoteroCollection], used: Collection[str]) -> None:
        """Create those of the `used` keys that are new, and rename those that Zotero has renamed."""
        paths = _paths(library, collections)
        present = {collection.id: collection.name for collection in self._catalog.collections.all()}
        followed = dict(self.library.collections)
        for key, path in paths.items():
            collection_id, name = followed.get(key, ("", ""))
            if collection_id not in present and key in used:
                followed[key] = self._create(path, {pair[0] for pair in followed.values()}), path
            elif collection_id in present and path != name:
                if present[collection_id].startswith(name):  # unless a person has renamed it here
                    self._catalog.collections.rename(collection_id, self._free_name(path))
                followed[key] = collection_id, path
        self._put(followed)

    def forget(self, keys: Collection[str]) -> None:
        """Forget collections that Zotero has no longer, and delete those that are empty here, too."""
        counts = {collection.id: collection.papers for collection in self._catalog.collections.all()}
        gone = {key: self.library.collections[key][0] for key in keys if key in self.library.collections}
        for collection_id in gone.values():
            if counts.get(collection_id) == 0:
                self._catalog.collections.delete(collection_id)
        self._put({key: pair for key, pair in self.library.collections.items() if key not in gone})

    def _put(self, followed: Mapping[str, tuple[str, str]]) -> None:
        if followed != self.library.collections:
            self.library = replace(self.library, collections=dict(followed))
            self._catalog.synced.put_library(self.library)

    def _create(self, path: str, followed: Collection[str]) -> str:
        """Return the id of a new collection, or of an empty one of that name that is followed by nothing.

        A reading that is interrupted before it notes what it created leaves such.
        """
        libraries = self._catalog.synced.libraries().values()
        taken = {*followed, *(pair[0] for library in libraries for pair in library.collections.values())}
        empty = (found for found in self._catalog.collections.all() if found.name == path and not found.papers)
        left = next((found.id for found in empty if found.id not in taken), None)
        return left or self._catalog.collections.create(self._free_name(path)).id

    def _free_name(self, path: str) -> str:
        """Return a name that no collection has; a person may have one of the same name."""
        taken = set(map(label_key, self._catalog.collections.names()))
        return next(name for name in _free_names(path) if label_key(name) and label_key(name) not in taken)


def apply_collections(catalog: Catalog, paper_ids: Collection[str], before: States, after: States) -> None:
    """Put papers into the collections that their items are in after a reading, in place of those before it.

    Items that are not in a mapping are as the ledger has them. A paper stays in a collection while one of its items is.
    """
    links = _links(catalog, paper_ids)
    known = catalog.synced.of_sources(set().union(*links.values()))
    added: dict[str, set[str]] = {}
    removed: dict[str, set[str]] = {}
    collection_ids = _collection_ids(catalog)
    for paper_id, of_paper in links.items():
        old, new = _states(of_paper, before, known), _states(of_paper, after, known)
        old_ids, new_ids = _ids(old, collection_ids), _ids(new, collection_ids)
        for changes, ids in ((added, new_ids - old_ids), (removed, old_ids - new_ids)):
            for collection_id in ids:
                changes.setdefault(collection_id, set()).add(paper_id)
    for collection_id, members in added.items():
        catalog.collections.add(collection_id, members)
    for collection_id, members in removed.items():
        catalog.collections.remove(collection_id, members)


def _links(catalog: Catalog, paper_ids: Collection[str]) -> dict[str, set[str]]:
    """Return the items of papers, by id of the paper; papers that are not indexed yet have theirs, too."""
    links: dict[str, set[str]] = {paper_id: set() for paper_id in paper_ids}
    for stored in catalog.records.of_papers(paper_ids):
        if zotero_link(stored.record.source):
            links[stored.paper_id].add(stored.record.source)
    return links


def _states(links: Collection[str], states: States, known: Mapping[str, SyncedItem]) -> list[SyncedItem]:
    return [state for link in links if (state := states.get(link, known.get(link)))]


def _ids(states: Sequence[SyncedItem], collection_ids: Mapping[tuple[str, str], str]) -> set[str]:
    """Return the ids of the collections here that items are in."""
    pairs = ((state.library, key) for state in states for key in state.collections)
    return {collection_ids[pair] for pair in pairs if pair in collection_ids}


def _collection_ids(catalog: Catalog) -> dict[tuple[str, str], str]:
    """Return the ids of the collections that are followed, and that nobody has deleted here, by library and key."""
    present = {collection.id for collection in catalog.collections.all()}
    return {
        (library.name, key): collection_id
        for library in catalog.synced.libraries().values()
        for key, (collection_id, _) in library.collections.items()
        if collection_id in present
    }


def _paths(library: ZoteroLibrary, collections: Sequence[ZoteroCollection]) -> dict[str, str]:
    """Return the names of collections here: those of Zotero from the top down, below the name of a group."""
    by_key = {collection.key: collection for collection in collections}
    above = [] if library.name == USER_LIBRARY else [library.label]
    paths = {key: _BETWEEN.join([*above, *_names_from_top(key, by_key)])[-MAX_LENGTH:] for key in by_key}
    return {"": library.label[:MAX_LENGTH]} | paths


def _names_from_top(key: str, by_key: Mapping[str, ZoteroCollection]) -> list[str]:
    """Return the names of a collection and those above it; a damaged tree may be a ring."""
    walked: dict[str, str] = {}
    while key in by_key and key not in walked:
        walked[key] = by_key[key].name
        key = by_key[key].parent
    return list(walked.values())[::-1]


def _free_names(path: str) -> Iterator[str]:
    """Yield names for a collection, the plain one first."""
    yield path
    for suffix in chain([" (Zotero)"], (f" (Zotero {number})" for number in count(2))):
        yield path[: MAX_LENGTH - len(suffix)] + suffix
