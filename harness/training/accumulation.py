"""A batch in parts, one after another on the same device, whose gradients add up to those of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from harness.errors import SettingsError
from harness.training.averaging import RUNNING_STATISTICS

#: buffers that a part leaves as it moved them, since each part counts
_KEPT = (*RUNNING_STATISTICS, "num_batches_tracked")


class Accumulation:
    """Which part of a batch is under way, and the gradients of the parts before it.

    Each part sees the random numbers that the whole batch would have given its rows (the draws count with it), and
    networks whose buffers a forward pass moves (power iterations) start every part from the same ones: together the
    parts compute what the whole would have, to rounding.

    :param own_statistics: whether networks that take statistics of a batch take them of each part.
    :ivar of: parts of a batch; 1 where it is taken whole.
    :ivar number: of the part under way, from 0.
    :ivar under_way: whether a loop over parts is.
    """

    def __init__(self, device: torch.device, parts: int = 1, *, own_statistics: bool = False) -> None:
        self.of = parts
        self.number = 0
        self.under_way = False
        self._own_statistics = own_statistics
        self._device = device
        self._networks: list[nn.Module] = []
        self._sums: dict[str, list[Tensor | None]] = {}

    @property
    def last(self) -> bool:
        """Whether nothing more comes of the batch."""
        return self.number == self.of - 1

    def watch(self, network: nn.Module) -> None:
        """A network that parts of batches will go through.

        :raises SettingsError: where it looks at a whole batch, and the settings do not let each part stand for one.
        """
        if self.of == 1:
            return
        if not self._own_statistics:
            for module in network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm) or getattr(module, "couples_batch", False):
                    raise SettingsError(
                        f"accumulate: {type(module).__name__} of the {type(network).__name__} takes statistics of a "
                        "whole batch, which parts of it do not have",
                        "use --set accumulate_statistics=part to let each part have its own, which is another training",
                    )
        self._networks.append(network)

    def parts(self, tensors: Sequence[Tensor | None]) -> Iterator[tuple[Tensor | None, ...]]:
        """Equal slices of the rows of all tensors, one after another; those that are None stay so."""
        if self.under_way:
            raise ValueError("a part of a batch has no parts")
        rows = next(len(tensor) for tensor in tensors if tensor is not None)
        size, left = divmod(rows, self.of)
        if left:
            raise SettingsError(f"accumulate: {rows} rows cannot be divided into {self.of} equal parts")
        self.under_way = True
        try:
            for number in range(self.of):
                self.number = number
                start = number * size
                with nullcontext() if self.last else self._put_back():
                    yield tuple(None if tensor is None else tensor[start : start + size] for tensor in tensors)
        finally:
            self.under_way, self.number = False, 0
            self._sums.clear()

    def add(self, name: str, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None] | None:
        """The gradients of a loss in this part; those of the whole batch once this is the last, else None."""
        if not self.under_way:
            return gradients
        shares = [None if gradient is None else gradient / self.of for gradient in gradients]
        held = self._sums.get(name)
        if held is not None:
            shares = [b if a is None else a if b is None else a + b for a, b in zip(held, shares, strict=True)]
        self._sums[name] = shares
        return shares if self.last else None

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Behind the last part, when something of the whole batch is to be had again."""
        before, self.under_way = self.under_way, False
        try:
            yield
        finally:
            self.under_way = before

    def refuse(self, what: str) -> None:
        """:raises SettingsError: inside of a part, where a method asks for something of the whole batch."""
        if self.under_way:
            raise SettingsError(
                f"accumulate: this method takes {what} of a whole batch, which parts of it do not have",
                "leave accumulate out",
            )

    @contextmanager
    def _put_back(self) -> Iterator[None]:
        """Afterwards random numbers and buffers are as they were, for the next part."""
        buffers = self._buffers()
        before = [buffer.clone() for buffer in buffers]
        with torch.random.fork_rng([self._device] if self._device.type == "cuda" else []):
            yield
        if buffers:
            with torch.no_grad():
                torch._foreach_copy_(buffers, before)

    def _buffers(self) -> list[Tensor]:
        named = (each for network in self._networks for each in network.named_buffers())
        return [buffer for name, buffer in named if name.rpartition(".")[2] not in _KEPT]
