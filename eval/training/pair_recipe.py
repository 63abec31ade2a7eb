"""How the shipped pair reader is trained: several teachers with all layers, then a student with some of them.

Reads encoded examples alone (`pair_encoding`), which `eval.training.pairs` writes.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from eval.training import fine_tuning, pair_encoding, pair_network
from eval.training.pair_encoding import Encoded
from eval.training.pair_network import PairNetwork
from eval.training.pair_training import Stage, Workshop, train

logger = logging.getLogger(__name__)

# The public pairs, then our own data with a sample of them; the student goes through both with its teachers.
GENERAL = Stage("general", epochs=3.0, batch_pieces=49152, encoder_rate=3e-4, head_rate=1e-3)
OWN = Stage("own", epochs=5.0, batch_pieces=49152, encoder_rate=1.5e-4, head_rate=5e-4)
TAUGHT_GENERAL = replace(GENERAL, name="taught-general", encoder_rate=4e-4)
TAUGHT_OWN = replace(OWN, name="taught-own", epochs=8.0, encoder_rate=3e-4)
TEACHERS = 2
_DROPOUT = 0.1
# The layers of a teacher that the student starts with.
STUDENT_LAYERS = (0, 1, 3, 5)
# Epochs of our own data that differ in what is drawn; longer trainings repeat them.
OWN_EPOCHS = 8
GENERAL_FILE, OWN_FILE = "general.npz", "own-{}.npz"


def train_reader(location: str, folder: Path, device: torch.device, teachers: int = TEACHERS) -> PairNetwork:
    """Return the trained student; `folder` holds the encoded examples, and takes the states of every network."""
    taught_by = [train_teacher(location, folder, device, number) for number in range(teachers)]
    return train_student(location, folder, device, taught_by, STUDENT_LAYERS)


def train_teacher(location: str, folder: Path, device: torch.device, number: int) -> PairNetwork:
    """Return a network with all layers, trained from the packaged encoder; its number seeds heads and order."""
    torch.manual_seed(number)
    network = pair_network.load_network(location, dropout=_DROPOUT).to(device)
    workshop = _workshop(folder / f"teacher-{number}", device)
    train(replace(GENERAL, seed=100 * number), network, general_epochs(folder), workshop)
    train(replace(OWN, seed=100 * number + 50), network, own_epochs(folder, number), workshop)
    return network.eval()


def train_student(
    location: str,
    folder: Path,
    device: torch.device,
    teachers: Sequence[PairNetwork],
    layers: Sequence[int],
) -> PairNetwork:
    """Return a network with these layers of the first teacher, trained to judge as the teachers do together."""
    torch.manual_seed(len(layers))
    network = pair_network.load_network(location, dropout=0.0).to(device)
    network.load_state_dict(teachers[0].state_dict())
    fine_tuning.keep_layers(network.encoder, layers)
    workshop = _workshop(folder / f"student-{len(layers)}", device)
    train(TAUGHT_GENERAL, network, general_epochs(folder), workshop, teachers)
    train(TAUGHT_OWN, network, own_epochs(folder, 0), workshop, teachers)
    return network.eval()


def general_epochs(folder: Path) -> Iterator[Sequence[Encoded]]:
    """Yield the public pairs again and again."""
    return itertools.repeat(pair_encoding.load(folder / GENERAL_FILE))


def own_epochs(folder: Path, first: int) -> Iterator[Sequence[Encoded]]:
    """Yield the epochs of our own data in turn, beginning with one of them."""
    for number in itertools.count(first):
        yield pair_encoding.load(folder / OWN_FILE.format(number % OWN_EPOCHS))


def _workshop(folder: Path, device: torch.device) -> Workshop:
    folder.mkdir(parents=True, exist_ok=True)
    return Workshop(folder, device)
