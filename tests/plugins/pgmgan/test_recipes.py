"""The recipes: what the tables' rows share and differ in, their size, and the printed numbers that they answer to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness_pgmgan.config import PgmganSettings
from harness_pgmgan.recipes import RECIPES

from harness.catalog import Catalog
from harness.cli.describe import described_problem, recipe_facts
from harness.experiment import resolve
from harness.overrides import flattened
from harness.results.references import open_references


def settings_of(catalog: Catalog, recipe: str, dataset: str, scale: str = "paper") -> PgmganSettings:
    settings = resolve(catalog, plugin="pgmgan", recipe=recipe, dataset=dataset, scale=scale).settings
    assert isinstance(settings, PgmganSettings)
    return settings


def differences(catalog: Catalog, one: str, other: str, dataset: str) -> dict[str, Any]:
    """Settings of one recipe that the other has otherwise."""
    ours, theirs = (flattened(settings_of(catalog, name, dataset).model_dump()) for name in (one, other))
    return {key: value for key, value in ours.items() if theirs.get(key) != value}


def test_cifar10_as_published(catalog: Catalog) -> None:
    s = settings_of(catalog, "sngan", "cifar10")
    assert (s.partitions, s.batch_size, s.d_steps, s.steps * s.d_steps) == (200, 100, 4, 250_000)
    assert (s.guide.weight, s.guide.floor, s.guide.over, s.guide.reduce) == (6.0, 1e-4, 50_000, "mean")
    for adam in (s.generator_adam, s.discriminator_adam):
        assert (adam.lr, adam.betas) == (2e-4, (0.0, 0.999))
    assert s.pretext.steps * s.pretext.batch_size == 500 * 50_000
    assert (s.pretext.lr, s.pretext.momentum, s.pretext.weight_decay) == (0.4, 0.9, 3e-5)
    assert round(s.partition.steps * s.partition.batch_size / 50_000) == 100
    assert (s.partition.adam.lr, s.partition.adam.betas, s.partition.adam.weight_decay) == (1e-4, (0.9, 0.999), 1e-4)
    assert (s.partition.sample_weight, s.partition.mean_weight) == (1e-3, 5.0)  # the appendix has them swapped
    assert (s.loss, s.ema.decay, s.flip, s.dequantise, s.evaluation.quantise) == ("hinge", 0.0, True, True, "none")


def test_stacked_digits_are_never_mirrored_and_have_100000_items(catalog: Catalog) -> None:
    s = settings_of(catalog, "sngan", "stacked_mnist")
    assert (s.flip, s.dequantise, s.pretext.views, s.partition.views) == (False, False, "digits", "digits")
    assert s.pretext.steps * s.pretext.batch_size == 500 * 100_000
    assert s.partition.steps * s.partition.batch_size == 100 * 100_000
    assert (s.partition.neighbours, s.steps * s.d_steps) == (10, 350_000)


def test_stl10_is_trained_on_with_its_unlabelled_images_and_scored_by_half_of_them(catalog: Catalog) -> None:
    experiment = resolve(catalog, plugin="pgmgan", recipe="sngan", dataset="stl10")
    s = settings_of(catalog, "sngan", "stl10")
    assert described_problem(catalog, experiment).n_train == 105_000
    assert s.pretext.steps * s.pretext.batch_size == 500 * 105_000
    assert round(s.partition.steps * s.partition.batch_size / 105_000) == 100
    references, _ = open_references(catalog, ["pgmgan"])
    (fid,) = (found for found in references if found.row == "PGMGAN" and found.protocol.key == "fid-stl10")
    printed = fid.protocol.fields
    assert (s.evaluation.split, s.evaluation.real_samples) == (printed["split"], printed["real_count"])
    assert s.train_split == s.evaluation.split


def test_imagenet_as_published(catalog: Catalog) -> None:
    s = settings_of(catalog, "biggan", "folder:PATH")
    images = 1_281_167
    assert (s.partitions, s.batch_size) == (1000, 8 * 256)
    assert round(s.pretext.steps * s.pretext.batch_size / images) == 500
    assert round(s.partition.steps * s.partition.batch_size / images) == 100


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("sngan-unguided", {"guide.weight": 0.0}),
        ("sngan-random", {"guide.weight": 0.0, "partitioning": "random", "rejection": "off"}),
        ("sngan-k50", {"partitions": 50}),
        ("sngan-k100", {"partitions": 100}),
    ],
)
def test_rows_differ_in_what_they_are_named_after_and_nothing_else(
    catalog: Catalog, recipe: str, changes: dict[str, Any]
) -> None:
    assert differences(catalog, recipe, "sngan", "cifar10") == changes


@pytest.mark.parametrize(("dataset", "k"), [("ring2d", 8), ("grid2d", 25)])
def test_toys_have_a_partition_a_mode_and_train_as_the_plain_gan_beside_them(
    catalog: Catalog, dataset: str, k: int
) -> None:
    s = settings_of(catalog, "mlp", dataset)
    assert (s.partitions, s.partitioning, s.rejection, s.guide.over) == (k, "kmeans", "off", None)
    plain = resolve(catalog, plugin="gan", recipe="mlp-nsgan", dataset=dataset).settings
    for key in ("backbone", "loss", "batch_size", "steps", "d_steps", "generator_adam", "discriminator_adam"):
        assert getattr(s, key) == getattr(plain, key), key


@pytest.mark.parametrize(
    ("recipe", "dataset", "expected"),
    [
        ("sngan", "cifar10", {"partitioner": 12_813_500, "generator": 4_888_067, "discriminator": 4_256_201}),
        ("mlp", "grid2d", {"generator": 500_002, "discriminator": 410_025}),
        ("mlp", "ring2d", {"generator": 499_458, "discriminator": 406_608}),
    ],
)
def test_networks_have_the_published_size(
    catalog: Catalog, recipe: str, dataset: str, expected: dict[str, int]
) -> None:
    networks = recipe_facts(catalog, f"pgmgan/{recipe}", dataset, "paper", [])["networks"]
    assert {name: networks[name]["parameters"] for name in expected} == expected


def test_every_own_number_on_data_at_hand_has_its_recipe(catalog: Catalog) -> None:
    references, problems = open_references(catalog)
    assert not problems
    own = [r for r in references if r.paper == "pgmgan" and not r.quoted_from and r.dataset != "imagenet128"]
    bound = {r.recipe for r in own if r.recipe}
    assert bound == {
        f"pgmgan/{name}"
        for name in ("sngan", "sngan-unguided", "sngan-random", "sngan-k50", "sngan-k100", "dcgan", "mlp")
    }
    assert {r.row for r in own if not r.recipe} <= {"Self-Cond-GAN"}  # whose it is, is not said
    for reference in own:
        if reference.recipe:
            settings = json.dumps(settings_of(catalog, reference.recipe, reference.dataset).model_dump())
            assert f'"partitions": {dict(reference.setting).get("k", json.loads(settings)["partitions"])}' in settings
    known = {recipe.id: recipe for recipe in RECIPES}
    assert all(r.dataset in known[r.recipe].datasets for r in own if r.recipe)
