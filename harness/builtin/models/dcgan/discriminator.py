"""dcgan's discriminator: convolutions with leaky ReLU."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from harness.builtin.models.dcgan.dcgan_settings import DcganSettings, Layer, design
from harness.contracts import AdapterFactory, Critique, Discriminator, Place
from harness.layers import Adapters, Heads, fast_layout, full


class DcganDiscriminator(Discriminator):
    """Convolutions with leaky ReLU, then linear heads on the flattened last map."""

    def __init__(
        self,
        settings: DcganSettings,
        shape: tuple[int, ...],
        conditions: int,
        outputs: int,
        heads: Mapping[str, int],
        pack: int,
        adapters: AdapterFactory | None,
    ) -> None:
        super().__init__()
        plan = design(settings, shape, pack)
        strided = settings.discriminator == "strided"
        self.blocks = nn.ModuleList(
            _block(layer, batch_norm=strided, slope=0.2 if strided else 0.1) for layer in plan.discriminator
        )
        side, places = plan.resolution, []
        for index, layer in enumerate(plan.discriminator, 1):
            side = side // 2 if layer.halves else side
            places.append(Place("discriminator", "block", index, layer.outputs, side))
        self.feature_dim = plan.discriminator[-1].outputs * plan.feature_side**2
        self.heads = Heads(self.feature_dim, conditions, outputs, heads, None, settings.conditioning)
        self.places = tuple(places)
        self.adapters = Adapters(self.places, adapters)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        """Images [N, C * pack, R, R] in [-1, 1] and a condition to a critique."""
        h, maps, notes = self.adapters.after_each(self.places, self.blocks, fast_layout(images))
        critique: Critique = self.heads(full(h).flatten(1), condition)
        critique.maps, critique.notes = maps, notes
        return critique


def _block(layer: Layer, *, batch_norm: bool, slope: float) -> nn.Module:
    """[N, inputs, R, R] to [N, outputs, R, R], or R / 2 where the layer halves."""
    kernel, stride = (4, 2) if layer.halves else (3, 1)
    norm = [nn.BatchNorm2d(layer.outputs)] if batch_norm else []
    conv = nn.Conv2d(layer.inputs, layer.outputs, kernel, stride=stride, padding=1)
    return nn.Sequential(conv, *norm, nn.LeakyReLU(slope, inplace=True))
