"""The checks of `paperchat doctor`: settings, library, language model."""

from __future__ import annotations

import platform
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from assistant import factory
from assistant.answering import calibration, firm_risk
from assistant.errors import PaperchatError
from assistant.protocols import Embedder
from assistant.question import fitted
from assistant.schema import Message
from assistant.settings import Settings, deprecated_names, unknown_variables
from assistant.text.printable import one_line
from ui.api.tokens import open_tokens
from ui.mcp.clients import configured
from ui.status import shards_differ

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# The question that shows whether a language model answers.
_GREETING = Message("user", "Reply with the word yes.")
_REMEDY = "run paperchat doctor --repair"


@dataclass(slots=True)
class Diagnosis:
    """Facts about the installation, notes on what works but should change, and problems with their remedy."""

    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def examine(settings: Settings) -> Diagnosis:
    """Check everything; a check that fails adds a problem to the diagnosis and raises no error."""
    diagnosis = Diagnosis({"version": version("paperchat"), "python": platform.python_version()})
    diagnosis.facts["settings"] = settings.model_dump(mode="json")
    diagnosis.notes += map(str, deprecated_names(settings))
    diagnosis.problems += [f"{name} is not a setting of paperchat; check its spelling" for name in unknown_variables()]
    for check in (_check_library, _check_model, _check_api):
        try:
            check(settings, diagnosis)
        except PaperchatError as error:
            diagnosis.problems.append(str(error))
    return diagnosis


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as JSON."""
    return {**diagnosis.facts, "notes": diagnosis.notes, "problems": diagnosis.problems}


def as_text(diagnosis: Diagnosis) -> str:
    """Format the diagnosis for a terminal."""
    lines: list[str] = []
    for name, value in diagnosis.facts.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key:20}{inner}" for key, inner in value.items())]
        else:
            lines.append(f"{name:22}{value}")
    notes = [f"NOTE: {one_line(note)}" for note in diagnosis.notes]
    verdict = [f"PROBLEM: {one_line(problem)}" for problem in diagnosis.problems] or ["All is well."]
    return "\n".join([*lines, *notes, *verdict])


def _check_model(settings: Settings, diagnosis: Diagnosis) -> None:
    """Measure the time to the first token of the language model, and stop it there."""
    llm = factory.open_llm(settings)
    if llm is None:
        return
    started = time.perf_counter()
    with closing(cast("Generator[str]", llm.stream([_GREETING]))) as reply:
        next(piece for piece in reply if piece.strip())
    diagnosis.facts["first token"] = f"{time.perf_counter() - started:.1f} s ({llm.name})"


def _check_api(settings: Settings, diagnosis: Diagnosis) -> None:
    """Say who may use the API; a damaged file of tokens raises SettingsError."""
    tokens = [f"{token.name} ({token.permissions})" for token in open_tokens(settings).all()]
    diagnosis.facts["api"] = (
        f"while paperchat serve runs, http://{settings.host}:{settings.port}/api/v1 (JSON; /api/v1/docs describes it), "
        "/v1 (OpenAI's form: Open WebUI, LibreChat) and /mcp (assistants)"
    )
    diagnosis.facts["assistants"] = ", ".join(configured()) or "none has it yet: paperchat mcp install CLIENT"
    diagnosis.facts["assistants may"] = "ask and add papers" if settings.mcp_add else "ask, and not add papers"
    diagnosis.facts["api tokens"] = ", ".join(tokens) or "none: this machine alone is served without a login"


def _check_library(settings: Settings, diagnosis: Diagnosis) -> None:
    with closing(factory.open_library(settings)) as library:
        catalog = library.catalog
        pending, stale = catalog.ledger.pending_count(), len(catalog.ledger.stale_ids())
        diagnosis.facts |= {
            "papers": catalog.papers.count(),
            "without abstract": catalog.papers.count_without_abstract(),
            "embedder": f"{library.embedder.name} by {library.embedder.engine}",
            "waiting": pending,
            "generation": catalog.ledger.generation,
            "firm answers": firm_risk.describe(settings.home),
        }
        _check_shards(settings, catalog, diagnosis)
        diagnosis.notes += fitted.faults(settings.shared, library.embedder)
        _check_calibration(settings, library.embedder, diagnosis)
        if pending:
            diagnosis.problems.append(f"{pending} papers are not indexed yet: {_REMEDY}")
        if stale:
            diagnosis.problems.append(f"{stale} deleted papers are still in the indexes: {_REMEDY}")
        for name, difference in library.compare().items():
            missing, extra = len(difference.missing), len(difference.extra)
            diagnosis.problems.append(f"the {name} lacks {missing} papers and has {extra} too many: {_REMEDY}")


def _check_shards(settings: Settings, catalog: Catalog, diagnosis: Diagnosis) -> None:
    """Say over how many collections of the Chroma server the vectors are spread, where they are on one."""
    shards = factory.stored_shards(settings, catalog)
    if shards is not None:
        diagnosis.facts["shards"] = shards
        diagnosis.notes += filter(None, [shards_differ(shards, settings.store_shards)])


def _check_calibration(settings: Settings, embedder: Embedder, diagnosis: Diagnosis) -> None:
    """Say what confidences were fitted to, and note where that does not suit the library."""
    models, folders = factory.calibrated_models(embedder), factory.calibration_folders(settings, embedder)
    for name, folder in zip(("this library", "this embedder"), folders, strict=True):
        if calibration.read(models, folder):
            diagnosis.facts["confidences"] = f"fitted to {name}"
            return
        if calibration.is_outdated(models, folder):
            diagnosis.notes.append(
                f"{folder / calibration.FILE} was fitted with other models and is not used: "
                "fit it again by python -m eval calibrate --own"
            )
    diagnosis.facts["confidences"] = "as the package has them"
    if not fitted.is_packaged(embedder):
        diagnosis.notes.append(
            "confidences were fitted with the packaged embedder and may be off with this one: "
            f"fit them by {fitted.COMMAND}, or to this library by python -m eval calibrate --own"
        )
