from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_kid import kid_features_to_metric

from harness.builtin.metrics.kernel import (
    KernelDistance,
    kd_of_all,
    kd_of_subsets,
    mmd_of_subsets,
    subset_indices,
)
from harness.builtin.metrics.kernel_settings import KernelSettings
from harness.catalog import Catalog
from harness.contracts.capabilities import Samples
from harness.contracts.settings import EvaluationSettings
from harness.data import load_dataset
from harness.errors import EvaluationError
from harness.evaluation import Bench, MetricContext
from harness.randomness import Seeds


def cloud(n: int, seed: int, d: int = 16, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_agrees_with_torch_fidelity_on_the_same_subsets() -> None:
    real, generated = cloud(500, 0), cloud(400, 1, shift=0.1)
    oracle = kid_features_to_metric(generated, real, kid_subsets=20, kid_subset_size=150, rng_seed=2020, verbose=False)
    draw = np.random.RandomState(2020)
    subsets = []
    for _ in range(20):
        theirs, ours = (torch.from_numpy(draw.choice(count, 150, replace=False)) for count in (400, 500))
        subsets.append((ours, theirs))
    found = mmd_of_subsets(real=real, generated=generated, subsets=subsets)
    assert float(found.mean()) == pytest.approx(oracle["kernel_inception_distance_mean"], rel=1e-9)
    assert float(found.std(correction=0)) == pytest.approx(oracle["kernel_inception_distance_std"], rel=1e-9)


def test_subsets_are_a_fixed_draw_without_replacement() -> None:
    first, again = (list(subset_indices(30, 25, 20, 100)) for _ in range(2))
    assert len(first) == 100
    for (ours, theirs), (same, _) in zip(first, again, strict=True):
        assert len(set(ours.tolist())) == len(set(theirs.tolist())) == 20
        assert int(ours.max()) < 30
        assert int(theirs.max()) < 25
        assert torch.equal(ours, same)
    assert len({tuple(ours.tolist()) for ours, _ in first}) == 100
    assert {index for ours, _ in first for index in ours.tolist()} == set(range(30))


def test_the_value_is_a_thousand_times_the_mean_over_subsets_with_its_spread() -> None:
    real, generated = cloud(60, 0), cloud(50, 1, shift=0.1)
    found = kd_of_subsets(40, 100, real=real, generated=generated)["kd"]
    values = 1000 * mmd_of_subsets(real=real, generated=generated, subsets=subset_indices(60, 50, 40, 100)).numpy()
    assert found.value == pytest.approx(values.mean())
    assert found.std_error == pytest.approx(values.std(ddof=1) / 10)
    assert found.std_error_of == "subsets"
    assert found.details["std_over_subsets"] == pytest.approx(values.std())


def test_subsets_that_are_the_whole_have_no_spread_and_say_so() -> None:
    real, generated = cloud(40, 0), cloud(40, 1)
    found = kd_of_subsets(40, 100, real=real, generated=generated)["kd"]
    assert found.value == pytest.approx(kd_of_all(real=real, generated=generated)["kd"].value)
    assert found.std_error is None
    assert found.remark == "every subset is the whole of both sets: 40 samples"


def test_subsets_and_the_whole_estimate_the_same() -> None:
    real, generated = cloud(400, 0), cloud(400, 1, shift=0.3)
    subsets, whole = (
        f["kd"]
        for f in (kd_of_subsets(200, 100, real=real, generated=generated), kd_of_all(real=real, generated=generated))
    )
    assert subsets.std_error is not None
    assert subsets.value == pytest.approx(whole.value, abs=4 * subsets.std_error)


def test_the_error_of_the_whole_is_the_spread_over_new_samples() -> None:
    real = cloud(300, 0, d=4)
    found = [kd_of_all(real=real, generated=cloud(150, seed, d=4, shift=0.4))["kd"] for seed in range(1, 200)]
    spread = float(torch.tensor([value.value for value in found]).std())
    errors = torch.tensor([value.std_error for value in found])
    assert float(errors.mean()) == pytest.approx(spread, rel=0.2)
    assert {value.std_error_of for value in found} == {"sampling"}


def test_two_samples_have_a_value_without_an_error() -> None:
    assert kd_of_all(real=cloud(5, 0), generated=cloud(2, 1))["kd"].std_error is None


def test_a_subset_larger_than_a_set_is_refused() -> None:
    with pytest.raises(EvaluationError, match="subsets of 40 need at least 40 generated samples, not 39"):
        kd_of_subsets(40, 100, real=cloud(50, 0), generated=cloud(39, 1))


class Noise:
    """Samples white noise of 8x8 pixels."""

    networks: dict[str, Any] = {}  # noqa: RUF012
    subject: dict[str, str] = {}  # noqa: RUF012

    def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
        latents = seeds.normal("latent", 1, 8, 8)
        return Samples(latents.tanh(), None, latents.flatten(1))


def offer_of(catalog: Catalog, **settings: Any) -> tuple[Bench, MetricContext]:
    bench = Bench(Noise(), load_dataset(catalog, "digits", Path("unused")), catalog, 0, "cpu")
    return bench, MetricContext(bench, EvaluationSettings(extractors=("pixels",), **settings))


def test_the_protocol_says_how_large_subsets_are_and_against_which_split(catalog: Catalog) -> None:
    _, offer = offer_of(catalog, samples=2000, neighbours_samples=500, split="both")
    ids = [each.protocols["kd"].id for each in KernelDistance(KernelSettings()).measurements(offer)]
    ending = "cubic,unbiased,uint8-round,block250,bn-eval]"
    assert ids == [
        f"kd_x1e3[pixels,native,train,1437x2000,100x1000,{ending}",
        f"kd_x1e3[pixels,native,train,500x500,full,{ending}",
        f"kd_x1e3[pixels,native,test,360x2000,100x360,{ending}",
        f"kd_x1e3[pixels,native,test,360x500,full,{ending}",
    ]


def test_noise_is_far_from_digits(catalog: Catalog) -> None:
    bench, offer = offer_of(catalog, samples=300, neighbours_samples=300)
    for measurement in KernelDistance(KernelSettings()).measurements(offer):
        evidence = {role: bench.get(request) for role, request in measurement.evidence.items()}
        value = measurement.compute(**evidence)["kd"]
        assert value.value > 10 * value.std_error  # type: ignore[union-attr, operator]


def test_on_inception_it_goes_by_the_papers_name(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    _, offer = offer_of(catalog, samples=50)
    plain = offer.spec("pixels")
    monkeypatch.setattr(offer, "spec", lambda name: replace(plain, inception=True))
    names = {each.protocols["kd"].metric for each in KernelDistance(KernelSettings()).measurements(offer)}
    assert names == {"kid_x1e3"}


def test_fewer_subsets_are_the_first_of_more_and_one_alone_has_no_error() -> None:
    real, generated = cloud(60, 0), cloud(50, 1, shift=0.1)
    every = list(subset_indices(60, 50, 40, 100))
    values = 1000 * mmd_of_subsets(real=real, generated=generated, subsets=every)
    seven = kd_of_subsets(40, 7, real=real, generated=generated)["kd"]
    assert seven.value == pytest.approx(float(values[:7].mean()))
    assert seven.std_error == pytest.approx(float(values[:7].std()) / 7**0.5)
    one = kd_of_subsets(40, 1, real=real, generated=generated)["kd"]
    assert (one.value, one.std_error) == (pytest.approx(float(values[0])), None)


def test_subsets_are_as_many_and_as_large_as_it_is_told(catalog: Catalog) -> None:
    bench, offer = offer_of(catalog, samples=300)
    subsets, _ = KernelDistance(KernelSettings(subsets=5, subset_size=20)).measurements(offer)
    assert ",1437x300,5x20,cubic," in subsets.protocols["kd"].id
    evidence = {role: bench.get(request) for role, request in subsets.evidence.items()}
    assert subsets.compute(**evidence)["kd"] == kd_of_subsets(20, 5, **evidence)["kd"]
