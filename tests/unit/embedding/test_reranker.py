"""Cross-encoders loaded by name, with a tiny one, and how the settings choose a re-ranker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from assistant import embedding, factory
from assistant.chat import Assistant
from assistant.encodings import EncodedQuery
from assistant.errors import ModelError
from assistant.retrieval.late_interaction import Interactions
from assistant.retrieval.reranking import Candidates, CrossEncoderReranker, LateInteraction
from assistant.schema import Paper
from assistant.settings import Settings

WORDS = "[PAD] [UNK] [CLS] [SEP] glaciers melt honey bees dance ?".split()
DOCUMENTS = ["glaciers melt", "honey. bees dance", ""]


def save_cross_encoder(folder: Path, scores: int = 1) -> str:
    """Save a cross-encoder of a few hundred random weights, and return its folder."""
    tokens = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token=WORDS[1]))
    tokens.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), WORDS, strict=False))
    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_object=tokens, **special)  # type: ignore[no-untyped-call]
    torch.manual_seed(3)
    shape: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_labels": scores}
    config = BertConfig(vocab_size=len(WORDS), initializer_range=1.0, intermediate_size=16, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_a_cross_encoder_reads_the_question_with_each_document(tmp_path: Path) -> None:
    name = save_cross_encoder(tmp_path)
    reranker = embedding.load_cross_encoder(name)
    scores = reranker.score("bees dance ?", DOCUMENTS)
    pairs = [("bees dance ?", document) for document in DOCUMENTS]
    logits = CrossEncoder(name).predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    assert scores == pytest.approx([float(1 / (1 + np.exp(-logit))) for logit in logits], abs=1e-5)
    assert len(set(scores)) == 3
    assert all(0 <= score <= 1 for score in scores)
    assert scores != reranker.score("glaciers melt ?", DOCUMENTS)
    assert reranker.score("bees", []) == []
    assert reranker.name == name


def test_a_model_with_several_scores_is_not_a_reranker(tmp_path: Path) -> None:
    name = save_cross_encoder(tmp_path, scores=3)
    with pytest.raises(ModelError, match="gives 3 scores instead of one"):
        embedding.load_cross_encoder(name)


@pytest.mark.parametrize("name", ["/no/such/folder", "~/no-such-folder-either", "somebody/some-model"])
def test_a_reranker_that_is_not_available_is_a_model_error_in_one_line(name: str) -> None:
    with pytest.raises(ModelError, match=r"re-ranker.*(does not exist|cannot be loaded)") as failure:
        embedding.load_cross_encoder(name)
    assert "\n" not in str(failure.value)


def test_the_settings_choose_the_reranker(settings: Settings, tmp_path: Path) -> None:
    def chosen(**changes: str) -> object:
        return factory.open_reranker(settings.model_copy(update=changes))

    assert isinstance(chosen(), LateInteraction)
    assert chosen(reranker=LateInteraction.name) is not None
    assert chosen(reranker="none") is None
    assert isinstance(chosen(reranker=save_cross_encoder(tmp_path)), CrossEncoderReranker)


class ByLength:
    """Scores documents by their length."""

    name = "by-length"

    def score(self, query: str, documents: Sequence[str]) -> list[float]:
        return [float(len(document)) for document in documents]


def test_a_cross_encoder_is_given_title_and_abstract_of_the_papers_that_have_a_text(reader: Assistant) -> None:
    papers = {"ice": Paper("ice", "melts"), "bees": Paper("bees", "dance", title="honey")}
    nothing = np.empty((0, 8), dtype=np.float32)
    query = EncodedQuery("who?", nothing, nothing, nothing[:, 0])
    interactions = Interactions(query, reader.library.words)
    known = Candidates(
        ["ice", "gone", "bees"], interactions, lambda ids: [papers[name] for name in ids if name in papers]
    )
    assert CrossEncoderReranker(ByLength()).score(known) == {"ice": len("melts"), "bees": len("honey. dance")}


def test_a_search_with_a_cross_encoder_shows_its_scores(reader: Assistant, settings: Settings, tmp_path: Path) -> None:
    changed = settings.model_copy(update={"reranker": save_cross_encoder(tmp_path), "rerank_weight": 1.0})
    hits = factory.open_assistant(changed, reader.library).search("do bees dance?").hits
    assert len(hits) == 3
    assert [hit.score for hit in hits] == pytest.approx([hit.scores["rerank"] for hit in hits])


@pytest.mark.parametrize(
    ("name", "offline"),
    [("late-interaction", True), ("none", True), (".", True), ("cross-encoder/ms-marco-MiniLM-L6-v2", False)],
)
def test_the_hub_is_asked_only_for_a_reranker_that_is_there(
    name: str, offline: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("assistant.factory.os.environ", environment)
    factory.restrict_network_access(settings.model_copy(update={"reranker": name}))
    assert (environment.get("HF_HUB_OFFLINE") == "1") == offline
