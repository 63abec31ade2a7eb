"""Choose the thresholds of living answers on the dev part: `python -m eval.training.announcing --data DATA`.

`bears` and `cited_bears`: of all steps of 0.05, those with the greatest difference between the share of awaited answers
that are announced with their paper and the share of near misses that are; of equal ones the highest. At most 5 % of the
answers that nothing new was written about may be announced.

`contradicts`: the least step from which at most 1 % of the papers announced on the dev part are said to contradict
the kept answer, as none is known to. How many contradictions are noticed then is told by the claims of SciFact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from assistant import factory
from assistant.protocols import PairReader
from assistant.settings import load
from assistant.watching.living_answers import AnnouncingThresholds, denials
from eval.suites.disagreement import DisputedClaims, read_disputed
from eval.training import command
from eval.watch import Announcement, announce, figures, read_years, with_denials

_STEPS = [step / 20 for step in range(1, 20)]
_MOST_NOISE, _MOST_DENIALS = 0.05, 0.01
# What is announced with them is every new paper among the first hits, with its probability.
_ALL = AnnouncingThresholds(bears=0.0, cited_bears=0.0)


@dataclass(frozen=True, slots=True)
class NoticedDenials:
    """The shares of a claim's contradicting papers and of its supporting ones that are said to contradict it."""

    contradicting: float
    supporting: float


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/, ml_arxiv_2019/ and scifact/ in it.")],
) -> None:
    """Choose the thresholds on the dev part, and print them with its figures."""
    settings = load()
    candidates = list(announce(read_years(data, "dev"), settings, _ALL, denials=False))
    chosen = choose_bearing(candidates)
    reader = factory.open_pair_reader(settings, factory.open_embedder(settings))
    announced = [with_denials(at_thresholds(item, chosen), reader) for item in candidates]
    chosen = replace(chosen, contradicts=choose_contradicts(announced))
    typer.echo(f"{chosen}\n{figures(announced, chosen)}")
    for name in ("dev", "test"):
        typer.echo(f"SciFact {name}: {noticed(read_disputed(data)[0], name, chosen.contradicts, reader)}")


def choose_bearing(candidates: Sequence[Announcement]) -> AnnouncingThresholds:
    """Return the thresholds of bearing that the criterion chooses."""
    pairs = [AnnouncingThresholds(bears, cited) for bears, cited in product(_STEPS, _STEPS) if cited <= bears]
    return max(pairs, key=lambda pair: (*_merit(candidates, pair), pair.cited_bears, pair.bears))


def choose_contradicts(announced: Sequence[Announcement]) -> float:
    """Return the threshold of contradiction that the criterion chooses; papers have been read for it."""
    read = [denial for item in announced for denial in item.denials]
    fitting = (step for step in _STEPS if sum(denial >= step for denial in read) <= _MOST_DENIALS * len(read))
    return next(fitting, 1.0)


def at_thresholds(candidates: Announcement, thresholds: AnnouncingThresholds) -> Announcement:
    """Return what of all candidates is announced with the thresholds."""
    papers = tuple(
        item
        for item in candidates.papers
        if item.probability >= (thresholds.cited_bears if item.is_cited else thresholds.bears)
    )
    return replace(candidates, papers=papers)


def noticed(claims: DisputedClaims, split: str, contradicts: float, reader: PairReader) -> NoticedDenials:
    """Return what is noticed of the papers that are known to take a side on the claims of a split."""
    papers = {paper.id: paper for paper in claims.papers}
    found: dict[bool, list[bool]] = {True: [], False: []}
    for claim in claims.claims:
        for side in claim.sides if claim.split == split else ():
            read = denials(claim.text, papers[side.paper], reader)
            found[side.supports].append(any(denial.probability >= contradicts for denial in read))
    shares = {supports: round(sum(values) / max(1, len(values)), 3) for supports, values in found.items()}
    return NoticedDenials(contradicting=shares[False], supporting=shares[True])


def _merit(candidates: Sequence[Announcement], thresholds: AnnouncingThresholds) -> tuple[bool, float]:
    measured = figures([at_thresholds(item, thresholds) for item in candidates], thresholds)
    is_quiet = measured["answered_with_noise"] <= _MOST_NOISE
    return is_quiet, round(measured["announced"] - measured["near_with_their_paper"], 3)


if __name__ == "__main__":
    command.run(main)
