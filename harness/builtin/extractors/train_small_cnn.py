"""Trains the classifiers that serve as feature networks.

    python -m harness.builtin.extractors.train_small_cnn mnist-cnn --data-root DIR --out FILE
    python -m harness.builtin.extractors.train_small_cnn cifar10-cnn --data-root DIR

Weights that ship with the package were trained once; the file that was written is what counts, since training does not
repeat bit for bit on another machine. After a new training such a network needs a new name, because every protocol that
names it means the old weights. Weights that do not ship go where `harness weights path NAME` says, with a record of
their checksum, which protocols and their ids then carry.
"""

from __future__ import annotations

import argparse
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from harness import Catalog, choose_device, open_catalog
from harness.builtin.extractors.cifar10_cnn import Cifar10Cnn, signed_range
from harness.builtin.extractors.small_cnn import INPUTS, SmallCnn, unit_range
from harness.data import Split, data_root, load_dataset
from harness.errors import UserError
from harness.evaluation import is_made_here, keep_made, weights_files, weights_place


@dataclass(frozen=True)
class Training:
    """How one network is trained.

    :param build: makes the network, which maps prepared images to (features, logits).
    :param prepare: maps images uint8 [N, C, H, W] to what the network sees.
    :param shift: largest random shift of a training image, in pixels.
    :param flip: whether training images are mirrored left to right at random.
    :param momentum: Nesterov's, of plain gradient descent; None for AdamW.
    """

    dataset: str
    build: Callable[[], nn.Module]
    prepare: Callable[[Tensor], Tensor]
    epochs: int
    batch: int
    shift: int
    flip: bool = False
    momentum: float | None = None
    rate: float = 3e-3
    weight_decay: float = 1e-2
    smoothing: float = 0.05
    seed: int = 0

    def plain(self) -> dict[str, Any]:
        """What can be written into a record."""
        return {name: value for name, value in vars(self).items() if not callable(value)}


def _small(name: str, stored: int) -> dict[str, Any]:
    """A classifier of grey digits of `stored` pixels a side, and its way to see them."""
    side, sizes = INPUTS[name]
    return {"build": partial(SmallCnn, side), "prepare": partial(unit_range, around=sizes[stored])}


TRAININGS = {
    "digits-cnn": Training("digits", **_small("digits-cnn", 8), epochs=60, batch=64, shift=1),
    "mnist-cnn": Training("mnist", **_small("mnist-cnn", 28), epochs=7, batch=128, shift=2),
    # rate, momentum, decay and the way of the rate are those of Page (2018); labels are not smoothed, because then no
    # probability would go far beyond the 0.9 from which a sample counts as sure of its class
    "cifar10-cnn": Training(
        "cifar10",
        Cifar10Cnn,
        signed_range,
        epochs=20,
        batch=512,
        shift=4,
        flip=True,
        momentum=0.9,
        rate=0.4,
        weight_decay=5e-4,
        smoothing=0.0,
    ),
}


def train(training: Training, images: Tensor, labels: Tensor) -> nn.Module:
    """The network after training on images uint8 [N, C, H, W] and labels int64 [N], on their device, in eval mode.

    One warm-up and one way down to zero, on randomly shifted images.
    """
    torch.manual_seed(training.seed)
    order = np.random.default_rng(training.seed)
    network = training.build().to(images.device)
    per_epoch = math.ceil(len(images) / training.batch)
    optimizer, schedule = _optimiser(training, network, training.epochs * per_epoch)
    for epoch in range(training.epochs):
        network.train()
        total = 0.0
        for index in np.array_split(order.permutation(len(images)), per_epoch):
            chosen = torch.from_numpy(index).to(images.device)
            batch = training.prepare(images[chosen])
            batch = shifted(batch, order.integers(-training.shift, training.shift + 1, (len(index), 2)))
            if training.flip:
                batch = mirrored(batch, order.random(len(index)) < 0.5)
            _, logits = network(batch)
            loss = cross_entropy(logits, labels[chosen], label_smoothing=training.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}/{training.epochs}: mean loss {total / per_epoch:.4f}", flush=True)
    return network.eval()


