"""Directories of encoded papers: written, gone on with, changed, damaged, and taken into libraries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant import factory
from assistant.errors import InputError, RecipeMismatch
from assistant.schema import Recipe, Record
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from ingest.encoded import source
from ingest.encoded.embed import batch_size, embed
from ingest.encoded.manifest import read_manifest
from tests.conftest import SEEDS
from tests.encoding import InlineWorkers, encode, open_missing, word_hash
from tests.fakes import WordHashEmbedder

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'paperchat[parquet]'")

ICE = {"title": "Alpine ice", "abstract": "Glaciers in the Alps lost a third of their ice. Small glaciers shrink most."}
BEES = {"title": "How bees dance", "abstract": "Honey bees tell each other the place of flowers by a waggle dance."}
BREAD = {"title": "Sourdough", "abstract": "Sourdough bread rises by wild yeast. Its smell depends on bacteria."}
MANY = [{"title": f"Title {n}", "abstract": f"We count {n} sheep. {n} of them are number{n}."} for n in range(40)]


def write(file: Path, *papers: dict[str, str]) -> Path:
    file.write_text("".join(f"{json.dumps(paper)}\n" for paper in papers), encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Return the directory of three encoded papers."""
    encode(write(tmp_path / "three.jsonl", ICE, BEES, BREAD), tmp_path / "encoded", settings)
    return tmp_path / "encoded"


@pytest.fixture
def without_model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Library]:
    """Return a function that opens a library for a directory where no model can be loaded."""
    monkeypatch.setattr(factory, "open_embedder", open_missing)
    monkeypatch.setattr("assistant.embedding.known_revision", lambda *_: WordHashEmbedder.revision)
    named = word_hash(settings)
    return lambda folder: factory.open_library(named, source.described_embedder([folder], named))


def test_papers_taken_in_are_those_of_a_plain_ingest(
    library: Library, tmp_path: Path, settings: Settings, without_model: Callable[[Path], Library]
) -> None:
    files = sorted(SEEDS.glob("00[01]*.txt"))
    pipeline.ingest(files, library)
    encode(files, tmp_path / "encoded", settings)
    settings = settings.model_copy(update={"home": tmp_path / "other"})
    named = word_hash(settings)
    other = factory.open_library(named, source.described_embedder([tmp_path / "encoded"], named))
    pipeline.ingest([tmp_path / "encoded"], other)
    papers = list(library.catalog.papers.all())
    ids = [paper.id for paper in papers]
    assert list(other.catalog.papers.all()) == papers
    assert records_of(other, ids) == records_of(library, ids)
    vectors, others = library.store.vectors(ids), other.store.vectors(ids)
    words, other_words = library.words.get(ids), other.words.get(ids)
    for paper_id in ids:
        assert np.allclose(vectors[paper_id], others[paper_id], rtol=0, atol=1e-6)
        assert np.array_equal(words[paper_id].starts, other_words[paper_id].starts)
        assert np.array_equal(words[paper_id].bits, other_words[paper_id].bits)
    assert other.lexicon.paper_ids() == library.lexicon.paper_ids()
    other.close()


def records_of(library: Library, paper_ids: list[str]) -> set[tuple[Record, str]]:
    return {(stored.record, stored.paper_id) for stored in library.catalog.records.of_papers(paper_ids)}


def test_a_directory_taken_in_twice_changes_nothing(folder: Path, without_model: Callable[[Path], Library]) -> None:
    library = without_model(folder)
    first, second = pipeline.ingest([folder], library), pipeline.ingest([folder], library)
    assert (first.added, first.indexed) == (3, 3)
    assert (second.added, second.unchanged, second.indexed) == (0, 3, 0)
    library.close()


