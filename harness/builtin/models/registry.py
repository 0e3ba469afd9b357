"""The backbones that come with the harness."""

from __future__ import annotations

from harness import ModelSpec

SPECS = (
    ModelSpec(
        name="mlp",
        summary="fully connected networks for points: batch norm and ReLU against maxout",
        settings="harness.builtin.models.mlp.mlp_settings:MlpSettings",
        build="harness.builtin.models.mlp.backbone:build",
        kind="points",
        places="block1, block2, ...: after every hidden layer of both networks",
    ),
    ModelSpec(
        name="biggan",
        summary="residual networks with the public BigGAN topology, attention optional (Brock et al., ICLR 2019)",
        settings="harness.builtin.models.residual.biggan_settings:BigGANSettings",
        build="harness.builtin.models.residual.biggan:build",
        kind="images",
        resolutions=(8, 16, 32, 64, 128),
        places="block1, block2, ...: after every residual block of both networks",
    ),
    ModelSpec(
        name="sngan",
        summary="spectrally normalised residual networks (Miyato et al., ICLR 2018), with two published sets of widths",
        settings="harness.builtin.models.residual.sngan_settings:SnganSettings",
        build="harness.builtin.models.residual.sngan:build",
        kind="images",
        resolutions=(8, 16, 24, 32, 48),
        places="block1, block2, ...: after every residual block of both networks",
    ),
    ModelSpec(
        name="dcgan",
        summary="convolutions without shortcuts (Radford et al., ICLR 2016), as used by Liu et al. (CVPR 2020)",
        settings="harness.builtin.models.dcgan.dcgan_settings:DcganSettings",
        build="harness.builtin.models.dcgan.backbone:build",
        kind="images",
        resolutions=(8, 16, 32, 48, 64),
        places="block1, block2, ...: after every (transposed) convolution with its activation, but for the last one of "
        "the generator",
    ),
)
