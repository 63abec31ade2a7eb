"""Train a pair network: in stages, from examples alone or with teachers, resumable, the same on every run of a machine.

Needs torch and the encoded examples, nothing else of the project.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.utils.data import DataLoader

from eval.training import fine_tuning, pair_network
from eval.training.pair_encoding import Encoded
from eval.training.pair_network import PairNetwork

logger = logging.getLogger(__name__)

_CHECKPOINT_STEPS, _LOG_STEPS = 200, 50
# Examples among which those of similar length are batched together.
_BLOCK = 4096
_GPU_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """How a stage is trained: a batch has at most so many word pieces; rates of encoder and heads."""

    name: str
    epochs: float
    batch_pieces: int
    encoder_rate: float
    head_rate: float
    warmup: float = 0.06
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where checkpoints go, and where tensors live."""

    folder: Path
    device: torch.device


def train(
    stage: Stage,
    network: PairNetwork,
    epochs: Iterator[Sequence[Encoded]],
    workshop: Workshop,
    teachers: Sequence[PairNetwork] = (),
) -> None:
    """Train the network in place, from the stage's checkpoint if there is one, and save the result.

    With teachers, which stay as they are, it learns mostly their judgement.
    """
    checkpoint, final = workshop.folder / f"{stage.name}.checkpoint", workshop.folder / f"{stage.name}.pt"
    if final.exists():
        network.load_state_dict(torch.load(final, map_location=workshop.device))
        return
    plan = _plan(stage, epochs)
    optimizer = fine_tuning.optimizer(network)
    progress = _Progress(stage.name, len(plan))
    network.train()
    first = _restore(checkpoint, network, optimizer, workshop.device)
    for step, batch in enumerate(_batches_on(workshop.device, plan[first:]), start=first):
        progress.log(step, _step(stage, network, optimizer, batch, step / len(plan), teachers))
        if step % _CHECKPOINT_STEPS == _CHECKPOINT_STEPS - 1:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            _save(state, checkpoint)
    network.eval()
    _save(network.state_dict(), final)


class _Progress:
    """Logs the mean loss of a stage, in which a step counts for less the longer ago it was."""

    def __init__(self, stage: str, steps: int) -> None:
        self._stage, self._steps = stage, steps
        self._started, self._average = time.perf_counter(), math.nan

    def log(self, step: int, loss: torch.Tensor) -> None:
        """Log a line every so many steps; only then is the loss read, which waits for the device."""
        if step % _LOG_STEPS:
            return
        value = float(loss)
        self._average = value if math.isnan(self._average) else 0.8 * self._average + 0.2 * value
        seconds = time.perf_counter() - self._started
        logger.info("%s step %d of %d, loss %.3f, %.0f s", self._stage, step, self._steps, self._average, seconds)


def _batches_on(device: torch.device, plan: Sequence[Sequence[Encoded]]) -> Iterator[pair_network.Batch]:
    """Yield the batches as tensors on the device; for a GPU other processes prepare them."""
    gpu = device.type == "cuda"
    workers = _GPU_WORKERS if gpu else 0
    loader: DataLoader[Any] = DataLoader(
        plan,  # type: ignore[arg-type]  # any sequence will do
        batch_size=None,
        collate_fn=pair_network.collate,
        num_workers=workers,
        pin_memory=gpu,
        prefetch_factor=8 if workers else None,
    )
    for batch in loader:
        yield {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


def _restore(checkpoint: Path, network: PairNetwork, optimizer: torch.optim.AdamW, device: torch.device) -> int:
    """Restore network and optimizer from the checkpoint, if there is one, and return the step to go on with."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, map_location=device)
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def _save(state: Any, file: Path) -> None:
    """Save the state completely or not at all: a training may be interrupted at any time."""
    part = file.with_name(f"{file.name}.part")
    torch.save(state, part)
    part.replace(file)


def _plan(stage: Stage, epochs: Iterator[Sequence[Encoded]]) -> list[list[Encoded]]:
    """Return the batches of all epochs, in order."""
    batches: list[list[Encoded]] = []
    whole, part = int(stage.epochs), stage.epochs % 1
    for number in range(whole + bool(part)):
        random = Random(stage.seed + number)  # noqa: S311 - reproducible, not secret
        of_epoch = _batches(next(epochs), stage, random)
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


def _step(
    stage: Stage,
    network: PairNetwork,
    optimizer: torch.optim.AdamW,
    batch: pair_network.Batch,
    done: float,
    teachers: Sequence[PairNetwork],
) -> torch.Tensor:
    """Do one step of gradient descent and return the loss; `done` is the share of the stage that is behind it."""
    fine_tuning.set_rates(optimizer, stage.encoder_rate, stage.head_rate, done, stage.warmup)
    with torch.autocast(batch["ids"].device.type, torch.bfloat16):
        outputs = network(batch)
        taught = pair_network.judge(teachers, batch) if teachers else None
    loss = pair_network.loss(outputs, batch) if taught is None else pair_network.taught_loss(outputs, taught, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()
