"""Replay fixed questions over the seeds and return what was answered as plain values.

`python -m tests.regression.replay` writes `recorded.json` again where a change of behaviour is intended; the diff
of that file is then the review of the change. The library comes from `seeds.backup`, so that no bit of a paper's
vectors depends on the processor that the tests run on; delete that file to have it made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assistant import factory
from assistant.chat import Assistant
from assistant.schema import Answer, Hit, SearchResult, Turn
from assistant.settings import Settings, load
from ingest import pipeline
from ingest.maintenance import backup
from tests.fakes import ScriptedLLM

HERE = Path(__file__).parent
SEEDS = HERE.parent.parent / "seeds"
RECORDED, LIBRARY = HERE / "recorded.json", HERE / "seeds.backup"


def cases() -> list[dict[str, Any]]:
    """The cases: `mode` is search, answer, model (with the `reply` it gives), dialog (with `turns`) or verify."""
    loaded: list[dict[str, Any]] = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
    return loaded


@contextmanager
def seeds_assistant(home: Path) -> Iterator[Assistant]:
    """Open an assistant over the seeds with the packaged embedder, in exact arithmetic, in an empty directory."""
    settings = load(home=home, engine="float32")
    if LIBRARY.exists():
        backup.restore(settings, LIBRARY)
    library = factory.open_library(settings)
    try:
        pipeline.ingest([SEEDS], library)
        yield factory.open_assistant(settings, library)
    finally:
        library.close()


def outcome(case: dict[str, Any], assistant: Assistant) -> Any:
    """What the assistant says to a case, without timings and whatever else differs from run to run."""
    if case["mode"] == "search":
        return _search(assistant.search(case["question"]))
    if case["mode"] == "verify":
        verified = assistant.verify(case["claim"], case.get("paper_id"))
        passage = verified.passage
        return {
            "verdict": str(verified.verdict),
            "support": verified.support,
            "paper_id": verified.paper_id,
            "passage": [passage.start, passage.end] if passage else None,
            "reason": verified.reason,
        }
    if case["mode"] == "dialog":
        return _dialog(case["turns"], assistant)
    return _answer(_with_model(assistant, case).ask(case["question"]))


def _with_model(assistant: Assistant, case: dict[str, Any]) -> Assistant:
    if case["mode"] != "model":
        return assistant
    settings = assistant.settings.model_copy(update={"verify": case.get("verify", "normal")})
    return Assistant(
        assistant.library, settings, assistant.reader, ScriptedLLM(*case["reply"].split("|")), assistant.reranker
    )


def _dialog(turns: list[str], assistant: Assistant) -> list[Any]:
    history: list[Turn] = []
    for question in turns:
        history.append(Turn(question, assistant.ask(question, history)))
    return [_answer(turn.answer) for turn in history]


def _search(result: SearchResult) -> dict[str, Any]:
    return {
        "standalone": result.query.standalone,
        "searched": result.searched,
        "hits": [_hit(hit) for hit in result.hits],
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "paper": hit.paper.id,
        "score": hit.score,
        "scores": dict(sorted(hit.scores.items())),
        "passages": [[passage.start, passage.end] for passage in hit.passages],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "standalone": answer.standalone,
        "strength": str(answer.strength),
        "confidence": answer.confidence,
        "reason": answer.reason,
        "text": answer.text,
        "citations": [
            [each.number, each.paper.id, [[passage.start, passage.end] for passage in each.passages]]
            for each in answer.citations
        ],
        "sentences": [
            [each.text, list(each.citations), str(each.verdict), each.support, each.reason, each.attributed]
            for each in answer.sentences
        ],
        "hits": [[hit.paper.id, hit.score] for hit in answer.hits],
        "nearest": [paper.id for paper in answer.nearest],
        "dropped": answer.dropped,
        "withdrawn": answer.withdrawn.reason if answer.withdrawn else None,
    }


def record(home: Path) -> None:
    """Write down what is answered now, and the library that answers it if there is none yet."""
    with seeds_assistant(home) as assistant:
        outcomes = {case["id"]: outcome(case, assistant) for case in cases()}
        settings = assistant.settings
    if not LIBRARY.exists():
        backup.backup(settings, LIBRARY)
    lines = [f"{json.dumps(name)}: {json.dumps(found, ensure_ascii=False)}" for name, found in outcomes.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    factory.restrict_network_access(Settings())
    with TemporaryDirectory() as folder:
        record(Path(folder))
