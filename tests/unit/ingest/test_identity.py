"""One paper is one paper: its id, what belongs to it, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from assistant.schema import Notice, NoticeKind, Paper, Record
from assistant.storage.catalog import Catalog
from assistant.storage.catalog_schema import fingerprint
from assistant.storage.library import Library
from ingest import identity, pipeline
from ingest.parsers.detect import find_files, read_records
from tests.conftest import SEEDS

PROVER = (
    "We introduce Lemma-Prover, an open-source language model that reaches the state of the art in automated formal "
    "proof generation for mathematical problems. The key challenge in this field is the scarcity of formalized "
    "mathematical statements and proofs, which we tackle as follows. We train statement formalizers to translate "
    "problems from natural language into Lean 4, which gives a dataset of 1.64 million formal statements. We then "
    "build a large dataset of formal proofs by training a series of provers. Each prover proves many statements that "
    "the previous ones could not, and these new proofs are added to the training set of the next prover."
)
REVISED = PROVER.replace("1.64 million", "1.78 million").replace("We then build", "Subsequently we build") + (
    " Our final prover outperforms the best earlier open-source model by 7.6%."
)
# The same group, a year later, on the same subject.
SUCCESSOR = (
    "We introduce Lemma-Prover-V2, a series of open-source language models that set a new state of the art in "
    "automated formal proof generation for mathematical problems. The key challenge in this field is still the "
    "scarcity of formalized mathematical statements and proofs, which we tackle as follows. We generate synthetic "
    "problems of increasing difficulty to train the model on increasingly complex theorems. We let the model revise "
    "its proofs by the feedback of the Lean compiler. We merge checkpoints to counter the loss of diversity in the "
    "later stages of training. Our small model with 8B parameters outperforms models that are many times larger."
)
ANY = "Sourdough bread rises by wild yeast and lactic acid bacteria, which we sequence for 500 bakers."
OTHER = "Glaciers of the northern Alps lost a third of their ice between 1990 and 2020, as laser scans show."


@pytest.fixture
def new_catalog(tmp_path: Path) -> Iterator[Callable[[], Catalog]]:
    """Empty catalogs, as many as asked for."""
    opened: list[Catalog] = []

    def make() -> Catalog:
        opened.append(Catalog(tmp_path / f"{len(opened)}.db"))
        return opened[-1]

    yield make
    for catalog in opened:
        catalog.close()


@pytest.fixture
def papers_of(new_catalog: Callable[[], Catalog]) -> Callable[..., list[Paper]]:
    """The papers that records make: the same ones whatever their order, in one batch or in several."""

    def make(*originals: Record) -> list[Paper]:
        records = [replace(record, source=f"{number}.txt") for number, record in enumerate(originals)]
        runs = [[records], [records[::-1]], [[record] for record in records], [[record] for record in records[::-1]]]
        made = [put(batches, new_catalog()) for batches in runs]
        assert made[1:] == made[:1] * 3
        return made[0]

    return make


def put(batches: Sequence[Sequence[Record]], catalog: Catalog) -> list[Paper]:
    """Ingest each batch in a run of its own; the catalog's papers, by id."""
    for batch in batches:
        pipeline.store_records(batch, catalog, catalog.records.next_run())
    return catalog.ledger.pending(1000)


def seeds() -> dict[str, list[Record]]:
    paths = (file for file in find_files(SEEDS) if isinstance(file, Path))
    return {path.name: [item for item in read_records(path) if isinstance(item, Record)] for path in paths}


# The same everywhere


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (2, 4, 0, 3, 1), (3, 0, 4, 2, 1)])
def test_the_seeds_are_the_same_papers_in_every_order_and_in_runs_of_their_own(
    order: Sequence[int], seeds_library: Library, new_catalog: Callable[[], Catalog]
) -> None:
    batches = list(seeds().values())
    assert put([batches[number] for number in order], new_catalog()) == list(seeds_library.catalog.papers.all())


@pytest.mark.parametrize(
    ("record", "paper_id"),
    [
        (Record(PROVER), "53c055640a92758b"),
        (Record(PROVER, title="Lemma-Prover: A Model for Proofs"), "4349a7e99cecf3bc"),
        (Record(PROVER, title="Lemma-Prover: A Model for Proofs", authors=("Ada Alp",)), "b2eaf813885328dc"),
        (Record(PROVER, arxiv_id="2502.07640"), "f60756c1e0d40f08"),
        (Record(PROVER, doi="10.1/ice"), "daee82e17be7489a"),
    ],
)
def test_an_id_is_the_same_on_every_machine_and_in_every_version(record: Record, paper_id: str) -> None:
    assert identity.merge([record]).id == paper_id


