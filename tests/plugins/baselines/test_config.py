"""What the baselines can be told, and what each refuses on one line."""

from __future__ import annotations

from typing import Any

import pytest
from harness_baselines.config import (
    ClusteringSettings,
    GanSettings,
    LogoGanSettings,
    MganSettings,
    PacGanSettings,
    RivalSettings,
    SelfCondSettings,
)
from harness_baselines.rival_recipes import LOGO_GAN, MGAN, PACGAN, SELF_COND

from harness import MethodSettings, SettingsError, validated
from harness.catalog import Catalog
from harness.experiment import completed, resolve

RIVALS: list[type[RivalSettings]] = [
    PacGanSettings,
    MganSettings,
    ClusteringSettings,
    SelfCondSettings,
    LogoGanSettings,
]
METHODS = ["pacgan", "mgan", "self-cond-gan", "logo-gan"]


@pytest.mark.parametrize("recipe", [recipe.id for group in (PACGAN, MGAN, SELF_COND, LOGO_GAN) for recipe in group])
def test_rivals_are_never_told_labels(catalog: Catalog, recipe: str) -> None:
    dataset = "ring2d" if "/mlp" in recipe else "cifar10"
    with pytest.raises(SettingsError, match="never told labels"):
        resolve(catalog, plugin=None, recipe=recipe, dataset=dataset, overrides={"conditional": True})


@pytest.mark.parametrize("settings", RIVALS)
def test_labels_are_refused_on_one_line_that_names_the_method_to_choose(settings: type[RivalSettings]) -> None:
    with pytest.raises(SettingsError) as caught:
        validated(settings, {"conditional": True}, "method 'rival'")
    assert "method 'rival': conditional: this method is never told labels; choose method 'gan'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not validated(settings, {"conditional": False}, "method 'rival'").conditional


def test_a_plain_gan_may_be_told_labels() -> None:
    assert validated(GanSettings, {"conditional": True}, "method 'gan'").conditional


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("optimiser", ["generator_adam", "discriminator_adam"])
def test_what_one_value_of_adam_changes_leaves_those_of_liu_et_al(
    catalog: Catalog, method: str, optimiser: str
) -> None:
    changed = getattr(completed(catalog, method, {optimiser: {"lr": 1e-3}}), optimiser)
    assert (changed.lr, changed.betas) == (1e-3, (0.0, 0.99))
    changed = getattr(completed(catalog, method, {optimiser: {"betas": [0.5, 0.9]}}), optimiser)
    assert (changed.lr, changed.betas) == (1e-4, (0.5, 0.9))


@pytest.mark.parametrize("method", METHODS)
def test_a_rival_has_no_average_unless_its_decay_is_set(catalog: Catalog, method: str) -> None:
    assert completed(catalog, method, {"ema": {"start": 5}}).ema.decay == 0
    assert completed(catalog, method, {"ema": {"decay": 0.9}}).ema.decay == 0.9


@pytest.mark.parametrize(
    ("settings", "values", "key"),
    [
        (GanSettings, {"passes": "three"}, "passes"),
        (GanSettings, {"d_steps": 0}, "d_steps"),
        (PacGanSettings, {"pack": 0}, "pack"),
        (MganSettings, {"generators": 1}, "generators"),  # a mixture of one leaves nothing to tell apart
        (MganSettings, {"fakes": 1}, "fakes"),  # a batch norm of ones own needs two rows
        (MganSettings, {"beta": -0.1}, "beta"),
        (ClusteringSettings, {"clusters": 0}, "clusters"),
        (ClusteringSettings, {"restarts": 0}, "restarts"),
        (SelfCondSettings, {"recluster_every": 0}, "recluster_every"),
        (LogoGanSettings, {"features": "pixels"}, "features"),
        (LogoGanSettings, {"autoencoder": {"share": 0.0}}, "autoencoder.share"),
        (LogoGanSettings, {"autoencoder": {"adam": {"betas": [0.9, 1.0]}}}, "autoencoder.adam.betas"),
        (LogoGanSettings, {"components": 0}, "components"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    settings: type[MethodSettings], values: dict[str, Any], key: str
) -> None:
    with pytest.raises(SettingsError, match=f"setting '{key}[^ ]*' of method 'x': .*given: ") as caught:
        validated(settings, values, "method 'x'")
    assert "\n" not in str(caught.value)
