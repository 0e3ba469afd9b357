"""Where a run trains: its device, its precision, and its other processes on several devices.

These come from Lightning Fabric, which reads torchrun's and SLURM's environment; evaluation and description use one
device and need no launcher. Networks are never wrapped: wrapped modules break double backward under bf16 and
methods other than forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from harness.devices import choose_device
from harness.errors import DeviceError

#: how long processes wait for the one that measures; torch's own half an hour is less than 50,000 samples may take
PATIENCE = timedelta(days=1)


class Runtime:
    """One device, one process.

    :ivar rank: number of this process.
    :ivar world: number of processes.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rank = 0
        self.world = 1
        self.precision = "32-true"

    def autocast(self) -> AbstractContextManager[Any]:
        """Context of the training precision."""
        return nullcontext()

    def average(self, gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Sequence[Tensor | None]:
        """Gradients averaged over processes."""
        return gradients

    def mean(self, value: Tensor) -> Tensor:
        """Mean over processes."""
        return value

    def gather(self, value: Tensor) -> Tensor:
        """Rows of all processes; gradients flow to all of them."""
        return value

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag

    def barrier(self) -> None:
        """Wait for the other processes."""


class FabricRuntime(Runtime):
    """A device that Lightning Fabric launched."""

    def __init__(self, fabric: Any, precision: str) -> None:
        super().__init__(fabric.device)
        self.rank = fabric.global_rank
        self.world = fabric.world_size
        self.precision = precision
        self._fabric = fabric

    def autocast(self) -> AbstractContextManager[Any]:
        if self.precision == "32-true":
            return nullcontext()
        # torch's autocast keeps its casts of the weights until it ends, but a step updates them in between: with the
        # cache, all but the first of several updates in a step would see old weights
        return torch.autocast(self.device.type, dtype=torch.bfloat16, cache_enabled=False)

    def average(self, gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Sequence[Tensor | None]:
        if self.world == 1:
            return gradients
        # a parameter that one process does not use may be used by another: it takes part with zeros
        present = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)]
        if not present:
            return present
        # one message for all: many small ones cost more than the copy
        flat = self._fabric.all_reduce(torch.cat([g.reshape(-1) for g in present]), reduce_op="mean")
        return [part.view_as(g) for part, g in zip(flat.split([g.numel() for g in present]), present, strict=True)]

    def mean(self, value: Tensor) -> Tensor:
        if self.world == 1:
            return value
        reduced: Tensor = self._fabric.all_reduce(value.detach().clone(), reduce_op="mean")
        return reduced

    def gather(self, value: Tensor) -> Tensor:
        if self.world == 1:
            return value
        rows: Tensor = self._fabric.all_gather(value, sync_grads=True)  # [world, N, ...]
        return rows.flatten(0, 1)

    def any(self, flag: bool) -> bool:
        if self.world == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def barrier(self) -> None:
        self._fabric.barrier()


def launch(asked: str, precision: str, devices: int = 1) -> FabricRuntime:
    """Start the run's processes and return this one's runtime.

    :param devices: processes, each with a device of its own.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    device = choose_device(asked)
    if devices < 1:
        raise DeviceError(f"--devices must be at least 1, not {devices}")
    if device.type == "cuda" and devices > torch.cuda.device_count():
        raise DeviceError(f"--devices {devices}, but there are {torch.cuda.device_count()} CUDA devices")
    if device.index is not None and devices > 1:
        raise DeviceError(f"--device {asked} names one device, but --devices asks for {devices}", "use --device cuda")
    which: Any = devices if device.type == "cpu" or device.index is None else [device.index]
    fabric = Fabric(
        accelerator=device.type,
        devices=which,
        strategy=DDPStrategy(timeout=PATIENCE) if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return FabricRuntime(fabric, precision)
