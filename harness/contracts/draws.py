"""Random numbers for the rows of a batch."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from torch import Tensor


class Draws(Protocol):
    """Draws for a batch whose rows may lie on several devices.

    Numbers are drawn for the *whole* batch, and each device gets those of its own rows, so that several devices compute
    what one does. All devices ask for the same, in the same order; `n` counts the rows on one device.
    """

    def uniform(self, n: int, *shape: int) -> Tensor:
        """Uniform in [0, 1), float32 [n, *shape]."""
        ...

    def normal(self, n: int, *shape: int) -> Tensor:
        """Standard normal, float32 [n, *shape]."""
        ...

    def integers(self, high: int, n: int, *shape: int) -> Tensor:
        """Uniform among 0 to `high` - 1, int64 [n, *shape]."""
        ...

    def known(self, high: int, n: int) -> Tensor:
        """As :meth:`integers`, int64 [n] on the host, which may look at them: nobody waits for a device."""
        ...

    def common(self) -> float:
        """Uniform in [0, 1), one number for the whole batch, known to the host (nobody waits for a device)."""
        ...

    def order(self, n: int) -> list[int]:
        """A random order of 0 to n - 1, the same on all devices and known to the host (nobody waits for a device)."""
        ...

    def joined(self, parts: int) -> AbstractContextManager[None]:
        """Draws inside are for batches of `parts` equal parts one after another, each divided among the devices.

        Real and fake images in one pass of a discriminator, say: the rows of all are all real ones, then all fakes.
        """
        ...
