"""mlp: fully connected networks for points, by default the toy networks of Armandpour et al. (CVPR 2021)."""

from __future__ import annotations

from harness.builtin.models.mlp.discriminator import MlpDiscriminator
from harness.builtin.models.mlp.generator import MlpGenerator
from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.errors import SettingsError
from harness.layers import NetworkBuilder


def build(settings: MlpSettings, shape: tuple[int, ...]) -> NetworkBuilder:
    """The backbone for points of this shape (D,).

    :raises SettingsError: for images.
    """
    if len(shape) != 1 or shape[0] < 1:
        raise SettingsError(
            f"backbone 'mlp' builds points [D], not data of shape {list(shape)}",
            "choose a backbone for images, e.g. --set backbone=biggan",
        )
    dim = shape[0]
    return NetworkBuilder(
        settings.latent_dim,
        lambda conditions, adapters: MlpGenerator(settings, dim, conditions, adapters),
        lambda conditions, outputs, heads, pack, adapters: MlpDiscriminator(
            settings, dim * pack, conditions, outputs, heads, adapters
        ),
    )
