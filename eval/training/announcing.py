"""Choose the thresholds of living answers on the dev part: `python -m eval.training.announcing --data DATA`.

`bears` and `cited_bears`: of all steps of 0.05, those with the greatest difference between the share of awaited answers
that are announced with their paper and the share of near misses that are; of equal ones the highest. At most 5 % of the
answers that nothing new was written about may be announced.

`contradicts`: the least step from which at most 1 % of the papers announced on the dev part are said to contradict
the kept answer, as none is known to, and at most 1 % of the abstracts that support a claim about them on the annotated
dev part to contradict it: few papers contradict an answer, and to say so of one that does not is grave. How many
contradictions are noticed then is told by the abstracts that do contradict a claim, and by the papers of SciFact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant import factory
from assistant.protocols import PairReader
from assistant.schema import Paper
from assistant.settings import load
from assistant.watching.living_answers import AnnouncingThresholds, denials
from eval.suites.annotated import claim_rows, paper_of, read_annotated
from eval.suites.disagreement import read_disputed
from eval.training import command
from eval.watch import Announcement, announce, figures, read_years, with_denials

_STEPS = [step / 20 for step in range(1, 20)]
_MOST_NOISE, _MOST_DENIALS = 0.05, 0.01
# The labels of claims that are read, and the abstracts of each part whose claims are.
_SIDES, _ABSTRACTS = ("supported", "contradicted"), 60
# What is announced with them is every new paper among the first hits, with its probability.
_ALL = AnnouncingThresholds(bears=0.0, cited_bears=0.0)


@dataclass(frozen=True, slots=True)
class SidedClaim:
    """A claim beside a paper that is known to support or to contradict it."""

    text: str
    paper: Paper
    is_supported: bool


@dataclass(frozen=True, slots=True)
class ReadDenials:
    """How strongly papers are read to deny a claim, by what is known of them: they contradict it, or support it."""

    contradicting: tuple[float, ...]
    supporting: tuple[float, ...]

    def noticed(self, threshold: float) -> dict[str, float]:
        """Return the shares of both kinds that are said to contradict from a threshold on."""
        return {
            "contradicting": round(_share_from(threshold, self.contradicting), 3),
            "supporting": round(_share_from(threshold, self.supporting), 3),
        }


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/, ml_arxiv_2019/ and scifact/ in it.")],
) -> None:
    """Choose the thresholds on the dev part, and print them with its figures."""
    settings = load()
    candidates = list(announce(read_years(data, "dev"), settings, _ALL, denials=False))
    chosen = choose_bearing(candidates)
    reader = factory.open_pair_reader(settings, factory.open_embedder(settings))
    announced = [with_denials(at_thresholds(item, chosen), reader) for item in candidates]
    read = {name: read_denials(claims, reader) for name, claims in _sided_claims(data).items()}
    chosen = replace(chosen, contradicts=choose_contradicts(announced, read["dev"]))
    typer.echo(f"{chosen}\n{figures(announced, chosen)}")
    for name, denied in read.items():
        typer.echo(f"{name}: {denied.noticed(chosen.contradicts)}")


def choose_bearing(candidates: Sequence[Announcement]) -> AnnouncingThresholds:
    """Return the thresholds of bearing that the criterion chooses."""
    pairs = [AnnouncingThresholds(bears, cited) for bears, cited in product(_STEPS, _STEPS) if cited <= bears]
    return max(pairs, key=lambda pair: (*_merit(candidates, pair), pair.cited_bears, pair.bears))


def choose_contradicts(announced: Sequence[Announcement], claims: ReadDenials) -> float:
    """Return the threshold of contradiction that the criterion chooses; papers have been read for it."""
    read = [denial for item in announced for denial in item.denials]
    misread = (read, claims.supporting)
    fitting = (step for step in _STEPS if all(_share_from(step, denied) <= _MOST_DENIALS for denied in misread))
    return next(fitting, 1.0)


def at_thresholds(candidates: Announcement, thresholds: AnnouncingThresholds) -> Announcement:
    """Return what of all candidates is announced with the thresholds."""
    papers = tuple(
        item
        for item in candidates.papers
        if item.probability >= (thresholds.cited_bears if item.is_cited else thresholds.bears)
    )
    return replace(candidates, papers=papers)


def read_denials(claims: Iterable[SidedClaim], reader: PairReader) -> ReadDenials:
    """Read each claim beside the paper that is known to take a side on it."""
    strongest: dict[bool, list[float]] = {True: [], False: []}
    for claim in claims:
        found = denials(claim.text, claim.paper, reader)
        strongest[claim.is_supported].append(max((denial.probability for denial in found), default=0.0))
    return ReadDenials(contradicting=tuple(strongest[False]), supporting=tuple(strongest[True]))


def _sided_claims(data: Path) -> dict[str, list[SidedClaim]]:
    """Return the claims of both annotated parts and of SciFact, by the name of their source."""
    rows = read_annotated(data / "judge" / "annotated.jsonl.gz")
    return {part: _annotated_claims(rows, part) for part in ("dev", "test")} | {"SciFact": _scifact_claims(data)}


def _annotated_claims(rows: Sequence[Mapping[str, Any]], part: str) -> list[SidedClaim]:
    of_part = [row for row in rows if row["part"] == part][:_ABSTRACTS]
    papers = {row["id"]: paper_of(row) for row in of_part}
    claims = [claim for row in of_part for claim in claim_rows(row) if claim["label"] in _SIDES]
    return [SidedClaim(claim["claim"], papers[claim["paper"]], claim["supported"]) for claim in claims]


def _scifact_claims(data: Path) -> list[SidedClaim]:
    disputed = read_disputed(data)[0]
    papers = {paper.id: paper for paper in disputed.papers}
    sided = [(claim, side) for claim in disputed.claims for side in claim.sides]
    return [SidedClaim(claim.text, papers[side.paper], side.supports) for claim, side in sided]


def _merit(candidates: Sequence[Announcement], thresholds: AnnouncingThresholds) -> tuple[bool, float]:
    measured = figures([at_thresholds(item, thresholds) for item in candidates], thresholds)
    is_quiet = measured["answered_with_noise"] <= _MOST_NOISE
    return is_quiet, round(measured["announced"] - measured["near_with_their_paper"], 3)


def _share_from(threshold: float, probabilities: Sequence[float]) -> float:
    return sum(probability >= threshold for probability in probabilities) / max(1, len(probabilities))


if __name__ == "__main__":
    command.run(main)
