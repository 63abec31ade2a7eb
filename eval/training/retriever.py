"""Train the encoder adapter: `python -m eval.training.retriever --data DIR`.

The packaged encoder gets low-rank changes in every layer, for questions and papers alike. A query is ranked among all
documents of its batch, near ones among them, by the pooled vector and by late interaction with words of one bit a
coordinate, as an index stores them. Prints how papers rank before and after on dev parts; `--test` adds the test parts,
to be looked at once. It goes on from its last checkpoint, beside the file of the adapter, when it is started again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import torch
import typer

from assistant.embedding.encoder_adapter import ADAPTER_FILE, EncoderAdapter, save_adapter
from assistant.embedding.packaged_model import PACKAGED, locate
from assistant.schema import Paper
from assistant.settings import load
from eval.training import command, retrieval_data, retrieval_measures
from eval.training.retrieval_collections import SearchCollection, read_collections
from eval.training.retrieval_data import TrainingTexts
from eval.training.retrieval_network import RetrievalNetwork
from eval.training.retrieval_tokens import WordTokenizer, lexicon_of
from eval.training.retrieval_training import Plan, TokenizedPairs, Trainer

logger = logging.getLogger(__name__)

_STEPS = 450
# Collections without a training part: no text of theirs is trained on.
_ONLY_MEASURED = ("seeds", "scifact")


def main(
    data: Annotated[Path, typer.Option(help="folder of the data")],
    out: Annotated[Path, typer.Option(help="file of the adapter")] = ADAPTER_FILE,
    steps: Annotated[int, typer.Option(min=1, help="steps of the training")] = _STEPS,
    test: Annotated[bool, typer.Option("--test", help="measure on the test parts too")] = False,
) -> None:
    """Train the encoder adapter, print how papers rank before and after, and write it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings, plan = load(engine="float32"), Plan(steps=steps)
    collections = read_collections(data, settings)
    texts = retrieval_data.read_training(data, _abstracts(collections))
    logger.info(retrieval_data.counts(texts))
    location, _ = locate(PACKAGED, settings.shared / "embedder.verified")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = RetrievalNetwork(location, plan.rank, plan.seed).to(device)
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    parts = (retrieval_measures.DEV, retrieval_measures.TEST) if test else (retrieval_measures.DEV,)
    names = {part for of_part in parts for part in of_part.values()}
    prepared = {
        name: retrieval_measures.prepare(collection, network.tokenizer, names)
        for name, collection in collections.items()
    }
    print(retrieval_measures.table("before", network, prepared, parts), flush=True)
    fit(network, texts, plan, checkpoint)
    print(retrieval_measures.table("after", network, prepared, parts), flush=True)
    save_adapter(adapter_of(network), out, {"made by": "eval.training.retriever"})
    checkpoint.unlink(missing_ok=True)


def fit(network: RetrievalNetwork, texts: TrainingTexts, plan: Plan, checkpoint: Path) -> None:
    """Train the network on the texts, and keep a share of what it learnt."""
    Trainer(network, tokenize(network, texts), plan, checkpoint).fit()
    network.weaken(plan.strength)


def tokenize(network: RetrievalNetwork, texts: TrainingTexts) -> TokenizedPairs:
    """Return the texts as the network reads them; words are weighted by the documents that have them."""
    papers = [Paper(str(position), document, "") for position, document in enumerate(texts.documents)]
    with lexicon_of(papers) as lexicon:
        words = WordTokenizer(network.tokenizer, lexicon)
        return TokenizedPairs(
            texts, words.tokenize(texts.documents), words.tokenize([pair.query for pair in texts.pairs])
        )


def adapter_of(network: RetrievalNetwork) -> EncoderAdapter:
    """Return the changes that a network has learnt, named by a digest of them."""
    down, up = network.factors()
    digest = sha256(b"".join(matrix.tobytes() for matrix in (*down.values(), *up.values())))
    return EncoderAdapter(down, up, f"encoder-{digest.hexdigest()[:16]}")


def _abstracts(collections: Mapping[str, SearchCollection]) -> Iterable[str]:
    """Return the abstracts of the collections that have no training part."""
    return [paper.abstract for name in _ONLY_MEASURED for paper in collections[name].papers]


if __name__ == "__main__":
    command.run(main)
