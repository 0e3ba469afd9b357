"""Trains the small classifiers that ship as feature networks.

    python -m harness.builtin.extractors.train_small_cnn mnist-cnn --data-root DIR --out FILE

Run once; the file that it wrote is what counts, since training does not repeat bit for bit on another machine. After a
new training the network needs a new name, because every protocol that names it means the old weights.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from harness.builtin.extractors.small_cnn import INPUTS, SmallCnn, unit_range
from harness.catalog import open_catalog
from harness.data import load_dataset


@dataclass(frozen=True)
class Training:
    """How one network is trained.

    :param shift: largest random shift of a training image, in pixels.
    """

    dataset: str
    epochs: int
    batch: int
    shift: int
    rate: float = 3e-3
    weight_decay: float = 1e-2
    smoothing: float = 0.05
    seed: int = 0


TRAININGS = {
    "digits-cnn": Training("digits", epochs=60, batch=64, shift=1),
    "mnist-cnn": Training("mnist", epochs=7, batch=128, shift=2),
}


def train(name: str, training: Training, images: Tensor, labels: Tensor) -> SmallCnn:
    """AdamW with one warm-up and a cosine to zero, on randomly shifted images uint8 [N, 1, H, W]."""
    torch.manual_seed(training.seed)
    order = np.random.default_rng(training.seed)
    side, sizes = INPUTS[name]
    around = sizes[images.shape[-1]]
    network = SmallCnn(side, int(labels.max()) + 1)
    per_epoch = math.ceil(len(images) / training.batch)
    steps = training.epochs * per_epoch
    optimizer = torch.optim.AdamW(network.parameters(), training.rate, weight_decay=training.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.rate, total_steps=steps, pct_start=0.2)
    for epoch in range(training.epochs):
        network.train()
        total = 0.0
        for index in np.array_split(order.permutation(len(images)), per_epoch):
            batch = unit_range(images[index], around)
            batch = shifted(batch, order.integers(-training.shift, training.shift + 1, (len(index), 2)))
            _, logits = network(batch)
            loss = cross_entropy(logits, labels[index], label_smoothing=training.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}/{training.epochs}: mean loss {total / per_epoch:.4f}", flush=True)
    return network.eval()


def shifted(images: Tensor, offsets: np.ndarray) -> Tensor:
    """Each image [C, H, W] of the batch moved by its offset (rows, columns); black comes in from outside."""
    most = int(np.abs(offsets).max())
    height, width = images.shape[-2:]
    wide = pad(images, (most,) * 4)
    moved = [
        image[:, most + down : most + down + height, most + right : most + right + width]
        for image, (down, right) in zip(wide, offsets.tolist(), strict=True)
    ]
    return torch.stack(moved)


@torch.no_grad()
def accuracy(network: SmallCnn, name: str, images: Tensor, labels: Tensor) -> float:
    """Share of images uint8 [N, 1, H, W] that are classified rightly."""
    around = INPUTS[name][1][images.shape[-1]]
    answers = [network(unit_range(part, around))[1].argmax(1) for part in images.split(500)]
    return float((torch.cat(answers) == labels).double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", choices=sorted(TRAININGS))
    parser.add_argument("--data-root", type=Path, default=Path("data"), help="folder of the data sets' folders")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    given = parser.parse_args()
    training = TRAININGS[given.name]
    dataset = load_dataset(open_catalog(), training.dataset, given.data_root)
    train_split, test_split = dataset.finite("train"), dataset.finite("test")
    assert train_split.labels is not None
    assert test_split.labels is not None
    started = time.perf_counter()
    network = train(given.name, training, torch.from_numpy(train_split.values), torch.from_numpy(train_split.labels))
    seconds = time.perf_counter() - started
    torch.save(network.state_dict(), given.out)
    test = accuracy(network, given.name, torch.from_numpy(test_split.values), torch.from_numpy(test_split.labels))
    digest = hashlib.sha256(given.out.read_bytes()).hexdigest()
    print(f"{test:.2%} of {len(test_split)} test images right, {seconds:.0f} s, {given.out.stat().st_size} bytes")
    print(f"sha256 {digest}")


if __name__ == "__main__":
    main()
