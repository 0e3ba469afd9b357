"""The recipes: Table 12's rows, and that each resolves and builds at every scale."""

from __future__ import annotations

import pytest
import torch
from harness_lcsa.config import CoderSettings, LCSASettings
from harness_lcsa.recipes import RECIPES

from harness import Problem
from harness.catalog import Catalog
from harness.experiment import resolve
from harness.training.build import build_method
from harness.training.runtime import Runtime


def settings_of(catalog: Catalog, recipe: str, dataset: str, scale: str = "paper") -> LCSASettings:
    settings = resolve(catalog, plugin="lcsa", recipe=recipe, dataset=dataset, scale=scale).settings
    assert isinstance(settings, LCSASettings)
    return settings


@pytest.mark.parametrize(
    ("recipe", "width", "delta_gamma"), [("d256", 64, 1.0), ("d512", 128, 1.2), ("d1024", 256, 2.5)]
)
@pytest.mark.parametrize(
    ("dataset", "dictionary_lr", "neighbours"), [("cifar10", 2e-3, 128), ("cifar100", 1.5e-3, 32), ("mnist", 2e-3, 128)]
)
def test_rows_of_table_12(
    catalog: Catalog, recipe: str, width: int, delta_gamma: float, dataset: str, dictionary_lr: float, neighbours: int
) -> None:
    s = settings_of(catalog, f"lcsa/biggan-{recipe}", dataset)
    assert s.backbone.settings["width"] == width
    assert s.coder == CoderSettings(atoms=1024, neighbours=neighbours, sigma=1.2)
    assert (s.dictionary.lr, s.dictionary.betas) == (dictionary_lr, (0.9, 0.999))
    c = s.controller
    assert (c.mode, c.beta0, c.gamma0, c.delta_gamma, c.eta) == ("adaptive", 0.1, 0.0, delta_gamma, 0.5)
    assert (s.loss, s.conditional, s.batch_size, s.d_steps, s.blocks) == ("hinge", True, 32, 4, None)
    for adam in (s.generator_adam, s.discriminator_adam):
        assert (adam.lr, adam.betas, adam.weight_decay) == (2e-4, (0.0, 0.999), 0.0)
    assert (s.ema.decay, s.ema.start) == (0.9999, 1000)
    # 500 epochs of 50,000 real images, four batches of 32 a step; Table 8, which d' = 256 is for, has 1,000
    assert s.steps == (1000 if recipe == "d256" else 500) * 50_000 // (32 * 4)
    assert s.flip is (recipe == "d256" and dataset != "mnist")


def test_table_8s_tenth_has_5000_epochs_of_5000_images(catalog: Catalog) -> None:
    tenth, whole = (settings_of(catalog, f"lcsa/biggan-d256{part}", "cifar10") for part in ("-tenth", ""))
    assert tenth.steps == 5000 * 5000 // (32 * 4)
    assert whole.steps == 5000 * 10_000 // (32 * 4)
    assert tenth.model_copy(update={"steps": whole.steps}) == whole


def test_cifar_is_measured_as_the_printed_numbers_were(catalog: Catalog) -> None:
    for dataset, split, rule in (
        ("cifar10", "both", "truncate"),
        ("cifar100", "both", "truncate"),
        ("mnist", "train", "round"),
    ):
        evaluation = settings_of(catalog, "lcsa/biggan-d1024", dataset).evaluation
        assert (evaluation.split, evaluation.quantise, evaluation.samples) == (split, rule, 50_000)


@pytest.mark.parametrize(("dataset", "beta"), [("cifar10", 0.4), ("cifar100", 0.2)])
def test_the_fixed_recipe_holds_the_best_beta(catalog: Catalog, dataset: str, beta: float) -> None:
    c = settings_of(catalog, "lcsa/biggan-d512-fixed", dataset).controller
    assert (c.mode, c.beta0, c.delta_gamma) == ("fixed", beta, 1.2)


def test_cifar_gets_the_middle_width_by_default(catalog: Catalog) -> None:
    for dataset in ("cifar10", "cifar100", "digits"):
        assert resolve(catalog, plugin="lcsa", dataset=dataset).recipe == "lcsa/biggan-d512"


@pytest.mark.parametrize("recipe", [recipe.id for recipe in RECIPES])
@pytest.mark.parametrize("scale", ["paper", "tiny"])
@pytest.mark.parametrize(
    ("dataset", "shape"), [("cifar100", (3, 32, 32)), ("digits", (1, 8, 8)), ("mnist", (1, 32, 32))]
)
def test_builds_on_the_meta_device(
    catalog: Catalog, recipe: str, scale: str, dataset: str, shape: tuple[int, ...]
) -> None:
    experiment = resolve(catalog, plugin="lcsa", recipe=recipe, dataset=dataset, scale=scale)
    problem = Problem(dataset, "images", shape, tuple("0123456789"), 1000)
    method, _ = build_method(experiment, problem, Runtime(torch.device("meta")), catalog)
    modules = [value for value in method.state().values() if isinstance(value, torch.nn.Module)]
    assert len(modules) == 2
    assert all(parameter.device.type == "meta" for module in modules for parameter in module.parameters())


def test_extra_parameters_are_table_13s(catalog: Catalog) -> None:
    experiment = resolve(catalog, plugin="lcsa", recipe="biggan-d512", dataset="cifar10")
    problem = Problem("cifar10", "images", (3, 32, 32), tuple("0123456789"), 50_000)
    method, _ = build_method(experiment, problem, Runtime(torch.device("meta")), catalog)
    dictionaries = [p for name, p in method.state()["discriminator"].named_parameters() if name.endswith("dictionary")]
    assert [tuple(p.shape) for p in dictionaries] == [(1024, 512)] * 4
    assert sum(p.numel() for p in dictionaries) == 2_097_152  # 32.88 -> 34.97 M


def test_tiny_dictionaries_shrink_with_the_width(catalog: Catalog) -> None:
    for dataset in ("digits", "mnist", "cifar10"):
        s = settings_of(catalog, "lcsa/biggan-d512", dataset, "tiny")
        assert s.backbone.settings["width"] <= 24
        assert s.coder.atoms <= 1024 * s.backbone.settings["width"] // 64
        assert s.coder.neighbours == s.coder.atoms // 8
