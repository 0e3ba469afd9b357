"""An endless, seeded, resumable stream of batches; its whole state is one integer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from harness.contracts.data import Batch, Law, Split
from harness.devices import upload
from harness.errors import SettingsError
from harness.randomness import keyed

#: data below this many bytes is kept on the device
ON_DEVICE_BYTES = 4 * 2**30

#: points of an endless law are made in blocks of this many
LAW_BLOCK = 4096


@dataclass
class TrainingData:
    """The training split on the run's device, addressed by index.

    :param values: uint8 [N, C, H, W] or float32 [N, D]; on the device when small, else on the host.
    :param labels: int64 [N], or None.
    :param n_classes: number of labels; 0 without.
    :param attributes: uint8 [N, A] of 0 and 1 on the device, or None.
    """

    values: Tensor
    labels: Tensor | None
    n_classes: int
    device: torch.device
    attributes: Tensor | None = None

    @classmethod
    def of(cls, split: Split, device: torch.device) -> TrainingData:
        """Put a split where it is read fastest."""
        values = torch.from_numpy(split.values)
        if values.nbytes <= ON_DEVICE_BYTES:
            values = values.to(device)
        labels = None if split.labels is None else torch.from_numpy(split.labels).to(device)
        attributes = None if split.attributes is None else torch.from_numpy(split.attributes).to(device)
        return cls(values, labels, len(split.classes), device, attributes)

    def __len__(self) -> int:
        return len(self.values)

    def at(self, index: Tensor | np.ndarray) -> Batch:
        """The items at `index` [B], as a batch (never mirrored)."""
        given = torch.as_tensor(index)
        there = upload(given, self.device)
        if self.values.device == self.device:
            values = self.values[there]
        else:
            values = upload(self.values[given.to(self.values.device)], self.device)
        labels = None if self.labels is None else self.labels[there]
        attributes = None if self.attributes is None else self.attributes[there]
        return Batch(as_float(values), labels, there, attributes)

    def subset(self, index: Tensor | np.ndarray) -> TrainingData:
        """The items at `index`, in that order, each as often as it is named; values stay on the device or the host.

        Items that already lie in a row share memory with these.

        :param index: int64 [M], each from 0 up to the number of items, on any device or in numpy.
        :raises ValueError: where it is empty, of another type or shape, or names an item that is not there.
        """
        given = torch.as_tensor(index)
        if given.dtype != torch.int64 or given.ndim != 1 or len(given) == 0:
            raise ValueError(f"a subset is named by int64 [M] with M above 0, not {given.dtype} {tuple(given.shape)}")
        least, most = int(given.min()), int(given.max())
        if least < 0 or most >= len(self):
            raise ValueError(f"a subset of {len(self)} items has no item {least if least < 0 else most}")
        in_a_row = torch.equal(given, torch.arange(least, least + len(given), device=given.device))

        def chosen(rows: Tensor) -> Tensor:
            return rows[least : least + len(given)] if in_a_row else rows[given.to(rows.device)]

        labels = None if self.labels is None else chosen(self.labels)
        attributes = None if self.attributes is None else chosen(self.attributes)
        return replace(self, values=chosen(self.values), labels=labels, attributes=attributes)

    def relabelled(self, labels: Tensor, n_classes: int) -> TrainingData:
        """The same images with the same attributes under other labels, int64 [N] below `n_classes`."""
        if labels.shape != (len(self),):
            raise ValueError(f"{len(self)} labels are needed, not {tuple(labels.shape)}")
        if not (int(labels.min()) >= 0 and int(labels.max()) < n_classes):
            raise ValueError(f"labels outside 0..{n_classes - 1}")
        return replace(self, labels=labels.to(self.device), n_classes=n_classes)


class LawData:
    """An endless law behind the same face: item i is fixed by (seed, i)."""

    def __init__(self, law: Law, seed: int, device: torch.device) -> None:
        self.law = law
        self.seed = seed
        self.device = device
        self.n_classes = len(law.classes)
        self._block: tuple[int, Split] | None = None

    def at(self, index: Tensor | np.ndarray) -> Batch:
        """The items with these running numbers [B]."""
        numbers = torch.as_tensor(index).cpu().numpy()
        parts = [self._from_block(block, numbers) for block in np.unique(numbers // LAW_BLOCK)]
        order = np.concatenate([where for where, _, _ in parts]).argsort()
        values = np.concatenate([values for _, values, _ in parts])[order]
        labels = np.concatenate([labels for _, _, labels in parts])[order]
        here = torch.from_numpy(values), torch.from_numpy(labels), torch.as_tensor(index)
        return Batch(*(upload(rows, self.device) for rows in here))

    def _from_block(self, block: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self._block is None or self._block[0] != block:
            self._block = (int(block), self.law.take(LAW_BLOCK, self.seed, int(block)))
        where = np.flatnonzero(numbers // LAW_BLOCK == block)
        split = self._block[1]
        offset = numbers[where] % LAW_BLOCK
        assert split.labels is not None  # a law always knows which mode it drew from
        return where, split.values[offset], split.labels[offset]


class Stream:
    """Batches without end: every epoch is a fresh permutation; a batch may cross from one epoch into the next.

    :param data: what is drawn from.
    :param batch_size: items a batch, over all devices, when :meth:`next` is not told otherwise.
    :param key: what fixes the order: the run's seed and the stage's name.
    :param flip: mirror images left to right with probability one half.
    :param rank: this process, of `world`; each gets its share of the same global batch.
    """

    def __init__(
        self,
        data: TrainingData | LawData,
        batch_size: int,
        key: tuple[int | str, ...],
        *,
        flip: bool = False,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if flip and (isinstance(data, LawData) or data.values.ndim != 4):
            raise SettingsError("points cannot be mirrored", "leave flip out")
        self.data = data
        self.batch_size = batch_size
        self.position = 0
        self._key = key
        self._flip = flip
        self._rank = rank
        self._world = world
        self._epoch: tuple[int, np.ndarray] | None = None

    def next(self, n: int | None = None) -> Batch:
        """The next batch of `n` items over all devices; this process's share of it."""
        n = self.batch_size if n is None else n
        start, self.position = self.position, self.position + n
        share = slice(self._rank * n // self._world, (self._rank + 1) * n // self._world)
        batch = self.data.at(torch.from_numpy(self._indices(start, n)[share]))
        if not self._flip:
            return batch
        mirrored = keyed("flip", *self._key, start).random(n)[share] < 0.5
        chosen = upload(torch.from_numpy(mirrored), batch.images.device)[:, None, None, None]
        return batch._replace(images=torch.where(chosen, batch.images.flip(-1), batch.images))

    def state_dict(self) -> dict[str, int]:
        """The position, an integer."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from a position."""
        self.position = int(state["position"])

    def _indices(self, start: int, n: int) -> np.ndarray:
        if isinstance(self.data, LawData):
            return np.arange(start, start + n)
        size = len(self.data)
        numbers = np.arange(start, start + n)
        return np.concatenate(
            [self._order(int(epoch))[numbers[numbers // size == epoch] % size] for epoch in np.unique(numbers // size)]
        )

    def _order(self, epoch: int) -> np.ndarray:
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, keyed("order", *self._key, epoch).permutation(len(self.data)))  # type: ignore[arg-type]
        return self._epoch[1]


def as_float(values: Tensor) -> Tensor:
    """uint8 images as float in [-1, 1] (v / 127.5 - 1); points as they are."""
    return values.to(torch.float32).div_(127.5).sub_(1.0) if values.dtype == torch.uint8 else values
