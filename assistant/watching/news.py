"""The values of a digest: papers that are new, papers that were retracted, and kept answers whose evidence changed."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.schema import Paper, Passage, Strength


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A paper that is new, with how near it is to the library (cosines, 0..1), by which the papers are ranked.

    `topic` is the label of the topic that it belongs to, `starred` the title of the nearest starred paper; both are
    empty where there is none. `sources` are the watched sources that brought it.
    """

    paper: Paper
    nearness: float
    topic: str
    starred: str
    starred_nearness: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BearingPaper:
    """A new paper that bears on a kept answer, with the sentence that does and the probability that it answers.

    `contradicts` are the numbers of the citations of the answer that the sentence speaks against. `is_cited` tells
    whether the question, asked again, is answered from it.
    """

    paper: Paper
    passage: Passage | None
    probability: float
    is_cited: bool
    contradicts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A kept answer whose evidence has changed: new papers bear on it, or papers that it cites were retracted.

    `before` and `after` are the strengths of the kept answer and of the one that the question would get now;
    `retracted` are the numbers of the citations whose papers have a notice.
    """

    conversation: str
    turn: int
    question: str
    before: Strength
    after: Strength
    papers: tuple[BearingPaper, ...] = ()
    retracted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchDigest:
    """What is new: the papers, the nearest to the library first, of which `total` are new, and the others."""

    papers: tuple[NewPaper, ...] = ()
    total: int = 0
    notices: tuple[Paper, ...] = ()
    answers: tuple[AnswerChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.total or self.notices or self.answers)
