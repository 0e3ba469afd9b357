"""What a method's networks cost: parameters, and multiply-accumulates of one image through each.

Counted on the meta device, so that the largest recipe is described in a second on any machine, without data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from harness.contracts.networks import Discriminator, Generator
from harness.layers.adapters import adapter_parameters
from harness.plugins import one_line


@dataclass(frozen=True)
class NetworkCost:
    """One network.

    :param parameters: of which `adapters` belong to modules that the method put at the backbone's places.
    :param macs: multiply-accumulates of one image (or point) forward, in convolutions and matrix products; None where
        they were not counted.
    :param not_counted: why `macs` is None.
    """

    parameters: int
    adapters: int
    macs: int | None
    not_counted: str | None = None


def network_costs(state: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, NetworkCost]:
    """The networks among a method's state, by name.

    :param state: ``method.state()`` of a method that was built on the meta device.
    :param shape: (C, H, W) or (D,) of the data after fitting.
    """
    return {name: _cost(network, shape) for name, network in state.items() if isinstance(network, nn.Module)}


def _cost(network: nn.Module, shape: tuple[int, ...]) -> NetworkCost:
    parameters = sum(parameter.numel() for parameter in network.parameters())
    adapters = sum(parameter.numel() for parameter in adapter_parameters(network))
    if isinstance(network, Generator):
        given = torch.empty(1, network.latent_dim, device="meta")
    elif isinstance(network, Discriminator):
        given = torch.empty(1, *shape, device="meta")
    else:
        return NetworkCost(parameters, adapters, None, "neither a generator nor a discriminator")
    try:
        return NetworkCost(parameters, adapters, _macs(network, given))
    except Exception as error:
        return NetworkCost(parameters, adapters, None, one_line(error))


def _macs(network: nn.Module, given: Tensor) -> int:
    """Multiply-accumulates of a forward pass of one item [1, ...]."""
    condition = torch.zeros(1, dtype=torch.int64, device="meta")
    training = network.training
    # one image has no batch statistics, and a power iteration is not a cost per image
    network.eval()
    try:
        # whether a network is told a condition is not part of its contract; one that is not told any refuses it
        return _counted(network, given, condition)
    except Exception as refused:
        try:
            return _counted(network, given, None)
        except Exception:
            raise refused from None
    finally:
        network.train(training)


@torch.no_grad()
def _counted(network: nn.Module, given: Tensor, condition: Tensor | None) -> int:
    noise = [_no_noise] if isinstance(network, Generator) else []
    with _frozen(network), FlopCounterMode(display=False) as counter:
        network(given, condition, *noise)
    return int(counter.get_total_flops()) // 2


def _no_noise(place: str, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, device="meta")


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Parameters without gradient: torch's counter trips over a view of a parameter that has one."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
