"""The checks of `paperchat doctor`: settings, every part of the library, language model, who may use the server."""

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
from ui import doctor_parts
from ui.api.tokens import open_tokens
from ui.doctor_parts import REPAIR, Part, PartStatus
from ui.mcp.clients import configured
from ui.status import shards_differ

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog
    from assistant.storage.library import Library

# The question that shows whether a language model answers.
_GREETING = Message("user", "Reply with the word yes.")


@dataclass(slots=True)
class Diagnosis:
    """Facts about the installation, its parts, notes on what should change, and problems with their remedy."""

    facts: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
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
    return {
        **diagnosis.facts,
        "parts": [part.as_json() for part in diagnosis.parts],
        "notes": diagnosis.notes,
        "problems": diagnosis.problems,
    }


def as_text(diagnosis: Diagnosis) -> str:
    """Format the diagnosis for a terminal."""
    lines: list[str] = []
    for name, value in diagnosis.facts.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key:20}{inner}" for key, inner in value.items())]
        else:
            lines.append(f"{name:22}{value}")
    lines += ["parts:", *(f"  {part.as_line()}" for part in diagnosis.parts)] if diagnosis.parts else []
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
    """Check the parts of the library, from the directory to the models; an error is told by the part that it is of."""
    _add(diagnosis, doctor_parts.directory(settings))
    try:
        with closing(factory.open_catalog(settings)) as catalog:
            _add(diagnosis, doctor_parts.database(catalog))
    except PaperchatError as error:
        _add(diagnosis, doctor_parts.failed(doctor_parts.DATABASE, error))
        diagnosis.parts += doctor_parts.unknown(doctor_parts.NEED_LIBRARY, doctor_parts.DATABASE)
        return
    try:
        library = factory.open_library(settings)
    except PaperchatError as error:
        _add(diagnosis, doctor_parts.failed(doctor_parts.STORE, error))
        diagnosis.parts += doctor_parts.unknown(doctor_parts.NEED_LIBRARY[1:], doctor_parts.STORE)
        return
    with closing(library):
        _check_opened(settings, library, diagnosis)


def _check_opened(settings: Settings, library: Library, diagnosis: Diagnosis) -> None:
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
    if pending:
        diagnosis.problems.append(f"{pending} papers are not indexed yet: {REPAIR}")
    if stale:
        diagnosis.problems.append(f"{stale} deleted papers are still in the indexes: {REPAIR}")
    for part in (*doctor_parts.indexes(settings, library, library.compare()), doctor_parts.models(library)):
        _add(diagnosis, part)
    _check_calibration(settings, library.embedder, diagnosis)


def _add(diagnosis: Diagnosis, part: Part) -> None:
    """Add a part; what is wrong with it is among the notes or the problems as well."""
    diagnosis.parts.append(part)
    told = {PartStatus.NOTE: diagnosis.notes, PartStatus.PROBLEM: diagnosis.problems}.get(part.status)
    if told is not None:
        cure = f"; {part.cure}" if part.cure and part.cure not in part.detail else ""
        told.append(f"the {part.name}: {part.detail}{cure}")


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
