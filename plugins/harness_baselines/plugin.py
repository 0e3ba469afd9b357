"""Offers the methods that others are held against: the plain GAN, and its rivals in the tables of papers."""

from __future__ import annotations

from collections.abc import Callable

from harness import ExtractorSpec, MethodSpec, RemoteFile, hookimpl
from harness_baselines.recipes import GAN, TRAINING_DATA
from harness_baselines.rival_recipes import LOGO_GAN, MGAN, PACGAN, SELF_COND

_HERE = "harness_baselines"


@hookimpl
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    """Register `gan`, `pacgan`, `mgan`, `self-cond-gan`, `logo-gan` and `training-data`."""
    register(
        MethodSpec(
            name="gan",
            summary="Plain GAN, conditional or not: any backbone, loss and penalty",
            settings=f"{_HERE}.config:GanSettings",
            method=f"{_HERE}.method:Gan",
            recipes=GAN,
            kinds=("images", "points"),
            citation="Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
        )
    )
    register(
        MethodSpec(
            name="pacgan",
            summary="GAN whose discriminator judges several images at once",
            settings=f"{_HERE}.config:PacGanSettings",
            method=f"{_HERE}.pacgan:PacGan",
            recipes=PACGAN,
            kinds=("images", "points"),
            citation="Lin et al., PacGAN: The power of two samples in generative adversarial networks, NeurIPS 2018",
        )
    )
    register(
        MethodSpec(
            name="mgan",
            summary="Mixture of generators with a classifier that tells them apart",
            settings=f"{_HERE}.config:MganSettings",
            method=f"{_HERE}.mgan:Mgan",
            recipes=MGAN,
            kinds=("images", "points"),
            citation="Hoang et al., MGAN: Training Generative Adversarial Nets with Multiple Generators, ICLR 2018",
        )
    )
    register(
        MethodSpec(
            name="self-cond-gan",
            summary="GAN conditioned on clusters in its discriminator's own features",
            settings=f"{_HERE}.config:SelfCondSettings",
            method=f"{_HERE}.self_cond:SelfCond",
            recipes=SELF_COND,
            kinds=("images", "points"),
            citation="Liu et al., Diverse Image Generation via Self-Conditioned GANs, CVPR 2020",
        )
    )
    register(
        MethodSpec(
            name="logo-gan",
            summary="GAN conditioned on clusters of features that were learned before",
            settings=f"{_HERE}.config:LogoGanSettings",
            method=f"{_HERE}.logo_gan:LogoGan",
            recipes=LOGO_GAN,
            citation="Sage et al., Logo Synthesis and Manipulation with Clustered Generative Adversarial Networks, "
            "CVPR 2018",
        )
    )
    register(
        MethodSpec(
            name="training-data",
            summary="the training data themselves, as if a generator had made them: what each metric says of them",
            settings=f"{_HERE}.config:TrainingDataSettings",
            method=f"{_HERE}.training_data:TrainingItems",
            recipes=TRAINING_DATA,
            kinds=("images", "points"),
            citation="none: no method, but a mark to hold methods against",
        )
    )


@hookimpl
def harness_register_extractors(register: Callable[[ExtractorSpec], None]) -> None:
    """Register the network whose features `logo-gan` may cluster."""
    register(
        ExtractorSpec(
            name="resnet50",
            summary="ResNet-50 trained on ImageNet's labels, by torchvision; 2048 features of the last pooling",
            load=f"{_HERE}.resnet:load",
            accepts="any size, colour; grey is repeated to three channels",
            weights=RemoteFile(
                name="resnet50-0676ba61.pth",
                url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
                sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
                size=102_530_333,
            ),
            source="He et al. 2016, torchvision's first weights (IMAGENET1K_V1, BSD-3-Clause)",
        )
    )
