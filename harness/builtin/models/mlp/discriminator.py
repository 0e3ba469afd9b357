"""mlp's discriminator: hidden layers, by default of maxout units, without any normalisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.contracts import AdapterFactory, Critique, Discriminator, Place
from harness.layers import Adapters, Heads, full


class Maxout(nn.Module):
    """Each unit is the largest of several linear maps (Goodfellow et al., 2013)."""

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(inputs, outputs * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs] to [N, outputs]."""
        # not amax, whose gradient is shared among equals at several times the cost
        found: Tensor = self.linear(x).unflatten(1, (self.pieces, -1)).max(1).values
        return found


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
        """Points [N, D * pack] and a condition to a critique."""
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
