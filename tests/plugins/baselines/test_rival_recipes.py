"""The common setting of the rivals' tables: every recipe has it, on networks of the published size."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from harness_baselines.recipes import GAN
from harness_baselines.rival_recipes import LOGO_GAN, MGAN, PACGAN, SELF_COND

from harness.catalog import Catalog
from harness.cli.describe import described_problem
from harness.experiment import Experiment, resolve
from harness.training.build import build_method
from harness.training.runtime import Runtime

RECIPES = [recipe.id for group in (GAN, PACGAN, MGAN, SELF_COND, LOGO_GAN) for recipe in group]
DCGAN = [name for name in RECIPES if "/dcgan" in name]


def settled(catalog: Catalog, recipe: str, dataset: str, **overrides: Any) -> Experiment:
    return resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, overrides=overrides)


@pytest.mark.parametrize(("dataset", "items"), [("cifar10", 50_000), ("stacked_mnist", 100_000)])
@pytest.mark.parametrize("recipe", DCGAN)
def test_the_common_setting(catalog: Catalog, recipe: str, dataset: str, items: int) -> None:
    settings: Any = settled(catalog, recipe, dataset).settings
    for optimiser in (settings.generator_adam, settings.discriminator_adam):
        assert (optimiser.lr, optimiser.betas, optimiser.weight_decay) == (1e-4, (0.0, 0.99), 0.0)
    assert settings.batch_size == (66 if recipe == "pacgan/dcgan-3" else 64)
    relativistic = recipe == "gan/dcgan-rpgan"  # the one of another objective: no batch norm beside its penalty
    assert settings.loss == ("rpgan" if relativistic else "nsgan")
    assert settings.penalty.name == ("r1r2" if relativistic else None)
    assert settings.ema.decay == 0
    assert abs(settings.steps * settings.batch_size - 250 * items) < settings.batch_size
    assert settings.evaluation.quantise == "none"
    assert settings.backbone.settings["discriminator"] == (
        "alternating" if dataset == "cifar10" or relativistic else "strided"
    )
    assert getattr(settings, "d_steps", 1) == 1
    assert getattr(settings, "clusters", 100) == 100
    assert getattr(settings, "restarts", 10) == 10


@pytest.mark.parametrize(
    ("recipe", "dataset", "generator", "discriminator"),
    [
        # millions, counted in the public code of Liu et al.
        ("gan/dcgan", "cifar10", 3.81, 2.94),
        ("gan/dcgan", "stacked_mnist", 3.81, 2.76),
        ("self-cond-gan/dcgan", "cifar10", 5.94, 3.75),
        ("logo-gan/dcgan-ae", "stacked_mnist", 5.94, 2.96),
    ],
)
def test_networks_are_as_large_as_the_published_ones(
    catalog: Catalog, recipe: str, dataset: str, generator: float, discriminator: float
) -> None:
    experiment = settled(catalog, recipe, dataset)
    method, _ = build_method(experiment, described_problem(catalog, experiment), Runtime(torch.device("meta")), catalog)
    millions = [
        sum(p.numel() for p in method.state()[name].parameters()) / 1e6 for name in ("generator", "discriminator")
    ]
    assert millions == pytest.approx([generator, discriminator], abs=0.005)


@pytest.mark.parametrize("recipe", [name for name in DCGAN if name != "pacgan/dcgan-4"])
def test_what_one_setting_of_a_group_changes_leaves_the_others(catalog: Catalog, recipe: str) -> None:
    settings: Any = resolve(
        catalog, plugin=None, recipe=recipe, dataset="cifar10", scale="tiny", overrides={"ema": {"start": 5}}
    ).settings
    assert settings.generator_adam.betas == settings.discriminator_adam.betas == (0.0, 0.99)
    assert settings.generator_adam.lr == settings.discriminator_adam.lr == 4e-4
    assert settings.ema.decay == 0


def test_toys_follow_the_plain_gan(catalog: Catalog) -> None:
    plain: Any = settled(catalog, "gan/mlp-nsgan", "grid2d").settings
    for recipe in ("pacgan/mlp-2", "self-cond-gan/mlp"):
        rival: Any = settled(catalog, recipe, "grid2d").settings
        for name in ("backbone", "loss", "batch_size", "steps", "generator_adam", "discriminator_adam"):
            assert _plain(getattr(rival, name)) == _plain(getattr(plain, name)), (recipe, name)
        assert rival.ema.decay == 0
    clusters: Any = settled(catalog, "self-cond-gan/mlp", "grid2d").settings
    assert (clusters.clusters, clusters.recluster_every, clusters.clustered) == (50, 5000, 10_000)


def _plain(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value
