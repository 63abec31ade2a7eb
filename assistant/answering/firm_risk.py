"""The threshold of confidence at which few firm answers cite a wrong paper, as a self-test of a library fitted it.

`python -m eval selftest` fits and stores it in the directory of the library; `paperchat doctor` reports it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.errors import LibraryError

FILE = "firm_risk.json"
_REMEDY = "python -m eval selftest fits it"


@dataclass(frozen=True, slots=True)
class RiskThreshold:
    """A confidence from which at most `max_risk` of the answers cite no right paper, with probability `certainty`.

    `threshold` is None where no confidence keeps the risk. `answers` of the `questions` reach the threshold.
    """

    threshold: float | None
    max_risk: float
    certainty: float
    answers: int
    questions: int

    def __str__(self) -> str:
        promise = f"at most {self.max_risk:.0%} cite no right paper"
        if self.threshold is None:
            return f"no confidence is high enough that {promise} (n = {self.questions} questions)"
        return (
            f"{promise} from a confidence of {self.threshold:.2f}, with {self.certainty:.0%} certainty "
            f"(n = {self.answers} of {self.questions} questions)"
        )


def store(home: Path, risk: RiskThreshold) -> None:
    """Store the threshold in the directory of a library."""
    (home / FILE).write_text(json.dumps(asdict(risk)) + "\n", encoding="utf-8")


def describe(home: Path) -> str:
    """Return what is known of the firm answers of a library, in one line. Raises LibraryError for a damaged file."""
    file = home / FILE
    if not file.is_file():
        return f"not fitted: {_REMEDY}"
    try:
        return f"{RiskThreshold(**json.loads(file.read_text(encoding='utf-8')))}, by the self-test"
    except (OSError, ValueError, TypeError) as error:
        raise LibraryError(f"{file} is damaged ({error}); delete it: {_REMEDY}") from error
