"""Recipes of PacGAN, MGAN, the self-conditioned GAN and Logo-GAN: one backbone and one length for all of them.

What is the same in all stands in :data:`COMMON`, :data:`ON` and :data:`TINY`; the plain GAN's recipes of the same
tables take it from here. Batch, losses and Adam are the methods' own defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Recipe, Scale

IMAGES = ("cifar10", "stacked_mnist")
_POINTS = ("ring2d", "grid2d")
_SOURCE = "Table 1 of Liu et al., CVPR 2020"

COMMON: Mapping[str, Any] = {
    "backbone": {"name": "dcgan", "discriminator": "strided"},
    "evaluation": {"quantise": "none"},  # their script scores unrounded images
}

#: 250 epochs of either; on CIFAR another discriminator, without batch norm
ON: Mapping[str, dict[str, Any]] = {
    "cifar10": {"backbone": {"discriminator": "alternating"}, "steps": 195_312},
    "stacked_mnist": {"steps": 390_625},
}

#: minutes on two CPU cores
_SHORT: Mapping[str, Any] = {
    "backbone": {"width": 16},
    "steps": 1000,
    "generator_adam": {"lr": 4e-4},
    "discriminator_adam": {"lr": 4e-4},
    "evaluation": {"samples": 2000, "neighbours_samples": 1000},
}
TINY = Scale(settings=_SHORT)

_CLUSTERED = {"clusters": 20, "restarts": 3}

#: as `gan/mlp-nsgan`
_TOY: Mapping[str, Any] = {
    "backbone": {"name": "mlp"},
    "batch_size": 100,
    "steps": 100_000,
    "generator_adam": {"betas": (0.8, 0.999)},
    "discriminator_adam": {"betas": (0.8, 0.999)},
}
_TINY_TOY: Mapping[str, Any] = {
    "backbone": {"generator_width": 128, "discriminator_width": 64},
    "steps": 5000,
    "generator_adam": {"lr": 5e-4},
    "discriminator_adam": {"lr": 5e-4},
    "evaluation": {"samples": 10_000, "neighbours_samples": 2000},
}


def _pacgan(m: int, on: Mapping[str, Mapping[str, Any]] = ON, **settings: Any) -> Recipe:
    return Recipe(
        id=f"pacgan/dcgan-{m}",
        method="pacgan",
        summary=f"DCGAN whose discriminator sees {m} images at once",
        settings={**COMMON, "pack": m, **settings},
        on=on,
        scales={"tiny": TINY},
        datasets=IMAGES,
        source=f"PacGAN{m} in {_SOURCE}",
    )


PACGAN = (
    _pacgan(2),
    # 64 images cannot be divided by 3; as many epochs
    _pacgan(3, on={"cifar10": ON["cifar10"] | {"steps": 189_394}, "stacked_mnist": {"steps": 378_788}}, batch_size=66),
    _pacgan(4),
    Recipe(
        id="pacgan/mlp-2",
        method="pacgan",
        summary="small fully connected networks whose discriminator sees two points at once",
        settings={**_TOY, "pack": 2},
        scales={"tiny": Scale(settings=_TINY_TOY)},
        datasets=_POINTS,
        source="toy setting of Liu et al., CVPR 2020, with PacGAN2",
    ),
)

MGAN = (
    Recipe(
        id="mgan/dcgan",
        method="mgan",
        summary="ten DCGAN generators that share all but their first layer",
        settings=COMMON,
        on=ON,
        scales={"tiny": Scale(settings={**_SHORT, "generators": 4, "fakes": 16})},
        datasets=IMAGES,
        source="Hoang et al., ICLR 2018, in the common setting of Liu et al., CVPR 2020",
    ),
)

SELF_COND = (
    Recipe(
        id="self-cond-gan/dcgan",
        method="self-cond-gan",
        summary="conditional DCGAN on 100 clusters in the discriminator's features",
        settings=COMMON,
        on=ON,
        scales={"tiny": Scale(settings={**_SHORT, **_CLUSTERED, "recluster_every": 250, "clustered": 1000})},
        datasets=IMAGES,
        source=f"Self-Cond GAN in {_SOURCE}",
    ),
    Recipe(
        id="self-cond-gan/mlp",
        method="self-cond-gan",
        summary="small fully connected networks on 50 clusters in the discriminator's features",
        settings={**_TOY, "clusters": 50, "recluster_every": 5000, "clustered": 10_000},
        scales={"tiny": Scale(settings={**_TINY_TOY, "restarts": 3, "recluster_every": 1000, "clustered": 2000})},
        datasets=_POINTS,
        source="toy setting of Liu et al., CVPR 2020",
    ),
)


def _logo(variant: str, summary: str, features: str, row: str, tiny: Mapping[str, Mapping[str, Any]]) -> Recipe:
    return Recipe(
        id=f"logo-gan/{variant}",
        method="logo-gan",
        summary=summary,
        settings={**COMMON, "features": features},
        on=ON,
        scales={"tiny": Scale(settings={**_SHORT, **_CLUSTERED}, on=tiny)},
        datasets=IMAGES,
        fixed=("features",),
        source=f"{row} in {_SOURCE}",
    )


LOGO_GAN = (
    _logo("dcgan-ae", "conditional DCGAN on 100 clusters of an auto-encoder's codes", "autoencoder", "Logo-GAN-AE", {}),
    _logo(
        "dcgan-rc",
        "conditional DCGAN on 100 clusters of an ImageNet ResNet-50's features",
        "classifier",
        "Logo-GAN-RC",
        # small classifiers whose weights are at hand
        {
            "digits": {"extractor": "digits-cnn"},
            "mnist": {"extractor": "mnist-cnn"},
            "stacked_mnist": {"extractor": "stacked-mnist-cnn"},
        },
    ),
)
