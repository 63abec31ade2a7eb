"""Train the pair reader: `python -m eval.training.pairs --data DIR`.

Two stages. *General*: the public claim-evidence and question-text pairs. *Own*: our annotated abstracts, SciFact's
training claims and biomedical questions, with a sample of the public pairs so that nothing is unlearned. Word and
position embeddings stay those of the packaged encoder. An interrupted training goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import numpy as np
import torch
import typer

from assistant.embedding.packaged_model import PACKAGED, locate
from assistant.embedding.pair_weights import WEIGHTS_FILE
from eval.training import command, hard_negatives, mixture, pair_export, pair_network
from eval.training.examples import CLAIM_SETS, QUESTION_SETS, Example, public_examples
from eval.training.pair_network import Encoded, PairNetwork

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """How a stage is trained: a batch has at most so many word pieces, a text so many; rates of encoder and heads."""

    name: str
    epochs: float
    max_pieces: int
    batch_pieces: int = 5120
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: float = 0.06
    seed: int = 7


GENERAL = Stage("general", epochs=0.9, max_pieces=192)
OWN = Stage("own", epochs=2.0, max_pieces=448, batch_pieces=4096, encoder_rate=7e-5, head_rate=5e-4, seed=11)
_CHECKPOINT_STEPS, _LOG_STEPS = 200, 50
# Examples among which those of similar length are batched together.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every stage needs: where checkpoints go, the tokenizer, and where tensors live."""

    folder: Path
    tokenizer: Any
    device: torch.device


def train(stage: Stage, network: PairNetwork, epochs: Iterator[Sequence[Example]], workshop: Workshop) -> None:
    """Train the network in place, from the stage's checkpoint if there is one, and save the result."""
    checkpoint, final = workshop.folder / f"{stage.name}.checkpoint", workshop.folder / f"{stage.name}.pt"
    if final.exists():
        network.load_state_dict(torch.load(final))
        return
    plan = _plan(stage, epochs, workshop)
    optimizer = _optimizer(stage, network)
    progress = _Progress(stage.name, len(plan))
    network.train()
    for step in range(_restore(checkpoint, network, optimizer), len(plan)):
        batch = pair_network.collate(plan[step], workshop.device)
        progress.log(step, _step(stage, network, optimizer, batch, step / len(plan)))
        if step % _CHECKPOINT_STEPS == _CHECKPOINT_STEPS - 1:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            _save(state, checkpoint)
    _save(network.state_dict(), final)


class _Progress:
    """Logs the mean loss of a stage, in which a step counts for less the longer ago it was."""

    def __init__(self, stage: str, steps: int) -> None:
        self._stage, self._steps = stage, steps
        self._started, self._average = time.perf_counter(), math.nan

    def log(self, step: int, loss: float) -> None:
        """Count the loss of a step, and log a line every so many steps."""
        self._average = loss if math.isnan(self._average) else 0.98 * self._average + 0.02 * loss
        if step % _LOG_STEPS == 0:
            seconds = time.perf_counter() - self._started
            message = "%s step %d of %d, loss %.3f, %.0f s"
            logger.info(message, self._stage, step, self._steps, self._average, seconds)


def _restore(checkpoint: Path, network: PairNetwork, optimizer: torch.optim.AdamW) -> int:
    """Restore network and optimizer from the checkpoint, if there is one, and return the step to go on with."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint)
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def _save(state: Any, file: Path) -> None:
    """Save the state completely or not at all: a training may be interrupted at any time."""
    part = file.with_name(f"{file.name}.part")
    torch.save(state, part)
    part.replace(file)


def _plan(stage: Stage, epochs: Iterator[Sequence[Example]], workshop: Workshop) -> list[list[Encoded]]:
    """Return the batches of all epochs, in order."""
    batches: list[list[Encoded]] = []
    whole, part = int(stage.epochs), stage.epochs % 1
    for number in range(whole + bool(part)):
        encoded = pair_network.encode(workshop.tokenizer, next(epochs), stage.max_pieces)
        random = Random(stage.seed + number)  # noqa: S311 - reproducible, not secret
        of_epoch = _batches(encoded, stage, random)
        batches += of_epoch if number < whole else of_epoch[: int(len(of_epoch) * part)]
    return batches


def _batches(encoded: Sequence[Encoded], stage: Stage, random: Random) -> list[list[Encoded]]:
    """Return shuffled batches of examples of similar length, none longer than the stage allows."""
    order = random.sample(list(encoded), len(encoded))
    batches: list[list[Encoded]] = []
    for start in range(0, len(order), _BLOCK):
        block: list[list[Encoded]] = [[]]
        for item in sorted(order[start : start + _BLOCK], key=lambda item: len(item.ids)):
            if block[-1] and len(item.ids) * (len(block[-1]) + 1) > stage.batch_pieces:
                block.append([])
            block[-1].append(item)
        batches += random.sample(block, len(block))
    return batches


def _optimizer(stage: Stage, network: PairNetwork) -> torch.optim.AdamW:
    trained = [(name, tensor) for name, tensor in network.named_parameters() if tensor.requires_grad]
    encoder = [tensor for name, tensor in trained if name.startswith("encoder")]
    heads = [tensor for name, tensor in trained if not name.startswith("encoder")]
    groups = [{"params": encoder, "lr": stage.encoder_rate}, {"params": heads, "lr": stage.head_rate}]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def _step(
    stage: Stage, network: PairNetwork, optimizer: torch.optim.AdamW, batch: pair_network.Batch, done: float
) -> float:
    """Do one step of gradient descent and return the loss; `done` is the share of the stage that is behind it."""
    share = min(1.0, done / stage.warmup) * (1.0 - done)
    for group, rate in zip(optimizer.param_groups, (stage.encoder_rate, stage.head_rate), strict=True):
        group["lr"] = rate * share
    with torch.autocast(batch["ids"].device.type, torch.bfloat16):
        outputs = network(batch)
    loss = pair_network.loss(outputs, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.item())


def _public_epochs(data: Path) -> Iterator[Sequence[Example]]:
    examples = [*public_examples(data, CLAIM_SETS, "nli"), *public_examples(data, QUESTION_SETS, "qa")]
    while True:
        yield examples


def _own_epochs(sources: mixture.Sources) -> Iterator[Sequence[Example]]:
    number = 0
    while True:
        yield mixture.epoch(sources, number)
        number += 1


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
) -> None:
    """Train the pair reader on a GPU where there is one, and on the processor otherwise."""
    from transformers import AutoTokenizer

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out.mkdir(parents=True, exist_ok=True)
    location, _ = locate(PACKAGED, out / "embedder.verified")
    torch.manual_seed(GENERAL.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    workshop = Workshop(out, AutoTokenizer.from_pretrained(location), device)
    network = pair_network.load_network(location).to(device)
    train(GENERAL, network, _public_epochs(data), workshop)
    sources = mixture.read_sources(data, *_nearest(data, out, location))
    train(OWN, network, _own_epochs(sources), workshop)
    temperatures = pair_export.fit_temperatures(network.to("cpu"), workshop.tokenizer, pair_export.dev_examples(data))
    pair_export.export(network, temperatures, out / WEIGHTS_FILE.name)
    logger.info("wrote %s; temperatures %s", out / WEIGHTS_FILE.name, temperatures)


if __name__ == "__main__":
    command.run(main)
