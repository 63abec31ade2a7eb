from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLAIM = "small glaciers shrink the fastest"


def test_the_command_prints_both_sides_as_text_and_as_json(filled: Any) -> None:
    assert "Supports (1)" in filled("sides", CLAIM).out
    (sentence,) = filled("sides", "--json", CLAIM).json["supports"]
    paper, passage = sentence["paper"], sentence["passage"]
    assert paper["abstract"][passage["start"] : passage["end"]] == passage["text"]


def test_a_batch_keeps_its_order_and_reports_bad_lines(filled: Any, tmp_path: Path) -> None:
    file = tmp_path / "claims.jsonl"
    lines = [{"id": 1, "claim": CLAIM}, {"id": 2, "claim": ""}, {"id": 3, "claim": "x" * 10_000}, {"id": 4}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run = filled("sides", "--batch", file)
    results = [json.loads(line) for line in run.out.splitlines()]
    assert [result["id"] for result in results] == [1, 2, 3, 4]
    assert ["error" in result for result in results] == [False, True, True, True]
    assert run.code == 1
