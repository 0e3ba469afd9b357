"""mlp: fully connected networks for points, by default the toy networks of Armandpour et al. (CVPR 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.builtin.models.heads import Heads, check_conditions, check_discriminator, check_generator, full
from harness.builtin.models.mlp_settings import MlpSettings
from harness.errors import SettingsError
from harness.networks import AdapterFactory, Adapters, Critique, Discriminator, Generator, Noise, Place


class MlpGenerator(Generator):
    """Hidden layers of linear, batch norm and ReLU on the latent and the unit-norm embedding of the condition."""

    def __init__(self, settings: MlpSettings, dim: int, conditions: int, adapters: AdapterFactory | None) -> None:
        super().__init__()
        self.latent_dim = settings.latent_dim
        self.conditions = conditions
        self.scale = settings.scale
        self.embedding = nn.Embedding(conditions, settings.embedding_dim) if conditions else None
        inputs, width = settings.latent_dim + (settings.embedding_dim if conditions else 0), settings.generator_width
        self.layers = nn.ModuleList()
        for index in range(settings.generator_layers):
            norm = [nn.BatchNorm1d(width)] if settings.batch_norm else []
            self.layers.append(nn.Sequential(nn.Linear(width if index else inputs, width), *norm, nn.ReLU()))
        self.linear = nn.Linear(width, dim)
        self.places = tuple(
            Place("generator", "block", index, width, 0) for index in range(1, settings.generator_layers + 1)
        )
        self.adapters = Adapters(self.places, adapters)

    def forward(self, latent: Tensor, condition: Tensor | None = None, noise: Noise | None = None) -> Tensor:
        """Latent [N, latent_dim] and condition int64 [N] to points [N, D], unbounded."""
        check_conditions("generator", self.conditions, condition)
        h = latent
        if self.embedding is not None:
            h = torch.cat([latent, F.normalize(self.embedding(condition))], 1)
        for place, layer in zip(self.places, self.layers, strict=True):
            h = self.adapters.at(place.name, layer(h), noise).map  # [N, width]
        return full(self.linear(h)) / self.scale


class Maxout(nn.Module):
    """Each unit is the largest of several linear maps (Goodfellow et al., 2013)."""

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(inputs, outputs * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] to [N, outputs]."""
        # not amax, whose gradient is shared among equals at several times the cost
        return self.linear(x).unflatten(1, (self.pieces, -1)).max(1).values


class MlpDiscriminator(Discriminator):
    """Hidden layers without any normalisation, then the linear heads."""

    def __init__(
        self,
        settings: MlpSettings,
        dim: int,
        conditions: int,
        outputs: int,
        heads: Mapping[str, int],
        adapters: AdapterFactory | None,
    ) -> None:
        super().__init__()
        self.feature_dim = width = settings.discriminator_width
        self.scale = settings.scale
        layer = _layer(settings)
        self.layers = nn.ModuleList(
            layer(width if index else dim, width) for index in range(settings.discriminator_layers)
        )
        self.heads = Heads(width, conditions, outputs, heads, None, settings.conditioning)
        self.places = tuple(
            Place("discriminator", "block", index, width, 0) for index in range(1, settings.discriminator_layers + 1)
        )
        self.adapters = Adapters(self.places, adapters)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        """Points [N, D * pack] and condition int64 [N] to a critique."""
        h, maps, notes = self.adapters.after_each(self.places, self.layers, images * self.scale)  # [N, width]
        critique: Critique = self.heads(full(h), condition)
        critique.maps, critique.notes = maps, notes
        return critique


def _layer(settings: MlpSettings) -> Callable[[int, int], nn.Module]:
    """What builds a hidden layer of the discriminator from its number of inputs and outputs."""
    if settings.discriminator_activation == "maxout":
        return lambda inputs, outputs: Maxout(inputs, outputs, settings.maxout_pieces)
    if settings.discriminator_activation == "relu":
        return lambda inputs, outputs: nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())
    return lambda inputs, outputs: nn.Sequential(nn.Linear(inputs, outputs), nn.LeakyReLU(0.2))


class Mlp:
    """Builds the two networks for points of one dimension."""

    def __init__(self, settings: MlpSettings, dim: int) -> None:
        self.settings = settings
        self.dim = dim

    @property
    def latent_dim(self) -> int:
        """Size of the latent of its generators."""
        return self.settings.latent_dim

    def generator(self, *, conditions: int = 0, adapters: AdapterFactory | None = None) -> MlpGenerator:
        """A generator that is told one of `conditions` (0: nothing) beside the latent."""
        check_generator(conditions)
        return MlpGenerator(self.settings, self.dim, conditions, adapters)

    def discriminator(
        self,
        *,
        conditions: int = 0,
        outputs: int = 1,
        heads: Mapping[str, int] | None = None,
        pack: int = 1,
        adapters: AdapterFactory | None = None,
    ) -> MlpDiscriminator:
        """A discriminator; see :meth:`harness.networks.Backbone.discriminator`."""
        check_discriminator(conditions, outputs, heads or {}, pack)
        return MlpDiscriminator(self.settings, self.dim * pack, conditions, outputs, heads or {}, adapters)


def build(settings: MlpSettings, shape: tuple[int, ...]) -> Mlp:
    """The backbone for points of this shape (D,).

    :raises SettingsError: for images.
    """
    if len(shape) != 1 or shape[0] < 1:
        raise SettingsError(
            f"backbone 'mlp' builds points [D], not data of shape {list(shape)}",
            "choose a backbone for images, e.g. --set backbone=biggan",
        )
    return Mlp(settings, shape[0])
