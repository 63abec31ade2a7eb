"""Papers to put into a catalog, and short ways to do so."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog, PaperChange

FULL = Paper(
    id="00ff",
    abstract="∇·E = ρ/ε₀, “quoted”\nand 'quoted'; DROP TABLE papers; 🧪",
    title="Flüssigkeiten",
    authors=("Ada Lovelace", "Ωmega, Jr."),
    year=1843,
    venue="Scientific Memoirs",
    doi="10.1/x",
    arxiv_id="1843.00001",
    url="https://example.org/?a=1&b=2",
    sources=("a.txt", "b.txt"),
)
BARE = Paper(id="10aa", abstract="Nothing else is known.")


def change(paper: Paper, *former_ids: str, record: Record | None = None) -> PaperChange:
    new = {record: frozenset({f"key {record.abstract}"})} if record else {}
    return PaperChange(paper, new, superseded=frozenset(), former_ids=frozenset(former_ids))


def keep(catalog: Catalog, *papers: Paper) -> None:
    """Write the papers and say that they are indexed."""
    catalog.put([change(paper) for paper in papers], run=1)
    catalog.ledger.mark_indexed(papers)


def many(count: int) -> list[Paper]:
    return [Paper(id=f"{number:06}", abstract=f"abstract {number} " * 20) for number in range(count)]


def ids(papers: Sequence[Paper]) -> list[str]:
    return [paper.id for paper in papers]
