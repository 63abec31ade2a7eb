"""Fit the classifier of follow-ups on the vectors of another embedder, and the calibration of answers after it.

Both are stored beside the models that all libraries share (see `assistant.question.fitted`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assistant import factory
from assistant.answering import calibration
from assistant.errors import InputError
from assistant.protocols import Embedder
from assistant.question import fitted, linear
from assistant.question.encoder import QuestionEncoder
from assistant.settings import Settings
from eval.training import dialogs
from eval.training.calibrate import calibrate


def fit_embedder(settings: Settings, data: Path, *, with_answers: bool = True) -> Iterator[str]:
    """Fit and store both for the embedder of the settings; yield the figures of each as it is done.

    `data` is the folder that has `judge/`. With `with_answers` the calibration of answers is fitted as well, which asks
    the dev questions of the suites. Raises InputError for the packaged embedder and for missing data, ModelError.
    """
    embedder = factory.open_embedder(settings)
    if fitted.is_packaged(embedder):
        message = "the package has what is fitted to its own embedder; name another by the setting `embedder`"
        raise InputError(embedder.name, message)
    conversations = dialogs.read(data)  # before hours of encoding
    encoder = dialogs.question_encoder(settings, embedder)
    yield _fit_follow_ups(conversations, encoder, fitted.folder(settings.shared, embedder) / fitted.FOLLOW_UPS)
    if with_answers:
        yield _fit_answers(settings, embedder)


def _fit_follow_ups(examples: dialogs.TurnExamples, encoder: QuestionEncoder, file: Path) -> str:
    linear.save(dialogs.fit(examples.learned, encoder, dialogs.vector_rows), file)
    report = dialogs.report(examples, encoder, dialogs.vector_rows, linear.load(file))
    return "\n".join([*(f"follow-ups, {line}" for line in report), f"  stored: {file}"])


def _fit_answers(settings: Settings, embedder: Embedder) -> str:
    result = calibrate(settings)
    *_, folder = factory.calibration_folders(settings, embedder)
    file = calibration.store(result.calibration, factory.calibrated_models(embedder), folder)
    return f"{result}\n  stored: {file}"
