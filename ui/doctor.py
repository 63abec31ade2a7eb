"""What `paperchat doctor` looks at: settings, library, models."""

from __future__ import annotations

import platform
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, cast

from assistant import factory
from assistant.errors import PaperchatError
from assistant.schema import Message
from assistant.settings import Settings, unknown_variables
from assistant.text.printable import one_line

# What a language model is asked to see whether it answers.
_GREETING = Message("user", "Reply with the word yes.")
_CURE = "run paperchat doctor --repair"


@dataclass(slots=True)
class Findings:
    """Facts, and what is wrong with its cure, one sentence each."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def examine(settings: Settings) -> Findings:
    """Look at everything; a part that fails is a problem in the findings, not an error."""
    found = Findings({"version": version("paperchat"), "python": platform.python_version()})
    found.facts["settings"] = settings.model_dump(mode="json")
    found.problems += [f"{name} names no setting of paperchat; is it misspelt?" for name in unknown_variables()]
    for look in (_examine_library, _examine_model):
        try:
            look(settings, found)
        except PaperchatError as error:
            found.problems.append(str(error))
    return found


def as_json(found: Findings) -> dict[str, Any]:
    """The findings for scripts."""
    return {**found.facts, "problems": found.problems}


def as_text(found: Findings) -> str:
    """The findings for a person."""
    lines: list[str] = []
    for name, value in found.facts.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key:20}{inner}" for key, inner in value.items())]
        else:
            lines.append(f"{name:22}{value}")
    verdict = [f"PROBLEM: {one_line(problem)}" for problem in found.problems] or ["All is well."]
    return "\n".join([*lines, *verdict])


def _examine_model(settings: Settings, found: Findings) -> None:
    """Have the language model say one token, and stop it."""
    llm = factory.open_llm(settings)
    if llm is None:
        return
    started = time.perf_counter()
    with closing(cast("Generator[str]", llm.stream([_GREETING]))) as reply:
        next(piece for piece in reply if piece.strip())
    found.facts["first token"] = f"{time.perf_counter() - started:.1f} s ({llm.name})"


def _examine_library(settings: Settings, found: Findings) -> None:
    with closing(factory.open_library(settings)) as library:
        catalog = library.catalog
        waiting, gone = catalog.pending_count(), len(catalog.stale())
        found.facts |= {"papers": catalog.count(), "without abstract": catalog.count_without_abstract()}
        found.facts["embedder"] = f"{library.embedder.name} by {library.embedder.engine}"
        found.facts |= {"waiting": waiting, "generation": catalog.generation}
        if waiting:
            found.problems.append(f"{waiting} papers wait to be indexed: {_CURE}")
        if gone:
            found.problems.append(f"{gone} papers that were deleted are still in the indexes: {_CURE}")
        for name, differs in library.compare().items():
            lacks, extra = len(differs.missing), len(differs.extra)
            found.problems.append(f"the {name} lacks {lacks} papers and has {extra} too many: {_CURE}")
