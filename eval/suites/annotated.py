"""Write the suites over the annotated abstracts: `python -m eval.suites.annotated DATA_DIR`.

DATA_DIR has `annotated.jsonl.gz` (abstracts with questions, near misses and claims), `intent.jsonl` (messages) and
`dialogs.jsonl` (conversations). All abstracts become papers of the library; of what was written about them, only the
dev and test parts become items of suites (`eval.suites.parts`). The same data make the same files, byte for byte.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from assistant.errors import InputError, PaperchatError
from assistant.schema import Paper
from eval.suites import ABSTRACTS
from eval.suites.lines import numbered_lines
from eval.suites.parts import part_of_abstract, part_of_text

Row: TypeAlias = dict[str, Any]
LABELS = ("supported", "contradicted", "not stated")
_LEVELS = ("easy", "medium", "hard")
_WORDINGS = ("close", "half", "paraphrased")


def write(data: Path, target: Path = ABSTRACTS) -> dict[str, int]:
    """Write the files of the suites to a folder; return the number of lines of each.

    Raises InputError, naming file and line, for missing or malformed data.
    """
    from eval.training.question_style import add_style

    abstracts = read_annotated(data / "annotated.jsonl.gz")
    questions, near = add_style(_about(abstracts, question_rows), _about(abstracts, near_miss_rows))
    files: dict[str, list[Row]] = {
        "papers": [{name: row[name] for name in ("id", "title", "abstract")} for row in abstracts],
        "questions": questions,
        "near": near,
        "claims": _about(abstracts, claim_rows),
        "intents": _intent_rows(data / "intent.jsonl"),
        "dialogs": _dialog_rows(data / "dialogs.jsonl"),
    }
    target.mkdir(parents=True, exist_ok=True)
    held_out = {name: [row for row in rows if row.get("split") != "train"] for name, rows in files.items()}
    for name, rows in held_out.items():
        _write(target / f"{name}.jsonl.gz", rows)
    return {name: len(rows) for name, rows in held_out.items()}


def read_annotated(file: Path) -> list[Row]:
    """Read the annotated abstracts, each with its `part`. Raises InputError, naming file and line."""
    return [_checked(row, file, number, _annotated) for number, row in _rows(file)]


def paper_of(row: Mapping[str, Any]) -> Paper:
    """Return an annotated abstract as a paper."""
    return Paper(row["id"], row["abstract"], row["title"])


def question_rows(row: Mapping[str, Any]) -> list[Row]:
    """Return the lines of the questions that an abstract answers."""
    return [
        {
            "id": f"{row['id']}-q{number}",
            "question": question["text"],
            "papers": [row["id"]],
            "difficulty": question["level"],
            "evidence": _evidence(row, question),
            "split": row["part"],
        }
        for number, question in enumerate(row["questions"], start=1)
    ]


def near_miss_rows(row: Mapping[str, Any]) -> list[Row]:
    """Return the lines of the questions on the topic of an abstract that it does not answer."""
    return [
        {"id": f"{row['id']}-n{number}", "question": text, "papers": [], "split": row["part"]}
        for number, text in enumerate(row["near_misses"], start=1)
    ]


def claim_rows(row: Mapping[str, Any]) -> list[Row]:
    """Return the lines of the claims about an abstract."""
    return [
        {
            "id": f"{row['id']}-c{number}",
            "claim": claim["text"],
            "paper": row["id"],
            "supported": claim["label"] == "supported",
            "label": claim["label"],
            "wording": claim["wording"],
            "kind": claim["kind"],
            "evidence": _evidence(row, claim),
            "split": row["part"],
        }
        for number, claim in enumerate(row["claims"], start=1)
    ]


def _about(abstracts: Iterable[Row], lines: Callable[[Row], list[Row]]) -> list[Row]:
    return [line for row in abstracts for line in lines(row)]


def _evidence(row: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    return [row["sentences"][index] for index in item["sentences"]]


def _intent_rows(file: Path) -> list[Row]:
    def line(row: Row) -> Row:
        text, intent = str(row["q"]), str(row["intent"])
        return {"id": _text_id("m", text), "message": text, "intent": intent, "split": part_of_text(text)}

    return [_checked(row, file, number, line) for number, row in _rows(file)]


def _dialog_rows(file: Path) -> list[Row]:
    def line(row: Row) -> Row:
        turns = [
            {"question": turn["q"], "standalone": turn["standalone"], "kind": turn["kind"]} for turn in row["turns"]
        ]
        first = str(turns[0]["question"])
        return {"id": _text_id("d", first), "turns": turns, "split": part_of_text(first)}

    return [_checked(row, file, number, line) for number, row in _rows(file)]


def _text_id(prefix: str, text: str) -> str:
    return f"{prefix}{zlib.crc32(text.encode()):08x}"


def _annotated(row: Row) -> Row:
    """Check an annotated abstract and return it with its part. Raises ValueError, KeyError, IndexError, TypeError."""
    for question in row["questions"]:
        _check_choice(question["level"], _LEVELS)
    for claim in row["claims"]:
        _check_choice(claim["label"], LABELS)
        _check_choice(claim["wording"], _WORDINGS)
    for item in (*row["questions"], *row["claims"]):
        if any(index < 0 for index in item["sentences"]):
            raise ValueError(f"a negative index: {item['sentences']}")
        _evidence(row, item)
    return row | {"title": row["title"] or None, "part": part_of_abstract(row["id"], row["split"])}


def _check_choice(value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")


def _checked(row: Row, file: Path, number: int, parse: Callable[[Row], Row]) -> Row:
    try:
        line: Row = parse(row)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(str(file), f"not a valid line of this file: {error!r}", number) from error
    return line


def _rows(file: Path) -> Iterator[tuple[int, Row]]:
    for number, line in numbered_lines(file):
        try:
            yield number, json.loads(line)
        except ValueError as error:
            raise InputError(str(file), f"not JSON: {error}", number) from error


def _write(file: Path, rows: Iterable[Row]) -> None:
    """Write JSON Lines, compressed without the time, so that the bytes depend on the rows alone."""
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(arguments: Sequence[str]) -> int:
    """Run the command; an error in the data ends it with one line."""
    if len(arguments) != 1:
        print("usage: python -m eval.suites.annotated DATA_DIR", file=sys.stderr)
        return 2
    try:
        for name, count in write(Path(arguments[0])).items():
            print(f"{name:12}{count:6}")
    except PaperchatError as error:
        print(f"annotated: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
