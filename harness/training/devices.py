"""Where a run computes: device, precision, and the other processes of a run on several devices.

Training takes these from Lightning Fabric, which reads torchrun's and SLURM's environment; evaluation and description
use one device and need no launcher. Networks are never wrapped: wrapped modules break double backward under bf16 and
methods other than forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from harness.errors import DeviceError


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
        """Rows of all processes."""
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
        rows = self._fabric.all_gather(value.detach())  # [world, N, ...]
        parts = [value if rank == self.rank else rows[rank] for rank in range(self.world)]
        return torch.cat(parts)

    def any(self, flag: bool) -> bool:
        if self.world == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def barrier(self) -> None:
        self._fabric.barrier()


def choose_device(asked: str) -> torch.device:
    """`auto` is the GPU when there is one, else the CPU; anything else must exist.

    :raises DeviceError: where the device asked for is not on this machine.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise DeviceError(f"unknown device '{asked}'", "choose auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"--device {asked}, but this machine has no CUDA device", "use --device cpu")
        if device.index is not None and device.index >= torch.cuda.device_count():
            raise DeviceError(f"--device {asked}, but there are {torch.cuda.device_count()} CUDA devices")
    elif device.type != "cpu":
        raise DeviceError(f"device '{asked}' is not supported", "choose auto, cpu, cuda or cuda:N")
    return device


def launch(asked: str, precision: str, devices: int = 1) -> FabricRuntime:
    """Start the run's processes and return this one's runtime.

    :param devices: processes, each with a device of its own.
    """
    from lightning_fabric import Fabric

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
        strategy="ddp" if devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return FabricRuntime(fabric, precision)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """float32 arithmetic: no autocast, and no TF32 in matrix products or convolutions."""
    matmul, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.autocast(device.type if device.type != "meta" else "cpu", enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = cudnn
