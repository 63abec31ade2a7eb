from __future__ import annotations

from pathlib import Path

import pytest

from assistant import embedding
from assistant.protocols import Embedder, MessageReader
from assistant.question.encoder import QuestionEncoder


@pytest.fixture(scope="session")
def packaged_embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Return the packaged embedder, in exact arithmetic."""
    folder: Path = tmp_path_factory.mktemp("embedder")
    return embedding.load_embedder(embedding.PACKAGED, folder)


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> MessageReader:
    """Return the packaged message reader, in exact arithmetic."""
    return embedding.load_message_reader(tmp_path_factory.mktemp("messages"))


@pytest.fixture(scope="session")
def encoder(packaged_embedder: Embedder, messages: MessageReader) -> QuestionEncoder:
    """Return an encoder over the packaged embedder and message reader that all tests share."""
    return QuestionEncoder(packaged_embedder, messages=messages)
