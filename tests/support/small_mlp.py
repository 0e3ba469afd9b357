"""Settings of small mlp networks for tests."""

from __future__ import annotations

from harness.builtin.models.mlp.mlp_settings import MlpSettings

SMALL = MlpSettings(generator_width=16, generator_layers=3, discriminator_width=12, discriminator_layers=2)
