"""PGMGAN's recipes: the rows of Tables 1, 2, 4 and 5 that are the authors' own, the toys, and what they shrink to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Recipe, Scale, merged

#: CIFAR-10 is mirrored and gets noise; scored by 50,000 samples, as every data set
_CIFAR10: dict[str, Any] = {"flip": True, "dequantise": True}

#: digits are neither mirrored nor mixed across channels; 350,000 discriminator steps, 500 and 100 epochs of 100,000
_STACKED: dict[str, Any] = {
    "steps": 87_500,
    "pretext": {"steps": 125_000, "views": "digits"},
    "partition": {"steps": 78_125, "neighbours": 10, "views": "digits"},
}

#: 105,000 images shrunk to 48 pixels, and 50,000 of them for FID; 500 epochs at batch 200, 100 at 128
_STL10: dict[str, Any] = {
    "train_split": "train+unlabeled",
    "evaluation": {"split": "train+unlabeled", "real_samples": 50_000},
    "fit": "resize",
    "flip": True,
    "dequantise": True,
    "pretext": {"steps": 262_500, "batch_size": 200},
    "partition": {"steps": 82_031},
}

#: minutes on two CPU cores: the same code on a small partitioner and small networks
_TINY = Scale(
    settings={
        "partitions": 10,
        "backbone": {"width": 8},
        "batch_size": 32,
        "steps": 500,
        "d_steps": 2,
        "ema": {"decay": 0.99, "start": 100},
        "generator_adam": {"lr": 4e-4},
        "discriminator_adam": {"lr": 4e-4},
        "pretext": {"steps": 200, "batch_size": 64, "lr": 0.1},
        "partition": {
            "steps": 200,
            "batch_size": 64,
            "adam": {"lr": 1e-3},
            "neighbours": 10,
            "items": 5000,
            "width": 16,
            "groups": 4,
            "blocks": 1,
            "hidden": 128,
        },
        # the mean over so few partitions weighs more, and so narrow a generator would learn nothing else
        "guide": {"weight": 0.5, "over": 1600},
        "redraws": 5,
        "evaluation": {"samples": 2000, "neighbours_samples": 1000},
    },
    on={
        "digits": {
            "partition": {"groups": 3, "items": None},
            "backbone": {"width": 16},
            "steps": 1000,
            "generator_adam": {"lr": 1e-3},
            "discriminator_adam": {"lr": 1e-3},
        },
        "stacked_mnist": {
            "d_steps": 1,
            "steps": 600,
            "discriminator_adam": {"lr": 8e-4},
            # pixels of 100,000 images would take longer than the training
            "evaluation": {"extractors": ["stacked-mnist-cnn"]},
        },
    },
)

#: the same without a guide
_TINY_UNGUIDED = Scale(settings=merged(_TINY.settings, {"guide": {"weight": 0.0}}), on=_TINY.on)

#: digits of any kind keep their side and their strokes
_DIGITS: dict[str, Any] = {"pretext": {"views": "digits"}, "partition": {"views": "digits", "neighbours": 10}}

_ON: dict[str, dict[str, Any]] = {
    "cifar10": _CIFAR10,
    "stl10": _STL10,
    "stacked_mnist": _STACKED,
    "mnist": {**_DIGITS, "fit": "pad"},
    "digits": merged(_DIGITS, {"partition": {"groups": 3}}),  # 8 pixels can be halved no oftener
}


def _images(
    variant: str,
    summary: str,
    *,
    source: str,
    datasets: tuple[str, ...],
    settings: Mapping[str, Any] | None = None,
    fixed: tuple[str, ...] = (),
    tiny: Scale = _TINY,
) -> Recipe:
    """Residual networks with spectral norm; what is not named here is the same in all rows."""
    return Recipe(
        id=f"pgmgan/{variant}",
        method="pgmgan",
        summary=summary,
        # the authors' script scores unrounded images
        settings=merged({"backbone": {"name": "sngan"}, "evaluation": {"quantise": "none"}}, settings or {}),
        on=_ON,
        scales={"tiny": tiny},
        datasets=datasets,
        fixed=fixed,
        source=source,
    )


#: networks and training of the toys, which the paper leaves open, as in the authors' code
_TOY: dict[str, Any] = {
    "backbone": {"name": "mlp"},
    "partitioning": "kmeans",
    "loss": "nsgan",
    "batch_size": 100,
    "steps": 100_000,
    "d_steps": 1,
    "generator_adam": {"lr": 1e-4, "betas": (0.8, 0.999)},
    "discriminator_adam": {"lr": 1e-4, "betas": (0.8, 0.999)},
    "guide": {"weight": 1.0, "over": None},
    "rejection": "off",
}


def _toy(variant: str, summary: str, *, source: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """Each Gaussian is a partition."""
    return Recipe(
        id=f"pgmgan/{variant}",
        method="pgmgan",
        summary=summary,
        settings=merged(_TOY, settings or {}),
        on={"ring2d": {"partitions": 8}, "grid2d": {"partitions": 25}, "gaussian_clusters": {"partitions": 10}},
        scales={
            "tiny": Scale(
                settings={
                    "backbone": {"generator_width": 128, "discriminator_width": 64},
                    "steps": 3000,
                    "generator_adam": {"lr": 5e-4},
                    "discriminator_adam": {"lr": 5e-4},
                    "points": {"points": 2000, "restarts": 10, "steps": 1000, "batch_size": 1000},
                    "evaluation": {"samples": 10_000, "neighbours_samples": 2000},
                }
            )
        },
        datasets=("ring2d", "grid2d", "gaussian_clusters"),
        source=source,
    )


RECIPES = (
    _images(
        "sngan",
        "200 partitions, guided: the paper's method",
        datasets=("cifar10", "stl10", "stacked_mnist", "mnist", "digits"),
        source="Tables 1, 2 and 5, PGMGAN; Tables 6 and 7",
    ),
    _images(
        "sngan-unguided",
        "the same without the guide: Partition GAN",
        datasets=("cifar10", "stl10", "stacked_mnist"),
        settings={"guide": {"weight": 0.0}},
        fixed=("guide",),
        source="Tables 1 and 2, Partition GAN",
        tiny=_TINY_UNGUIDED,
    ),
    _images(
        "sngan-random",
        "the same networks told numbers that mean nothing: Random Partition ID",
        datasets=("cifar10", "stacked_mnist"),
        settings={"partitioning": "random", "guide": {"weight": 0.0}, "rejection": "off"},
        fixed=("partitioning",),
        tiny=_TINY_UNGUIDED,
        source="Table 1, Random Partition ID",
    ),
    _images(
        "sngan-k50",
        "50 partitions",
        datasets=("cifar10",),
        settings={"partitions": 50},
        source="Table 4, k = 50",
    ),
    _images(
        "sngan-k100",
        "100 partitions",
        datasets=("cifar10",),
        settings={"partitions": 100},
        source="Table 4, k = 100",
    ),
    _images(
        "dcgan",
        "200 partitions, guided, on the networks of self-conditioned GANs",
        datasets=("cifar10",),
        settings={"backbone": {"name": "dcgan"}},
        source="Appendix C.1: the same generator and discriminator as Liu et al.",
    ),
    _images(
        "biggan",
        "1,000 partitions of ImageNet at 128 pixels (give it as folder:PATH)",
        datasets=("folder", "stl10"),
        settings={
            "partitions": 1000,
            "fit": "resize",
            "flip": True,
            # 256 on each of eight devices, for gradients of eight times 256 that are added up
            "batch_size": 2048,
            "backbone": {"name": "biggan", "width": 96, "attention": 64},
            # 500 epochs of 1,281,167 images at batch 400, 100 at 128
            "pretext": {"steps": 1_601_459},
            "partition": {"steps": 1_000_912},
        },
        tiny=Scale(settings=merged(_TINY.settings, {"backbone": {"attention": 0}}), on=_TINY.on),
        source="Tables 3, 5 and 8",
    ),
    _toy(
        "mlp",
        "a ring or a grid of Gaussians, guided by an invertible partitioner",
        source="Appendix C.1; Figure 4, restricted",
    ),
    _toy(
        "mlp-linear",
        "the same, guided by a single linear map",
        settings={"points": {"network": "linear"}},
        source="the authors' code of Figures 3 and 4, restricted",
    ),
    _toy(
        "mlp-unrestricted",
        "the same, guided by an ordinary network",
        settings={"points": {"network": "mlp"}},
        source="Figure 4, unrestricted",
    ),
    _toy(
        "mlp-unguided",
        "the same without the guide",
        settings={"guide": {"weight": 0.0}},
        source="the authors' code, guide weight 0",
    ),
)
