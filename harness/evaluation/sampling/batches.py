"""Images in batches of one fixed size, and how far a long pass over them has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor


class Progress:
    """Says how far a long piece of work has come: after some seconds, and now and then from there on."""

    FIRST, THEN = 10.0, 60.0

    def __init__(self, note: Callable[[str], None], what: str) -> None:
        self.note, self.what = note, what
        self.began = time.monotonic()
        self.next = self.FIRST

    def at(self, done: int) -> None:
        """So many items are done."""
        spent = time.monotonic() - self.began
        if spent >= self.next:
            self.note(f"{self.what}: {done:,} done, {done / spent:.1f} a second")
            self.next = spent + self.THEN


def batches(blocks: Iterable[Tensor], size: int) -> Iterator[tuple[int, Tensor, int]]:
    """Blocks of any size as batches of `size`, with the number of their first image and how many there are in them.

    Zeros fill up the last.
    """
    start, rest = 0, None
    for block in blocks:
        rest = block if rest is None else torch.cat([rest, block])
        while len(rest) >= size:
            yield start, _batch(rest[:size], size), size
            start, rest = start + size, rest[size:]
    if rest is not None and len(rest):
        yield start, _batch(rest, size), len(rest)


def _batch(images: Tensor, size: int) -> Tensor:
    """A full batch in plain memory order: convolutions of other orders, which slices may have, differ in last bits."""
    batch = torch.zeros(size, *images.shape[1:], dtype=images.dtype, device=images.device)
    batch[: len(images)] = images
    return batch
