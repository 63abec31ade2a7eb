"""Real models without downloaded weights: a Llama of random numbers, which writes nonsense, and a BERT of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_END = "</s>"
_REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('No system message') }}{% endif %}"
_TEMPLATE = (
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def a_tiny_llama(folder: Path, window: int = 8192, chats: bool = True, takes_rules: bool = True) -> Path:
    """Builds and saves the model with its tokenizer, which knows bytes only; returns the folder.

    `window` is the most tokens that it reads, `chats` whether it has a chat template, and `takes_rules` whether that
    takes a system message.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    spoken = Tokenizer(models.BPE(vocab={each: at for at, each in enumerate([*alphabet, _END])}, merges=[]))
    spoken.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spoken.decoder = decoders.ByteLevel()
    wrapped: Any = PreTrainedTokenizerFast
    tokenizer = wrapped(tokenizer_object=spoken, eos_token=_END, pad_token=_END)
    if chats:
        tokenizer.chat_template = _TEMPLATE if takes_rules else _REFUSING + _TEMPLATE
    torch.manual_seed(7)
    end = len(alphabet)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=end + 1,
            max_position_embeddings=window,
            bos_token_id=None,
            eos_token_id=end,
            pad_token_id=end,
            **shape,
        )
    )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def a_tiny_bert(folder: Path, words: Sequence[str], layers: int = 2) -> Path:
    """Build and save an encoder whose tokenizer knows these words; return the folder."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
    }
    torch.manual_seed(7)
    BertModel(BertConfig(vocab_size=len(vocabulary), **shape)).save_pretrained(folder)
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
