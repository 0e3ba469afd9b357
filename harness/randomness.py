"""Randomness that does not depend on what was drawn before: derived seeds, and draws keyed by sample.

Sample i of a run is the same whatever the batch size, the number of samples asked for, or the device, because each of
its draws comes from a Philox generator keyed by (run seed, purpose, i).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def derived_seed(*parts: int | str, bits: int = 63) -> int:
    """A seed below 2**`bits` made from its parts; every part counts."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> (64 - bits)


def keyed(*parts: int | str) -> np.random.Generator:
    """A numpy generator (Philox) keyed by its parts."""
    return np.random.Generator(np.random.Philox(key=derived_seed(*parts, bits=64)))


def seed_everything(*parts: int | str) -> None:
    """Seed torch (all devices), numpy's and Python's global generators from the parts.

    32 bits, because torch's CPU generator ignores the rest.
    """
    import torch

    seed = derived_seed(*parts, bits=32)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():  # torch.manual_seed would note the call stack for a device that never comes
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed)
    random.seed(seed)


class Seeds:
    """Draws for a block of samples: for each index i, keyed by (run seed, purpose, i).

    :param run_seed: the seed of the run.
    :param indices: the numbers of the samples, 0-based; results have one row each, in this order.
    """

    def __init__(self, run_seed: int, indices: Iterable[int]) -> None:
        self.run_seed = run_seed
        self.indices = np.asarray(list(indices), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def normal(self, purpose: str, *shape: int) -> torch.Tensor:
        """Standard normal draws, float32 [N, *shape], on the CPU."""
        return self._draw(purpose, lambda g: g.standard_normal(shape, dtype=np.float32), shape, np.float32)

    def uniform(self, purpose: str, *shape: int) -> torch.Tensor:
        """Uniform draws from [0, 1), float32 [N, *shape], on the CPU."""
        return self._draw(purpose, lambda g: g.random(shape, dtype=np.float32), shape, np.float32)

    def integers(self, purpose: str, high: int) -> torch.Tensor:
        """Uniform integers from 0 to high - 1, int64 [N], on the CPU."""
        return self._draw(purpose, lambda g: g.integers(high), (), np.int64)

    def subset(self, rows: np.ndarray) -> Seeds:
        """The same draws for some of the samples (to redraw the rejected ones under another purpose)."""
        return Seeds(self.run_seed, self.indices[rows])

    def _draw(
        self, purpose: str, draw: Callable[[np.random.Generator], Any], shape: tuple[int, ...], dtype: type
    ) -> torch.Tensor:
        import torch

        base = derived_seed("draw", self.run_seed, purpose, bits=64)
        rows: np.ndarray = np.empty((len(self.indices), *shape), dtype=dtype)
        for row, index in enumerate(self.indices):
            key = np.array([base, index], dtype=np.uint64)
            rows[row] = draw(np.random.Generator(np.random.Philox(key=key)))
        return torch.from_numpy(rows)
