"""The labelled sentences of `eval/training/standalone.jsonl` keep what a training relies on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.text.sentences import passages
from eval import training

ABSTRACTS = [
    json.loads(line)
    for line in (Path(training.__file__).parent / "standalone.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("abstract", ABSTRACTS, ids=lambda abstract: abstract["id"])
def test_labels_fit_the_sentences(abstract: dict[str, Any]) -> None:
    for position, sentence in enumerate(abstract["sentences"]):
        assert sentence["leans"] in range(-1, position)
        assert isinstance(sentence["boilerplate"], bool)
        lead, text = sentence["lead"], sentence["text"]
        assert text.startswith(lead)
        assert len(lead) < len(text)
        assert not lead or lead.endswith((" ", "\n"))


@pytest.mark.parametrize("abstract", ABSTRACTS, ids=lambda abstract: abstract["id"])
def test_sentences_are_those_that_the_assistant_quotes(abstract: dict[str, Any]) -> None:
    texts = [sentence["text"] for sentence in abstract["sentences"]]
    assert [passage.text for passage in passages(" ".join(texts))] == texts


def test_no_abstract_is_labelled_twice() -> None:
    assert len({abstract["id"] for abstract in ABSTRACTS}) == len(ABSTRACTS)
