from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from linear_latents import Linear, matrix, values
from torch import Tensor

from harness.builtin.metrics.dimension import (
    ImageVariances,
    IntrinsicDimension,
    LayerVariances,
    intrinsic_dimension,
    principal_variances,
    strong,
)
from harness.builtin.metrics.spaces import points
from harness.contracts.settings import EvaluationSettings
from harness.data import LoadedDataset, Split
from harness.errors import EvaluationError
from harness.evaluation import Bench, GeneratedSet, MetricContext, StoredImages


class Layered(Linear):
    """Shows two layers: its latent, and its latent with two of six elements almost silent."""

    def layers(self, latents: Tensor, noise_seed: int) -> Mapping[str, Tensor]:
        return {"all": latents + 100.0, "four": latents * torch.tensor([1.0, 1, 1, 1, 0.05, 0.05])}


def oracle(rows: Tensor) -> np.ndarray:
    """Eigenvalues of numpy's covariance, largest first."""
    found = np.linalg.eigvalsh(np.cov(rows.double().numpy(), rowvar=False))[::-1]
    return np.clip(found, 0, None)[: min(rows.shape)]


@pytest.mark.parametrize(("count", "size"), [(50, 12), (12, 50), (20, 20), (21, 20), (2, 5000)])
def test_both_forms_agree_with_numpy(count: int, size: int) -> None:
    rows = matrix(count, size) * torch.linspace(0.01, 2, size) + 1000.0
    found = principal_variances(rows.reshape(count, 1, 1, size).split(7), count)
    assert found.dtype == torch.float64
    assert found.shape == (min(count, size),)
    if size < 100:
        assert found.numpy() == pytest.approx(oracle(rows), rel=1e-6, abs=1e-8)
    else:  # two rows have one axis: half of their squared distance
        assert float(found[0]) == pytest.approx(float((rows[0] - rows[1]).double().square().sum() / 2), rel=1e-9)


def test_rows_far_from_the_origin_keep_their_digits() -> None:
    rows = 1e-2 * matrix(50, 12).double()
    near, far = principal_variances([rows], 50), principal_variances((rows + 1e6).split(20), 50)
    assert torch.allclose(near, far, rtol=1e-6)


def test_one_row_or_infinite_ones_have_no_axes() -> None:
    with pytest.raises(EvaluationError, match="at least 2 samples, not 1"):
        principal_variances([torch.ones(1, 4)], 1)
    with pytest.raises(EvaluationError, match="NaN or infinite"):
        principal_variances([torch.ones(2, 4), torch.full((2, 4), float("nan"))], 4)


def test_variances_above_a_hundredth_of_the_largest_count() -> None:
    assert strong(torch.tensor([5.0, 0.06, 0.04])) == 2
    assert strong(torch.zeros(3)) == 0


def test_a_linear_generator_has_the_dimension_of_its_latents(bench: Callable[..., Bench]) -> None:
    spread = torch.diag(torch.tensor([1.0, 0.5, 0.2, 0.05, 0.01]))
    axes = torch.linalg.qr(matrix(16, 16)).Q[:5]
    at_hand = bench(Linear(spread @ axes))
    (measurement,) = IntrinsicDimension().measurements(
        MetricContext(at_hand, EvaluationSettings(samples=4000, block=500))
    )
    found = values(at_hand, measurement)["intrinsic_dimension"]
    assert (found.value, dict(found.details)) == (3.0, {"of": 16.0})
    assert measurement.protocols["intrinsic_dimension"].id == (
        "intrinsic_dimension[4000,above0.01max,float32,block500,bn-eval]"
    )
    assert measurement.counts() == {"generated": 4000}
    variances = at_hand.get(ImageVariances(GeneratedSet(4000, 500)))
    assert variances[:5].sqrt().tolist() == pytest.approx([1.0, 0.5, 0.2, 0.05, 0.01], rel=0.05)


def test_no_image_is_kept(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Linear(matrix(6, 16)))
    (measurement,) = IntrinsicDimension().measurements(MetricContext(at_hand, EvaluationSettings(samples=40, block=20)))
    at_hand.expect(measurement.evidence.values())
    values(at_hand, measurement)
    assert not at_hand.holds(GeneratedSet(40, 20))


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"samples": 30}, 30), ({"neighbours_samples": 20}, 20), ({"neighbours_samples": 50_000}, 10_000)],
)
def test_samples_are_as_many_as_the_settings_say_and_never_too_many(
    bench: Callable[..., Bench], settings: dict[str, Any], count: int
) -> None:
    offer = MetricContext(bench(Linear(matrix(6, 16))), EvaluationSettings(**settings))
    assert IntrinsicDimension().measurements(offer)[0].counts() == {"generated": count}


def test_layers_that_are_shown_are_counted_beside_it(bench: Callable[..., Bench]) -> None:
    trained = Layered(matrix(6, 16))
    at_hand = bench(trained)
    (measurement,) = IntrinsicDimension().measurements(MetricContext(at_hand, EvaluationSettings(samples=40, block=20)))
    assert measurement.evidence["layers"] == LayerVariances(51_200)
    # what 51,200 latents give, 3,000 give too, and faster
    evidence = {"generated": measurement.evidence["generated"], "layers": LayerVariances(3000)}
    made: dict[str, Any] = {role: at_hand.get(request) for role, request in evidence.items()}
    details = intrinsic_dimension(3000, **made)["intrinsic_dimension"].details
    assert details == {"of": 16.0, "dimension_all": 6.0, "dimension_four": 4.0, "layer_latents": 3000.0}


def test_the_protocol_is_the_same_with_and_without_layers(bench: Callable[..., Bench]) -> None:
    with_layers, without = (
        IntrinsicDimension().measurements(MetricContext(bench(kind(matrix(6, 16))), EvaluationSettings(samples=40)))[0]
        for kind in (Layered, Linear)
    )
    assert ("layers" in with_layers.evidence, "layers" in without.evidence) == (True, False)
    assert with_layers.protocols == without.protocols


def test_layers_are_gathered_over_all_latents(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Layered(matrix(6, 16)))
    found = at_hand.get(LayerVariances(3000))
    rows = trained_latents = points(at_hand, "z", "layers", range(3000), 0)
    assert found["all"].numpy() == pytest.approx(oracle(rows), rel=1e-6)
    scaled = trained_latents * torch.tensor([1.0, 1, 1, 1, 0.05, 0.05])
    assert found["four"].numpy() == pytest.approx(oracle(scaled), rel=1e-6)


def test_stored_images_are_looked_at_as_floats(bench: Callable[..., Bench], digits: LoadedDataset) -> None:
    whole = digits.finite("train")
    grey = Split(whole.values[:300], None, None, {})
    at_hand = bench(StoredImages(grey))
    (measurement,) = IntrinsicDimension().measurements(MetricContext(at_hand, EvaluationSettings()))
    found = values(at_hand, measurement)["intrinsic_dimension"]
    rows = torch.from_numpy(whole.values[:300]).flatten(1).double() / 127.5
    variances = oracle(rows)
    assert at_hand.get(measurement.evidence["generated"]).numpy() == pytest.approx(variances, rel=1e-4, abs=1e-6)
    assert found.value == float((variances > 0.01 * variances[0]).sum())


def test_a_collapsed_generator_has_dimension_zero_and_is_told_on(bench: Callable[..., Bench]) -> None:
    found = intrinsic_dimension(generated=bench(Linear(torch.zeros(6, 16))).get(ImageVariances(GeneratedSet(30, 10))))
    assert found["intrinsic_dimension"].value == 0.0
    assert found["intrinsic_dimension"].remark is not None
