"""Read a directory of encoded papers, to take them into a library without a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from assistant import factory
from assistant.encodings import EncodedPaper
from assistant.errors import InputError, RecipeMismatch
from assistant.protocols import Embedder
from assistant.schema import Paper, Recipe
from assistant.settings import Settings
from ingest.encoded import parquet
from ingest.encoded.described_embedder import DescribedEmbedder
from ingest.encoded.directory import EncodedDirectory, Part, PartKind, part_of
from ingest.encoded.manifest import Manifest, is_encoded, read_manifest
from ingest.encoded.parquet import ReadRecord
from ingest.encoded.texts import TextIndex, text_digest


class EncodedPapers:
    """A complete directory of encoded papers.

    Raises InputError at once where it is incomplete, or a part is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._directory = EncodedDirectory(folder)
        self.folder, self.manifest = folder, self._directory.manifest()
        parts = _parts(folder, self.manifest)
        self._records = [part for part in parts if part.kind is PartKind.RECORDS]
        self._encodings = [part for part in parts if part.kind is PartKind.ENCODINGS]
        self._check_records()
        self._index = TextIndex(map(self._digests, self._encodings))

    def records(self) -> Iterator[list[ReadRecord]]:
        """Yield the records, in the order in which they were read, a part of the directory at a time."""
        yield from map(self._read_records, self._records)

    def encodings(self, papers: Sequence[Paper]) -> dict[str, EncodedPaper]:
        """Return the encodings of those of the papers whose texts were encoded, by id."""
        digests = {paper.id: text_digest(paper) for paper in papers}
        wanted: dict[int, list[str]] = {}
        for paper_id, number in zip(digests, self._index.find(list(digests.values())), strict=True):
            if number is not None:
                wanted.setdefault(number, []).append(paper_id)
        encodings: dict[str, EncodedPaper] = {}
        for number, paper_ids in wanted.items():
            by_digest = self._read_encodings(self._encodings[number])
            encodings |= {key: by_digest[digests[key]] for key in paper_ids if digests[key] in by_digest}
        return encodings

    def _check_records(self) -> None:
        count = sum(len(self._read_records(part)) for part in self._records)
        if count != self.manifest.records:
            raise InputError(str(self.folder), f"has {count} records and should have {self.manifest.records}")

    def _read_records(self, part: Part) -> list[ReadRecord]:
        return parquet.read_records(self._directory.read(part), str(self.folder / part.name))

    def _read_encodings(self, part: Part) -> dict[bytes, EncodedPaper]:
        dimension = self.manifest.recipe.dimension
        return parquet.read_encodings(self._directory.read(part), str(self.folder / part.name), dimension)

    def _digests(self, part: Part) -> list[bytes]:
        return list(self._read_encodings(part))


def open_encoded(paths: Iterable[Path], recipe: Recipe) -> tuple[list[EncodedPapers], list[Path]]:
    """Open the directories of encoded papers among the paths, and return them and the other paths.

    Raises InputError where one of them is damaged, RecipeMismatch where it has another recipe.
    """
    encoded: list[EncodedPapers] = []
    others: list[Path] = []
    for path in paths:
        if is_encoded(path):
            encoded.append(EncodedPapers(path))
            require_recipe(path, encoded[-1].manifest.recipe, recipe)
        else:
            others.append(path)
    return encoded, others


def described_embedder(paths: Iterable[Path], settings: Settings) -> Embedder | None:
    """Return the embedder by which papers of these paths were encoded, which is loaded only if a text is to be encoded.

    Return None where no path is a directory of encoded papers. Raises RecipeMismatch where the settings ask for another
    embedder, or for other chunks; InputError.
    """
    folder = next(filter(is_encoded, paths), None)
    if folder is None:
        return None
    manifest = read_manifest(folder)
    embedder = DescribedEmbedder(manifest.recipe, manifest.max_tokens, lambda: factory.open_embedder(settings))
    check_settings(folder, manifest.recipe, settings, embedder)
    return embedder


def check_settings(folder: Path, recipe: Recipe, settings: Settings, embedder: Embedder) -> None:
    """Raise RecipeMismatch where the settings ask for another recipe than that of a directory, as far as is known."""
    from assistant import embedding

    changes: dict[str, str | None] = {}
    if settings.embedder != recipe.embedder:
        changes["embedder"] = settings.embedder
    else:
        revision = embedding.known_revision(settings.embedder, settings.document_prompt)
        changes |= {"revision": revision} if revision not in (None, recipe.revision) else {}
    require_recipe(folder, recipe, factory.index_recipe(settings, embedder), changes)


def require_recipe(
    folder: Path, recipe: Recipe, wanted: Recipe, changes: Mapping[str, str | None] | None = None
) -> None:
    """Raise RecipeMismatch, which names the differences, where a directory has another recipe than is wanted."""
    compared = [field.name for field in fields(Recipe) if field.compare]
    others = {name: getattr(wanted, name) for name in compared if getattr(wanted, name) != getattr(recipe, name)}
    if differences := others | dict(changes or {}):
        text = "; ".join(f"{name} {getattr(recipe, name)!r}, not {value!r}" for name, value in differences.items())
        raise RecipeMismatch(
            f"{folder} was encoded by another recipe ({text}): restore the settings of then, or run paperchat embed "
            "again into another directory"
        )


def _parts(folder: Path, manifest: Manifest) -> list[Part]:
    if not manifest.complete:
        raise InputError(str(folder), "is not complete: run paperchat embed again with the same inputs, which goes on")
    parts = [part_of(name) for name in manifest.parts]
    if None in parts:
        raise InputError(str(folder), "its manifest is damaged: it names a file that cannot belong to it")
    return [part for part in parts if part is not None]
