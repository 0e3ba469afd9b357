"""The plain GAN's recipes."""

from __future__ import annotations

from harness import Recipe, Scale
from harness_baselines.rival_recipes import COMMON, IMAGES, ON, TINY

_IMAGES = ("digits", "mnist", "fashion_mnist", "kmnist", "cifar10", "cifar100", "stl10", "folder")
_POINTS = ("ring2d", "grid2d", "gaussian_clusters")

#: the rest are the method's own defaults, which are BigGAN's for CIFAR
_BIGGAN = {"backbone": {"name": "biggan", "width": 64}, "conditional": True}

#: what the rivals have by default, said to a method whose defaults are others; batch norm sees real or fake images
_ADAM = {"lr": 1e-4, "betas": (0.0, 0.99)}
_DCGAN = {
    **COMMON,
    "loss": "nsgan",
    "batch_size": 64,
    "steps": 195_312,
    "d_steps": 1,
    "generator_adam": _ADAM,
    "discriminator_adam": _ADAM,
    "ema": {"decay": 0.0},
    "passes": "separate",
}

#: the objective of R3GAN on the networks and lengths of the recipes beside it; gamma = 1, of which the penalty has half
_RPGAN = {"loss": "rpgan", "penalty": {"name": "r1r2", "weight": 0.5}}

#: minutes on two CPU cores
_TINY = Scale(
    settings={
        "backbone": {"width": 8},
        "d_steps": 2,
        "steps": 1000,
        "generator_adam": {"lr": 4e-4},
        "discriminator_adam": {"lr": 4e-4},
        "ema": {"decay": 0.99, "start": 100},
        "evaluation": {"samples": 2000, "neighbours_samples": 1000},
    },
    on={
        "digits": {
            "backbone": {"width": 16},
            "generator_adam": {"lr": 1e-3},
            "discriminator_adam": {"lr": 1e-3},
        }
    },
)

GAN = (
    Recipe(
        id="gan/biggan-hinge",
        method="gan",
        summary="class-conditional BigGAN with the hinge loss",
        settings=_BIGGAN,
        scales={"tiny": _TINY},
        datasets=_IMAGES,
        source="BigGAN-PyTorch, CIFAR script",
    ),
    Recipe(
        id="gan/biggan-hinge-unconditional",
        method="gan",
        summary="the same without labels",
        settings={**_BIGGAN, "conditional": False},
        scales={"tiny": _TINY},
        fixed=("conditional",),
        source="BigGAN-PyTorch, CIFAR script",
    ),
    Recipe(
        id="gan/biggan-rpgan",
        method="gan",
        summary="the first with the relativistic loss and zero-centred penalties on real and generated images",
        settings={**_BIGGAN, **_RPGAN},
        scales={"tiny": _TINY},
        datasets=_IMAGES,
        source="objective of Huang et al., NeurIPS 2024; networks of BigGAN-PyTorch",
    ),
    Recipe(
        id="gan/mlp-nsgan",
        method="gan",
        summary="small fully connected networks on points in the plane",
        settings={
            "backbone": {"name": "mlp"},
            "loss": "nsgan",
            "batch_size": 100,
            "steps": 100_000,
            "d_steps": 1,
            "generator_adam": {"lr": 1e-4, "betas": (0.8, 0.999)},
            "discriminator_adam": {"lr": 1e-4, "betas": (0.8, 0.999)},
            "ema": {"decay": 0.0},
        },
        scales={
            "tiny": Scale(
                settings={
                    "backbone": {"generator_width": 128, "discriminator_width": 64},
                    "steps": 5000,
                    "generator_adam": {"lr": 5e-4},
                    "discriminator_adam": {"lr": 5e-4},
                    "evaluation": {"samples": 10_000, "neighbours_samples": 2000},
                }
            )
        },
        datasets=_POINTS,
        source="toy setting of Armandpour et al., CVPR 2021",
    ),
    Recipe(
        id="gan/dcgan",
        method="gan",
        summary="unconditional DCGAN with the non-saturating loss",
        settings={**_DCGAN, "conditional": False},
        on=ON,
        scales={"tiny": TINY},
        datasets=IMAGES,
        fixed=("conditional",),
        source="GAN in Table 1 of Liu et al., CVPR 2020",
    ),
    Recipe(
        id="gan/dcgan-conditional",
        method="gan",
        summary="the same with labels",
        settings={**_DCGAN, "conditional": True},
        on=ON,
        scales={"tiny": TINY},
        datasets=IMAGES,
        fixed=("conditional",),
        source="class-conditional GAN in Table 1 of Liu et al., CVPR 2020",
    ),
    Recipe(
        id="gan/dcgan-rpgan",
        method="gan",
        summary="unconditional DCGAN with the relativistic loss and zero-centred penalties on both sides",
        # a penalty is on the gradient of an image's own logit: no batch norm in the discriminator
        settings={
            **_DCGAN,
            **_RPGAN,
            "backbone": {**_DCGAN["backbone"], "discriminator": "alternating"},
            "conditional": False,
        },
        on=ON,
        scales={"tiny": TINY},
        datasets=IMAGES,
        fixed=("conditional",),
        source="objective of Huang et al., NeurIPS 2024; networks of Liu et al., CVPR 2020",
    ),
)

_ANY = {"tiny": Scale(settings={"evaluation": {"samples": 2000, "neighbours_samples": 1000}})}

TRAINING_DATA = (
    Recipe(
        id="training-data/images",
        method="training-data",
        summary="images of the training split, drawn with replacement",
        settings={"backbone": {"name": "biggan"}},
        scales=_ANY,
        datasets=_IMAGES,
        source="no paper",
    ),
    Recipe(
        id="training-data/points",
        method="training-data",
        summary="points of the training split, drawn with replacement",
        settings={"backbone": {"name": "mlp"}},
        scales=_ANY,
        datasets=_POINTS,
        source="no paper",
    ),
)
