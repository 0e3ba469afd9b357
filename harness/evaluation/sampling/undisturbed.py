"""Looking at networks without leaving a trace: modes, buffers and random generators are put back afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(networks: Mapping[str, nn.Module]) -> Iterator[None]:
    """Whatever happens inside, afterwards the networks' modes and buffers and the global RNGs are as they were.

    Parameters are not copied: nothing that only looks changes them. Buffers are restored in place.
    """
    modules = list({id(module): module for network in networks.values() for module in network.modules()}.values())
    modes = [(module, module.training) for module in modules]
    buffers = [
        (buffer, buffer.detach().clone())
        for module in modules
        for buffer in module._buffers.values()
        if buffer is not None
    ]
    with _generators_kept():
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Put back the global generators of Python, numpy and torch (CPU and every CUDA device in use)."""
    python, numpy = random.getstate(), np.random.get_state()
    # torch's own default is all devices, which starts CUDA where it was not in use
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
