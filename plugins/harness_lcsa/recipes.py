"""LCSA's recipes: Table 12's rows for BigGAN with the hinge loss, and what they shrink to on two CPU cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Recipe, Scale

#: how the tables were measured, as far as the authors' later code tells: FID against both splits, 8 bits truncated
_MEASURED: dict[str, Any] = {"evaluation": {"split": "both", "quantise": "truncate"}}

#: CIFAR-100 learns its dictionaries more slowly and shares a feature among fewer atoms (Table 12)
_CIFAR100 = {**_MEASURED, "dictionary": {"lr": 1.5e-3}, "coder": {"neighbours": 32}}

#: minutes on two CPU cores: the same code, with the dictionaries shrunk as the networks are
_TINY = Scale(
    settings={
        "backbone": {"width": 8},
        "coder": {"atoms": 64, "neighbours": 8},
        # so short a run seldom brings r to the paper's 0.5, and beta would only fall to 0
        "controller": {"eta": 0.3},
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
            "coder": {"atoms": 128, "neighbours": 16},
            "controller": {"eta": 0.1},
            "generator_adam": {"lr": 1e-3},
            "discriminator_adam": {"lr": 1e-3},
        }
    },
)


def _biggan(
    variant: str,
    summary: str,
    *,
    width: int,
    source: str,
    controller: dict[str, Any],
    cifar100: Mapping[str, Any] = _CIFAR100,
    flip: bool = False,
    steps: int | None = None,
) -> Recipe:
    """A BigGAN of d' = 4 x width; what is not named here is the same in all of Table 12's CIFAR rows."""
    return Recipe(
        id=f"lcsa/{variant}",
        method="lcsa",
        summary=summary,
        settings={"backbone": {"name": "biggan", "width": width}, "controller": controller}
        | ({} if steps is None else {"steps": steps}),
        # digits and the like are not to be mirrored
        on={"cifar10": {**_MEASURED, "flip": flip}, "cifar100": {**cifar100, "flip": flip}},
        scales={"tiny": _TINY},
        datasets=("cifar10", "cifar100"),
        source=source,
    )


RECIPES = (
    _biggan(
        "biggan-d512",
        "BigGAN with dictionaries, d' = 512",
        width=128,
        source="Table 12, BigGAN+LCSA",
        controller={"delta_gamma": 1.2},
    ),
    _biggan(
        "biggan-d1024",
        "BigGAN with dictionaries, d' = 1024",
        width=256,
        source="Table 12, BigGAN+LCSA",
        controller={"delta_gamma": 2.5},
    ),
    _biggan(
        "biggan-d256",
        "BigGAN with dictionaries, d' = 256, mirrored images, for all of CIFAR or a fifth of it",
        width=64,
        # Table 8 uses it, Table 12 does not list it
        source="Table 8, 100 % and 20 %; Table 12, row Omni+LCSA of d' = 256, with both weight decays 0",
        controller={"delta_gamma": 1.0},
        # 1,000 epochs of 50,000 images are as many as 5,000 of 10,000
        steps=390_625,
        flip=True,
    ),
    _biggan(
        "biggan-d256-tenth",
        "the same for a tenth of CIFAR (give --fraction 0.1)",
        width=64,
        source="Table 8, 10 %: 5,000 epochs of 5,000 images",
        controller={"delta_gamma": 1.0},
        steps=195_312,
        flip=True,
    ),
    _biggan(
        "biggan-d512-fixed",
        "the same with beta fixed at 0.4 (CIFAR-100: 0.2)",
        width=128,
        source="Tables 10 and 11, best fixed beta",
        controller={"mode": "fixed", "beta0": 0.4, "delta_gamma": 1.2},
        cifar100={**_CIFAR100, "controller": {"beta0": 0.2}},
    ),
)
