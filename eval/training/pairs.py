"""Train the pair reader: `python -m eval.training.pairs --data DIR`.

The examples are drawn and tokenized into files first; then teachers and the student that is shipped are trained on
them (`pair_recipe`). An interrupted training goes on from its last checkpoint. Word and position embeddings stay those
of the packaged encoder.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from assistant.embedding.fine_tuned import PAIR_READER
from assistant.embedding.packaged_model import PACKAGED, locate
from eval.training import command, hard_negatives, mixture, pair_encoding, pair_export, pair_recipe
from eval.training.examples import CLAIM_SETS, QUESTION_SETS, public_examples

logger = logging.getLogger(__name__)

# Word pieces of a text that are trained on.
_GENERAL_PIECES, _OWN_PIECES = 192, 448


def prepare(data: Path, folder: Path, location: str, tokenizer: Any) -> None:
    """Write the encoded examples of every epoch to the folder, those that are not there yet."""
    general = folder / pair_recipe.GENERAL_FILE
    if not general.exists():
        examples = [*public_examples(data, CLAIM_SETS, "nli"), *public_examples(data, QUESTION_SETS, "qa")]
        pair_encoding.save(pair_encoding.encode(tokenizer, examples, _GENERAL_PIECES), general)
    sources = mixture.read_sources(data, *_nearest(data, folder, location))
    for number in range(pair_recipe.OWN_EPOCHS):
        own = folder / pair_recipe.OWN_FILE.format(number)
        if not own.exists():
            encoded = pair_encoding.encode(tokenizer, mixture.epoch(sources, number), _OWN_PIECES)
            pair_encoding.save(encoded, own)
            logger.info("wrote %s: %d examples", own, len(encoded))


def _nearest(data: Path, folder: Path, location: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what makes the examples hard (`hard_negatives.find_nearest`), computed once."""
    ranks, papers = folder / "nearest.npz", folder / "nearest.json"
    if not papers.exists():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(location)

        def encode(texts: list[str]) -> Any:
            return model.encode(texts, normalize_embeddings=True, batch_size=16, show_progress_bar=False)

        nearest, many = hard_negatives.find_nearest(data, encode)
        np.savez(ranks, **nearest)  # type: ignore[arg-type]
        papers.write_text(json.dumps(many), encoding="utf-8")
    return dict(np.load(ranks)), json.loads(papers.read_text(encoding="utf-8"))


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data: judge/, scifact/, pubmedqa/ ...")],
    out: Annotated[Path, typer.Option(help="The folder of checkpoints and results.")] = Path("pair-reader"),
    teachers: Annotated[int, typer.Option(min=1, help="Networks that the student learns from.")] = pair_recipe.TEACHERS,
    prepare_only: Annotated[bool, typer.Option(help="Write the examples to the folder and stop.")] = False,
) -> None:
    """Train the pair reader on a GPU where there is one, and on the processor otherwise."""
    from transformers import AutoTokenizer

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out.mkdir(parents=True, exist_ok=True)
    location, _ = locate(PACKAGED, out / "embedder.verified")
    tokenizer = AutoTokenizer.from_pretrained(location)
    prepare(data, out, location, tokenizer)
    if prepare_only:
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = pair_recipe.train_reader(location, out, device, teachers).to("cpu")
    temperatures = pair_export.fit_temperatures(network, tokenizer, pair_export.dev_examples(data))
    pair_export.export(network, temperatures, out / PAIR_READER.name)
    logger.info("wrote %s; temperatures %s", out / PAIR_READER.name, temperatures)


if __name__ == "__main__":
    command.run(main)