# What is one paper


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Record(PROVER), Record(REVISED)),
        (Record(PROVER, title="Lemma-Prover: A Model for Proofs"), Record(REVISED)),
        (Record(PROVER, title="Lemma-Prover"), Record(PROVER + " It is open.", title="Our Prover")),
        (Record(ANY, title="On the Ice of Mountains"), Record(OTHER, title="On the ICE of mountains.")),
        (
            Record(ANY, title="On the Ice of Mountains", authors=("A B",)),
            Record(OTHER, title="On the Ice of Mountains"),
        ),
        (Record(ANY, doi="10.1/Ice"), Record(OTHER, doi="10.1/ice")),
        (Record(ANY, arxiv_id="2502.07640"), Record(OTHER, arxiv_id="2502.07640")),
        (Record("Eis schmilzt über Nacht."), Record("EIS SCHMILZT ÜBER NACHT")),
    ],
)
def test_records_of_one_paper_are_merged(a: Record, b: Record, papers_of: Callable[..., list[Paper]]) -> None:
    assert identity.same_paper(a, b)
    assert identity.same_paper(b, a)
    assert len(papers_of(a, b)) == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Record(PROVER), Record(SUCCESSOR)),
        (Record(PROVER, title="Lemma-Prover: A Model"), Record(SUCCESSOR, title="Lemma-Prover-V2: A Model")),
        (
            Record(PROVER, title="Proofs of Statements, Part One"),
            Record(REVISED, title="Proofs of Statements, Part Two"),
        ),
        (Record(ANY, title="Editorial"), Record(OTHER, title="Editorial")),
        (Record(ANY, title="In this issue"), Record(OTHER, title="In this issue")),
        (
            Record(ANY, title="On the Ice of Mountains", authors=("Ada Alp", "Carl Cole")),
            Record(OTHER, title="On the Ice of Mountains", authors=("Bea Berg", "Carl Cole")),
        ),
        (Record(PROVER, arxiv_id="2502.07640"), Record(REVISED, arxiv_id="2508.03613")),
        (Record(ANY, doi="10.1/ice"), Record(OTHER, doi="10.1/bread")),
    ],
)
def test_records_of_two_papers_stay_two(a: Record, b: Record, papers_of: Callable[..., list[Paper]]) -> None:
    assert not identity.same_paper(a, b)
    assert not identity.same_paper(b, a)
    assert len(papers_of(a, b)) == 2


def test_abstracts_without_a_letter_do_not_swallow_each_other(papers_of: Callable[..., list[Paper]]) -> None:
    (paper,) = papers_of(Record("---"), Record("***"))
    assert len(paper.sources) == 2


# What a paper is made of


def test_a_merged_paper_has_what_any_of_its_records_knows() -> None:
    titled = Record(PROVER, title="Lemma-Prover: A Model for Proofs", authors=("Ada Alp",), source="b")
    cited = Record(REVISED, title="Lemma-Prover: A Model for Proofs", year=2025, venue="X", doi="10.1/p", source="a")
    preprint = Record(PROVER, arxiv_id="2502.07640", url="https://arxiv.org/abs/2502.07640", source="c")
    assert identity.merge([preprint, titled, cited]) == Paper(
        id=identity.merge([cited]).id,
        abstract=REVISED,
        title=titled.title,
        authors=titled.authors,
        year=2025,
        venue="X",
        doi="10.1/p",
        arxiv_id=preprint.arxiv_id,
        url=preprint.url,
        sources=("a", "b", "c"),
    )


OTHERWISE: dict[str, tuple[Any, Any]] = {
    "abstract": (ANY, OTHER),
    "title": ("On the Ice of Mountains", "On the Ice of the Mountains"),
    "authors": (("Ada Alp",), ("Ada Alp", "Bea Berg")),
    "year": (2024, 2025),
    "venue": ("X", "Y"),
    "doi": ("10.1/ice", "10.1/ICE"),
    "arxiv_id": ("2502.07640", "2502-07640"),
    "url": ("https://x.org", "https://y.org"),
}


@pytest.mark.parametrize("field", OTHERWISE)
def test_the_order_of_records_that_differ_in_one_field_does_not_matter(field: str) -> None:
    records = [replace(Record(ANY), **{field: value}) for value in OTHERWISE[field]]
    assert identity.merge(records) == identity.merge(records[::-1])


@pytest.mark.parametrize("field", [field.name for field in fields(Paper) if field.name != "notice"])
def test_every_field_of_a_paper_changes_its_fingerprint(field: str) -> None:
    a, b = {**OTHERWISE, "id": ("00", "01"), "sources": (("a",), ("a", "b"))}[field]
    paper = Paper("00", ANY)
    prints = {fingerprint(replace(paper, **{field: value})) for value in (a, b)}
    assert len(prints) == 2
    assert fingerprint(replace(paper, **{field: a})) in prints


def test_what_is_announced_of_a_paper_does_not_change_its_fingerprint() -> None:
    notice = Notice(NoticeKind.RETRACTED, "Crossref")
    assert fingerprint(replace(Paper("00", ANY), notice=notice)) == fingerprint(Paper("00", ANY))


# Former ids


def test_a_paper_is_found_by_every_id_that_it_had_before_a_merge(library: Library, tmp_path: Path) -> None:
    def ids_after(name: str, text: str) -> set[str]:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        pipeline.ingest([file], library)
        return {paper.id for paper in library.catalog.papers.all()}

    (first,) = ids_after("a.txt", f"Abstract: {PROVER}")
    (second,) = ids_after("b.txt", f"Lemma-Prover: A Model for Proofs\n{REVISED}")
    two = ids_after("c.txt", f"Abstract: {OTHER}")
    assert len({first, second} | two) == 3
    for former in (first, second):
        assert library.catalog.papers.find(former).title == "Lemma-Prover: A Model for Proofs"
    assert library.store.paper_ids() == library.lexicon.paper_ids() == two
