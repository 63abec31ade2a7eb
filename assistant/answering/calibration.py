"""The fitted models that turn readings into probabilities: those of the package, of an embedder, or of a library.

`python -m eval calibrate` prints those of the package; with `--own` it fits them to the library and stores them in its
directory. `python -m eval fit-embedder` fits and stores those of an embedder beside the models that libraries share.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from assistant.errors import LibraryError
from assistant.logistic import LogisticModel

FILE = "calibration.json"
# Raised when the features or their meaning change.
_FORMAT = 2


@dataclass(frozen=True, slots=True)
class AnswerabilityFeatures:
    """The features of a question for the probability that the library answers it.

    `answers` is the log-odds by the pair reader that the paper which answers best does answer. `met` is the mean
    presence of the question's terms in that paper, weighted by idf, and `weakest` their 0.2 quantile by weight, each
    about 0..1: what is asked beyond the topic is met least. `missing_names` is the number of the question's names that
    this paper does not mention, and `behind` how far the log-odds of the first hit are behind, 0..1 at most: 0 also
    where more hits were read than for a question about one paper. `similarity` is the score of the best hit, 0..1.
    """

    answers: float
    met: float
    weakest: float
    missing_names: float
    behind: float
    similarity: float


@dataclass(frozen=True, slots=True)
class EvidenceFeatures:
    """The features of a passage for the probability that it answers.

    `answers` and `sentence` are the log-odds by the pair reader that the paper answers and that the passage does.
    `paper` is the score of the hit minus that of the best hit: score differences are comparable between questions,
    scores are not. `won` is the share of the question's terms, weighted by idf, that a softmax over the passages of
    the abstract assigns to this one, `met` the mean presence of the terms in it, each 0..1. `position` in the abstract
    is 0 for the first passage and 1 for the last; `opening` is 1 for the first of several, which is often background.
    """

    answers: float
    sentence: float
    paper: float
    won: float
    met: float
    position: float
    opening: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic models: does the library cover the topic, does it answer on a covered topic, does a passage answer?"""

    topic: LogisticModel[AnswerabilityFeatures]
    answer: LogisticModel[AnswerabilityFeatures]
    evidence: LogisticModel[EvidenceFeatures]

    def confidence(self, features: AnswerabilityFeatures) -> float:
        """Return the probability that the library covers the topic and answers, 0..1."""
        return self.topic.probability(features) * self.answer.probability(features)


PACKAGED = Calibration(
    topic=LogisticModel(
        -20.21,
        AnswerabilityFeatures(answers=0.0, met=0.0, weakest=0.0, missing_names=0.0, behind=0.0, similarity=80.03),
    ),
    answer=LogisticModel(
        3.29,
        AnswerabilityFeatures(
            answers=1.41, met=-14.64, weakest=9.42, missing_names=-2.25, behind=-1.15, similarity=0.0
        ),
    ),
    evidence=LogisticModel(
        -4.09,
        EvidenceFeatures(answers=0.12, sentence=0.52, paper=28.67, won=2.29, met=3.93, position=1.5, opening=-0.07),
    ),
)


def store(calibration: Calibration, models: str, folder: Path) -> Path:
    """Store the calibration in a folder, and return the file.

    `models` identifies the embedder and the pair reader that it was fitted with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    part = file.with_name(f"{FILE}.part")
    content = {"format": _FORMAT, "models": models, **asdict(calibration)}
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(file)
    return file


def read(models: str, folder: Path) -> Calibration | None:
    """Return the calibration in a folder; None without one, and for one that was fitted with other models.

    Raises LibraryError for a damaged file.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if (content["format"], content["models"]) != (_FORMAT, models):
            return None
        return Calibration(
            topic=_model(content["topic"], AnswerabilityFeatures),
            answer=_model(content["answer"], AnswerabilityFeatures),
            evidence=_model(content["evidence"], EvidenceFeatures),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LibraryError(f"{file} is damaged ({error}); delete it, or fit it again") from error


def find(models: str, folders: tuple[Path, ...]) -> Calibration:
    """Return the calibration in the first folder that has one for these models, or that of the package.

    Raises LibraryError for a damaged file.
    """
    return next((found for folder in folders if (found := read(models, folder))), PACKAGED)


def is_outdated(models: str, folder: Path) -> bool:
    """Tell whether a folder has a calibration, but for other models. Raises LibraryError for a damaged file."""
    return (folder / FILE).is_file() and read(models, folder) is None


_FeaturesT = TypeVar("_FeaturesT")


def _model(content: dict[str, Any], kind: type[_FeaturesT]) -> LogisticModel[_FeaturesT]:
    """Return the model of a JSON object. Raises ValueError, TypeError or KeyError where it is none."""
    values = {name: float(value) for name, value in content["weights"].items()}
    bias = float(content["bias"])
    if not all(map(math.isfinite, (bias, *values.values()))):
        raise ValueError("a weight is not a number")
    return LogisticModel(bias, kind(**values))
