"""The modules that a method puts at a network's places."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from harness.contracts.networks import Adapted, AdapterFactory, Noise, Place
from harness.randomness import derived_seed


class Adapters(nn.Module):
    """The modules at a network's places, kept apart so that a method chooses their optimiser.

    Their initial values are fixed by torch's global generator, which is left where it was: everything else that is
    built has the same initial values with and without them.
    """

    def __init__(self, places: tuple[Place, ...], factory: AdapterFactory | None) -> None:
        super().__init__()
        if factory is None:
            return
        with _random_numbers_aside():
            for place in places:
                module = factory(place)
                if module is not None:
                    self.add_module(place.name, module)

    def at(self, name: str, features: Tensor, noise: Noise | None = None) -> Adapted:
        """Apply the adapter at a place; without one the features pass through untouched."""
        module = self._modules.get(name)
        return Adapted(features) if module is None else module(features, noise)

    def after_each(
        self, places: Iterable[Place], blocks: Iterable[Callable[[Tensor], Tensor]], features: Tensor
    ) -> tuple[Tensor, dict[str, Tensor], dict[str, Any]]:
        """A discriminator's blocks one after another, each followed by the adapter at its place.

        :returns: what came out of the last, the map that went on from each place, and the notes, by place.
        """
        maps: dict[str, Tensor] = {}
        notes: dict[str, Any] = {}
        for place, block in zip(places, blocks, strict=True):
            features, note = self.at(place.name, block(features))
            maps[place.name] = features
            if note is not None:
                notes[place.name] = note
        return features, maps, notes


@contextmanager
def _random_numbers_aside() -> Iterator[None]:
    """Random numbers on the CPU that depend on the state of torch's generator and do not move it."""
    state = torch.get_rng_state()
    digest = hashlib.blake2b(state.numpy().tobytes()).hexdigest()
    # not torch.manual_seed, which would also seed the accelerators
    torch.default_generator.manual_seed(derived_seed("adapters", digest, bits=32))
    try:
        yield
    finally:
        torch.set_rng_state(state)


def adapter_parameters(network: nn.Module) -> Iterator[nn.Parameter]:
    """Parameters of a network's adapters."""
    for module in network.modules():
        if isinstance(module, Adapters):
            yield from module.parameters()


def backbone_parameters(network: nn.Module) -> Iterator[nn.Parameter]:
    """A network's parameters without its adapters'."""
    adapters = {id(parameter) for parameter in adapter_parameters(network)}
    yield from (parameter for parameter in network.parameters() if id(parameter) not in adapters)
