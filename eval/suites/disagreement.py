"""Claims with every paper that is known to take a side: SciFact's dev claims, and public sets that train nothing.

A pair of a public set (`judge/nli`) becomes a claim and a paper of one piece of evidence; equal pieces are one paper.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from assistant.errors import InputError
from assistant.schema import Paper
from eval.suites import SPLITS, beir
from eval.training.examples import read_lines

# A folder with collections in the layouts of `eval.suites.beir`; it is not part of paperchat.
DATA = Path(os.environ.get("EVAL_DATA", "data"))

# The folder of a collection in the layout of `beir`, with the part of its claims that nothing was trained on.
SCIFACT, SCIFACT_PART = "scifact", "dev"
# Public sets that train nothing (`eval.training.examples.MEASURED_SETS`) and whose claims can be searched for, with the
# parts of each that are used. Of the others, nli4ct says "the primary trial", and anli and wice are about one text.
PUBLIC = {"healthver": ("dev", "test"), "covidfact": ("dev",), "climate_fever": ("train",)}
_SIDES = {"S": True, "R": False}


@dataclass(frozen=True, slots=True)
class GoldSide:
    """A paper that takes a side on a claim, and its sentences that do, verbatim."""

    paper: str
    supports: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisputedClaim:
    """A claim with the papers that take a side on it; its group is `both` where there are some for each side."""

    id: str
    text: str
    split: str
    sides: tuple[GoldSide, ...]

    @property
    def group(self) -> str:
        """Return which sides there are."""
        sides = {side.supports for side in self.sides}
        return "both sides" if len(sides) == 2 else "one side"


@dataclass(frozen=True, slots=True)
class DisputedClaims:
    """The claims of one source, and the papers to search."""

    name: str
    claims: tuple[DisputedClaim, ...]
    papers: tuple[Paper, ...]


def read_disputed(data: Path) -> list[DisputedClaims]:
    """Read the claims of all sources in a data folder. Raises InputError, which names file and line."""
    if not (data / SCIFACT).is_dir():
        raise InputError(str(data), f"{SCIFACT} and judge are missing: set EVAL_DATA to the folder that holds them")
    return [_scifact(data / SCIFACT), *(_public(data / "judge" / "nli", name) for name in PUBLIC)]


def _scifact(folder: Path) -> DisputedClaims:
    by_claim: dict[str, list[GoldSide]] = {}
    texts: dict[str, str] = {}
    for claim in beir.read_claims(folder, SCIFACT_PART):
        key = claim.id.partition("-")[0]
        texts[key] = claim.text
        by_claim.setdefault(key, []).append(GoldSide(claim.paper, claim.supported, claim.evidence))
    return DisputedClaims(SCIFACT, _claims(texts, by_claim), beir.read_papers(folder))


def _public(folder: Path, name: str) -> DisputedClaims:
    papers: dict[str, Paper] = {}
    texts: dict[str, str] = {}
    by_claim: dict[str, dict[str, GoldSide]] = {}
    for row in read_lines(folder / f"{name}.jsonl.gz", "claim", "evidence", "label", "split"):
        if row["split"] not in PUBLIC[name]:
            continue
        paper = Paper(_digest(row["evidence"]), row["evidence"])
        papers[paper.id] = paper
        if row["label"] in _SIDES:
            key = _digest(row["claim"])
            texts[key] = row["claim"]
            side = GoldSide(paper.id, _SIDES[row["label"]], (row["evidence"],))
            by_claim.setdefault(key, {}).setdefault(paper.id, side)
    sides = {key: list(of_claim.values()) for key, of_claim in by_claim.items()}
    return DisputedClaims(name, _claims(texts, sides), tuple(papers.values()))


def _claims(texts: dict[str, str], by_claim: dict[str, list[GoldSide]]) -> tuple[DisputedClaim, ...]:
    return tuple(DisputedClaim(key, texts[key], _split(key), tuple(sides)) for key, sides in by_claim.items())


def _split(key: str) -> str:
    """Return dev or test: half of the claims each, by a hash of the claim."""
    return SPLITS[zlib.crc32(key.encode()) % 2]


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def drawn(claims: Sequence[DisputedClaim], limit: int) -> tuple[DisputedClaim, ...]:
    """Return at most so many claims, drawn by the hash of their ids, those with both sides first."""
    ordered = sorted(claims, key=lambda claim: (claim.group != "both sides", sha256(claim.id.encode()).digest()))
    return tuple(ordered[:limit])