def test_an_interrupted_ingest_goes_on_without_a_model(
    folder: Path, without_model: Callable[[Path], Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = without_model(folder)
    with monkeypatch.context() as patched:
        patched.setattr("ingest.indexing.update_indexes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pipeline.ingest([folder], library)
    assert library.catalog.ledger.pending_count() == 3
    assert pipeline.ingest([folder], library).indexed == 3
    library.close()


def test_papers_that_merge_with_the_library_are_encoded_by_the_model(
    tmp_path: Path, settings: Settings, library: Library
) -> None:
    whole = ICE | {"doi": "10.1/ice", "abstract": f"{ICE['abstract']} We used lasers on 412 glaciers."}
    encode(write(tmp_path / "short.jsonl", ICE | {"doi": "10.1/ice"}, BEES), tmp_path / "encoded", settings)
    pipeline.ingest([write(tmp_path / "whole.jsonl", whole)], library)
    report = pipeline.ingest([tmp_path / "encoded"], library)
    assert (report.added, report.merged) == (1, 1)
    assert {paper.abstract for paper in library.catalog.papers.all()} == {whole["abstract"], BEES["abstract"]}
    assert not library.compare()


def test_encoded_papers_and_plain_files_are_read_together(folder: Path, tmp_path: Path, library: Library) -> None:
    report = pipeline.ingest([write(tmp_path / "more.jsonl", MANY[0]), folder], library)
    assert (report.records, report.added, report.indexed) == (4, 4, 4)


def test_a_second_run_encodes_nothing(folder: Path, tmp_path: Path, settings: Settings) -> None:
    before = sorted(file.name for file in folder.rglob("*"))
    assert encode(tmp_path / "three.jsonl", folder, settings).encoded == 0
    assert sorted(file.name for file in folder.rglob("*")) == before


def test_only_the_papers_that_have_changed_are_encoded_again(folder: Path, tmp_path: Path, settings: Settings) -> None:
    changed = BREAD | {"abstract": "Rye bread rises by yeast."}
    report = encode(write(tmp_path / "three.jsonl", ICE, BEES, changed, MANY[0]), folder, settings)
    assert (report.papers, report.encoded) == (4, 2)


def test_papers_that_are_gone_are_not_taken_in(
    folder: Path, tmp_path: Path, settings: Settings, without_model: Callable[[Path], Library]
) -> None:
    encode(write(tmp_path / "three.jsonl", BEES), folder, settings)
    library = without_model(folder)
    pipeline.ingest([folder], library)
    assert [paper.title for paper in library.catalog.papers.all()] == [BEES["title"]]
    library.close()


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, settings: Settings) -> None:
    file, folder = write(tmp_path / "many.jsonl", *MANY), tmp_path / "encoded"
    first, second = InlineWorkers(stop_after=1), InlineWorkers()
    with pytest.raises(KeyboardInterrupt):
        embed([file], folder, word_hash(settings), first)
    report = embed([file], folder, word_hash(settings), second)
    assert (report.papers, report.encoded) == (40, 24)
    assert len(first.encoded) == 16
    assert not set(first.encoded) & set(second.encoded)


def test_an_incomplete_directory_is_not_taken_in(tmp_path: Path, settings: Settings, library: Library) -> None:
    with pytest.raises(KeyboardInterrupt):
        embed(
            [write(tmp_path / "p.jsonl", ICE)], tmp_path / "encoded", word_hash(settings), InlineWorkers(stop_after=0)
        )
    with pytest.raises(InputError, match="is not complete: run paperchat embed again"):
        pipeline.ingest([tmp_path / "encoded"], library)


def test_records_without_an_abstract_come_along(
    tmp_path: Path, settings: Settings, without_model: Callable[[Path], Library]
) -> None:
    listed = {"title": "A paper of which we only know the title", "abstract": ""}
    encode(write(tmp_path / "p.jsonl", ICE, listed), tmp_path / "encoded", settings)
    library = without_model(tmp_path / "encoded")
    assert pipeline.ingest([tmp_path / "encoded"], library).without_abstract == 1
    assert library.catalog.papers.count_without_abstract() == 1
    library.close()


def cut(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-100])


def flip(part: Path) -> None:
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)


@pytest.mark.parametrize("kind", ["records", "encodings"])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink], ids=lambda damage: damage.__name__)
def test_a_damaged_or_missing_part_changes_nothing(
    folder: Path, library: Library, kind: str, damage: Callable[[Path], None]
) -> None:
    damage(next((folder / kind).iterdir()))
    with pytest.raises(InputError, match=r"parquet: is (missing|damaged or cut short): copy"):
        pipeline.ingest([folder], library)
    assert library.catalog.records.sources() == []


def test_damaged_encodings_are_encoded_again(folder: Path, tmp_path: Path, settings: Settings) -> None:
    flip(next((folder / "encodings").iterdir()))
    assert encode(tmp_path / "three.jsonl", folder, settings).encoded == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "was written in version 2: upgrade paperchat"),
        ({"recipe": {"embedder": "x"}}, "its manifest is damaged"),
        ({"parts": ["../three.jsonl"]}, "names a file that cannot belong to it"),
        ({"parts": ["/etc/passwd"]}, "names a file that cannot belong to it"),
        ({"parts": []}, "has 0 records and should have 3"),
        ({"records": "many"}, "its manifest is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(
    folder: Path, library: Library, changes: dict[str, object], message: str
) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
    with pytest.raises(InputError, match=message):
        pipeline.ingest([folder], library)


