"""Find the classifier of follow-ups that was fitted on the vectors of an embedder.

The package has that for its own embedder. `python -m eval fit-embedder` fits it for another, and stores it beside the
models that all libraries share, in a folder named by the embedder and its revision.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.protocols import Embedder
    from assistant.question.encoder import QuestionEncoder
    from assistant.question.linear import LinearClassifier

PACKAGED = Path(__file__).parent / "weights"
FOLLOW_UPS = "follow_ups.npz"
COMMAND = "python -m eval fit-embedder --data DATA"
_FOLDER = "question-models"
_MAX_NAME = 60
# Numbers of a vector of the packaged embedder.
_PACKAGED_DIMENSION = 384


def folder(models: Path, embedder: Embedder) -> Path:
    """Return the folder of what is fitted to an embedder, below the folder of all models."""
    identity = f"{embedder.name}@{embedder.revision}"
    readable = re.sub(r"[^\w.-]+", "-", identity)[-_MAX_NAME:].strip("-.")
    return models / _FOLDER / f"{readable}-{zlib.crc32(identity.encode()):08x}"


def find(encoder: QuestionEncoder) -> LinearClassifier | None:
    """Return the classifier of follow-ups for the encoder's embedder; None where none was fitted.

    Stored weights that are damaged or of another embedder count as none: `paperchat doctor` reports them. Raises
    ModelError where those of the package are missing or damaged.
    """
    of_package = packaged(PACKAGED / FOLLOW_UPS)
    if of_package.applies_to(encoder.embedder):
        return of_package
    try:
        return None if encoder.models is None else _stored(encoder.models, encoder.embedder)
    except ModelError:
        return None


def is_packaged(embedder: Embedder) -> bool:
    """Tell whether the embedder is the one that the package has a classifier for. Raises ModelError."""
    return packaged(PACKAGED / FOLLOW_UPS).applies_to(embedder)


def faults(models: Path, embedder: Embedder) -> list[str]:
    """Return what the classifier does not cover with this embedder, with the cure. Raises ModelError."""
    if is_packaged(embedder):
        return []
    try:
        if _stored(models, embedder):
            return []
    except ModelError as error:
        return [str(error)]
    return [
        f"the classifier of follow-ups is not fitted to the embedder {embedder.name}: they are recognized by their "
        f"form alone; fit it by {COMMAND}"
    ]


def packaged(file: Path) -> LinearClassifier:
    """Return a classifier that comes with the package, read once. Raises ModelError, which names file and cure."""
    return _read(file, 0)


def _stored(models: Path, embedder: Embedder) -> LinearClassifier | None:
    """Return the classifier that was fitted for the embedder. Raises ModelError, which names file and cure."""
    file = folder(models, embedder) / FOLLOW_UPS
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        return None
    classifier, of_package = _read(file, changed, f"fit it again by {COMMAND}"), packaged(PACKAGED / FOLLOW_UPS)
    if not classifier.applies_to(embedder):
        raise ModelError(f"{file} belongs to another embedder or revision: fit it again by {COMMAND}")
    others = of_package.weights.shape[1] - _PACKAGED_DIMENSION
    if (classifier.labels, classifier.weights.shape[1]) != (of_package.labels, embedder.dimension + others):
        raise ModelError(f"{file} was fitted by another version of paperchat: fit it again by {COMMAND}")
    return classifier


@lru_cache(maxsize=16)
def _read(file: Path, changed: int, cure: str = "reinstall paperchat") -> LinearClassifier:
    """Read a classifier, once for each time that the file `changed`. Raises ModelError."""
    from assistant.question import linear  # numpy: not before the first question

    return linear.load(file, cure)