def _optimiser(training: Training, network: nn.Module, steps: int) -> tuple[Any, Any]:
    """The optimiser and its rate: AdamW on a cosine, or gradient descent on straight lines."""
    rate, decay, one_cycle = training.rate, training.weight_decay, torch.optim.lr_scheduler.OneCycleLR
    if training.momentum is None:
        adam = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
        return adam, one_cycle(adam, rate, total_steps=steps, pct_start=0.2)
    plain = torch.optim.SGD(network.parameters(), rate, training.momentum, weight_decay=decay, nesterov=True)
    lines: dict[str, Any] = {"anneal_strategy": "linear", "cycle_momentum": False}
    return plain, one_cycle(plain, rate, total_steps=steps, pct_start=0.2, **lines)


def shifted(images: Tensor, offsets: np.ndarray) -> Tensor:
    """Each image [C, H, W] of the batch moved by its offset (rows, columns); zeros come in from outside."""
    most = int(np.abs(offsets).max())
    height, width = images.shape[-2:]
    wide = pad(images, (most,) * 4)
    moved = [
        image[:, most + down : most + down + height, most + right : most + right + width]
        for image, (down, right) in zip(wide, offsets.tolist(), strict=True)
    ]
    return torch.stack(moved)


def mirrored(images: Tensor, chosen: np.ndarray) -> Tensor:
    """The chosen images [C, H, W] of the batch mirrored left to right, the others as they are."""
    mask = torch.from_numpy(chosen).to(images.device)
    return torch.where(mask[:, None, None, None], images.flip(-1), images)


@torch.no_grad()
def accuracy(network: nn.Module, training: Training, images: Tensor, labels: Tensor) -> float:
    """Share of images uint8 [N, C, H, W] that are classified rightly."""
    answers = [network(training.prepare(part))[1].argmax(1) for part in images.split(500)]
    return float((torch.cat(answers) == labels).double().mean())


def tensors_of(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images and labels."""
    assert split.labels is not None
    return torch.from_numpy(split.values).to(device), torch.from_numpy(split.labels).to(device)


def trained_on(catalog: Catalog, name: str, root: Path, device: torch.device) -> tuple[bytes, str, dict[str, Any]]:
    """Train a network: the file of its weights, its accuracy in words, and how it was made."""
    training = TRAININGS[name]
    dataset = load_dataset(catalog, training.dataset, root)
    train_split, test_split = dataset.finite("train"), dataset.finite("test")
    started = time.perf_counter()
    network = train(training, *tensors_of(train_split, device))
    seconds = time.perf_counter() - started
    test = accuracy(network, training, *tensors_of(test_split, device))
    file = io.BytesIO()
    torch.save({key: value.cpu() for key, value in network.state_dict().items()}, file)
    how = training.plain() | {
        "train_checksum": train_split.checksum,
        "test_checksum": test_split.checksum,
        "test_accuracy": test,
        "seconds": round(seconds, 1),
        "device": device.type,
        "torch": torch.__version__,
    }
    return file.getvalue(), f"{test:.2%} of {len(test_split)} test images right", how


def place_for(catalog: Catalog, name: str) -> Path:
    """Where weights go that do not ship with a package.

    :raises UserError: where they do, or where some are there: numbers that were made with them need them.
    """
    spec = catalog.extractor(name)
    (file,) = weights_files(spec)
    path = weights_place(spec, file)
    if not is_made_here(spec, file):
        raise UserError(f"weights of '{name}' ship with a package", "give --out FILE")
    if path.exists():
        raise UserError(f"{path} is there already", "delete it to train anew, or give --out FILE")
    return path


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", choices=sorted(TRAININGS))
    parser.add_argument("--data-root", type=Path, help="folder of the data sets' folders")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--out", type=Path, help="file to write; without, where `harness weights path NAME` says")
    given = parser.parse_args(arguments)
    try:
        catalog, device = open_catalog(), choose_device(given.device)
        out: Path = given.out or place_for(catalog, given.name)
        content, summary, how = trained_on(catalog, given.name, data_root(given.data_root), device)
    except UserError as error:
        parser.exit(2, f"error: {error}\n")
    digest = keep_made(out, content, summary, how)
    print(f"{summary}, {how['seconds']:.0f} s, {len(content)} bytes at {out}")
    print(f"sha256 {digest}")


if __name__ == "__main__":
    main()