def test_a_file_of_another_program_is_refused_though_it_is_named_by_its_bytes(folder: Path, library: Library) -> None:
    import hashlib

    import pyarrow
    import pyarrow.parquet

    manifest = json.loads((folder / "manifest.json").read_text())
    pyarrow.parquet.write_table(pyarrow.table({"text": [b"x" * 16]}), folder / "foreign")
    name = f"encodings/00000-{hashlib.sha256((folder / 'foreign').read_bytes()).hexdigest()[:16]}.parquet"
    shutil.move(folder / "foreign", folder / name)
    records = [part for part in manifest["parts"] if part.startswith("records")]
    (folder / "manifest.json").write_text(json.dumps(manifest | {"parts": [*records, name]}))
    with pytest.raises(InputError, match="is not a part that paperchat embed wrote, or is damaged: it has other col"):
        pipeline.ingest([folder], library)


def test_another_recipe_than_that_of_the_library_is_named(folder: Path, tmp_path: Path, settings: Settings) -> None:
    named = word_hash(settings).model_copy(update={"home": tmp_path / "other", "chunk_tokens": 64})
    library = factory.open_library(named, WordHashEmbedder())
    with pytest.raises(RecipeMismatch, match=r"another recipe \(chunk_tokens 256, not 64\): restore the settings"):
        pipeline.ingest([folder], library)
    library.close()


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"embedder": "all-MiniLM-L6-v2"}, "embedder 'word-hash', not 'all-MiniLM-L6-v2'"),
        ({"chunk_tokens": 64}, "chunk_tokens 256, not 64"),
    ],
)
def test_settings_that_ask_for_another_recipe_are_named(
    folder: Path, tmp_path: Path, settings: Settings, changes: dict[str, object], difference: str
) -> None:
    others = word_hash(settings).model_copy(update=changes)
    with pytest.raises(RecipeMismatch, match=difference):
        source.described_embedder([folder], others)
    with pytest.raises(RecipeMismatch, match=difference):
        encode_as(others, tmp_path / "three.jsonl", folder)


def encode_as(settings: Settings, file: Path, folder: Path) -> None:
    embed([file], folder, settings, InlineWorkers())


def test_a_directory_is_gone_on_with_by_the_engine_that_it_was_begun_with(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    others = word_hash(settings).model_copy(update={"engine": "openvino"})
    with pytest.raises(RecipeMismatch, match="begun by the engine 'float32', and the settings name 'openvino'"):
        encode_as(others, tmp_path / "three.jsonl", folder)


def test_a_model_that_is_not_the_one_described_is_refused() -> None:
    from ingest.encoded.described_embedder import DescribedEmbedder

    recipe = Recipe(WordHashEmbedder.name, "2", 64, 256, "", "", "")
    embedder = DescribedEmbedder(recipe, 256, WordHashEmbedder)
    assert not embedder.count_tokens([])
    assert not embedder.encode_documents([])
    assert not embedder.encode_queries([])
    with pytest.raises(RecipeMismatch, match="has revision '1', the one that the papers were encoded by has '2'"):
        embedder.encode_queries(["bees"])


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(InputError, match="is not empty, and not a directory of encoded papers"):
        encode(write(tmp_path / "p.jsonl", ICE), tmp_path / "full", settings)
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_a_directory_inside_the_inputs_is_refused(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path / "p.jsonl", ICE)
    with pytest.raises(InputError, match=r"is inside .*, which is read"):
        encode(tmp_path, tmp_path / "encoded", settings)


def test_two_runs_do_not_write_to_one_directory(folder: Path, tmp_path: Path, settings: Settings) -> None:
    from ingest.encoded.directory import EncodedDirectory

    with (
        EncodedDirectory(folder).writing(),
        pytest.raises(InputError, match="another process is writing to it"),
    ):
        encode(tmp_path / "three.jsonl", folder, settings)


def test_inputs_that_cannot_be_read_leave_the_directory_as_it_was(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    before = read_manifest(folder)
    with pytest.raises(InputError, match="there is no such file"):
        encode(tmp_path / "missing.jsonl", folder, settings)
    assert encode(tmp_path / "three.jsonl", folder, settings).encoded == 0
    assert read_manifest(folder) == before


def test_encodings_stay_while_an_input_is_missing(folder: Path, tmp_path: Path, settings: Settings) -> None:
    one = write(tmp_path / "one.jsonl", MANY[0])
    encode([one, tmp_path / "three.jsonl"], folder, settings)
    report = encode([one, tmp_path / "missing.jsonl"], folder, settings)
    assert (report.papers, report.encoded, len(report.reading.problems)) == (1, 0, 1)
    assert encode([one, tmp_path / "three.jsonl"], folder, settings).encoded == 0


@pytest.mark.parametrize(("papers", "workers", "size"), [(1, 8, 16), (600, 2, 75), (100_000, 4, 256), (100, 1, 25)])
def test_every_worker_has_work_to_the_end(papers: int, workers: int, size: int) -> None:
    assert batch_size(papers, workers) == size
