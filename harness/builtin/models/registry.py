"""The backbones that come with the harness."""

from __future__ import annotations

from harness.specs import ModelSpec

SPECS = (
    ModelSpec(
        name="mlp",
        summary="fully connected networks for points: batch norm and ReLU against maxout",
        settings="harness.builtin.models.mlp_settings:MlpSettings",
        build="harness.builtin.models.mlp:build",
        kind="points",
        places="block1, block2, ...: after every hidden layer of both networks",
    ),
    ModelSpec(
        name="biggan",
        summary="residual networks with the public BigGAN topology, without attention (Brock et al., ICLR 2019)",
        settings="harness.builtin.models.biggan_settings:BigGANSettings",
        build="harness.builtin.models.biggan:build",
        kind="images",
        resolutions=(8, 16, 32, 64, 128),
        places="block1, block2, ...: after every residual block of both networks",
    ),
)
