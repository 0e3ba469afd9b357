"""Generators that share everything but their first layer, as one network that is told which of them speaks.

MGAN's generators (Hoang et al., ICLR 2018, section 3) differ in the dense layer that maps the latent to the first map,
and in the batch norm after it. The layers of each are found in a backbone's own generators, so that any backbone will
do whose generator starts with a dense layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from harness import SettingsError
from harness.contracts import Generator, Noise


class Told:
    """Which generator each row of the batch under way belongs to: int64 [N]; None for all in turn, again and again."""

    index: Tensor | None


class OwnLayer(nn.Module):
    """One layer a generator; every row goes through that of its own.

    :param layers: of the same shape, one a generator; a batch norm among them sees its own rows only.
    """

    def __init__(self, layers: Sequence[nn.Module], told: Told) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.told = told

    def forward(self, x: Tensor, *others: Any) -> Tensor:
        """[N, ...] to [N, ...], in the same order."""
        index, k = self.told.index, len(self.layers)
        if index is None:
            return torch.stack([layer(x[number::k], *others) for number, layer in enumerate(self.layers)], 1).flatten(
                0, 1
            )
        if x.is_meta:  # nothing can be looked at there, and every layer costs the same
            found: Tensor = self.layers[0](x, *others)
            return found
        rows, parts = [], []
        for number, layer in enumerate(self.layers):
            own = (index == number).nonzero().squeeze(1)
            if len(own):
                rows.append(own)
                parts.append(layer(x[own], *others))
        return torch.cat(parts)[torch.cat(rows).argsort()]


class Mixture(Generator):
    """K generators as one, whose condition is the number of the generator.

    :param generators: K unconditional ones of the same backbone; all but the own layers of the first are dropped.
    :raises SettingsError: where they do not start with a dense layer on the latent.
    """

    def __init__(self, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.shared = generators[0]
        self.latent_dim, self.places = self.shared.latent_dim, self.shared.places
        self.k = len(generators)
        self.told = Told()
        for name in own_layers(self.shared):
            self.shared.set_submodule(name, OwnLayer([g.get_submodule(name) for g in generators], self.told))

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and generator int64 [N] to images in [-1, 1] or points."""
        if condition is None:
            raise ValueError("a mixture is told which of its generators makes each image")
        self.told.index = condition
        images: Tensor = self.shared(latent, None, noise)
        return images

    def each(self, latent: Tensor, noise: Noise | None = None) -> Tensor:
        """Latents [N, latent_dim] to what every generator makes of each, latent by latent: images [N K, ...].

        Nobody has to look which rows are whose, so that a training step does not wait for the device.
        """
        self.told.index = None
        images: Tensor = self.shared(latent.repeat_interleave(self.k, 0), None, noise)
        return images


def own_layers(generator: Generator) -> list[str]:
    """Names of the dense layer on the latent, and of the batch norm right after it if there is one.

    :raises SettingsError: where the first layer is another.
    """
    layers = [(name, m) for name, m in generator.named_modules() if any(True for _ in m.parameters(recurse=False))]
    name, first = layers[0]
    if not isinstance(first, nn.Linear) or first.in_features != generator.latent_dim:
        raise SettingsError(
            f"a mixture of generators needs a backbone that starts with a dense layer on the latent, not "
            f"{type(first).__name__}",
            "choose another one, e.g. --set backbone=dcgan",
        )
    second = layers[1:2]
    return [name, *(name for name, module in second if isinstance(module, _BatchNorm))]
