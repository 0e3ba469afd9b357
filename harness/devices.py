"""The device that was asked for, and arithmetic in full precision on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from harness.errors import DeviceError


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
            count = torch.cuda.device_count()
            raise DeviceError(f"--device {asked}, but the last of the {count} CUDA devices is cuda:{count - 1}")
    elif device.type != "cpu" or device.index:
        raise DeviceError(f"device '{asked}' is not supported", "choose auto, cpu, cuda or cuda:N")
    return device


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


def without_autocast(like: Tensor) -> AbstractContextManager[Any]:
    """Arithmetic in the tensors' own precision, whatever the caller's autocast."""
    device = like.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


def upload(values: Tensor, device: torch.device) -> Tensor:
    """Values of the host to a device without waiting for it; values that are elsewhere are copied as ever."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)  # a copy from ordinary memory makes the host wait
    return values.to(device)
