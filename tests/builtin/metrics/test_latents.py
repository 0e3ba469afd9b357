from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from linear_latents import Encoding, Linear, Scaled, matrix, values
from torch import Tensor
from torch.distributions import Normal

from harness.builtin.metrics.latents import (
    EncoderErrors,
    EncoderLoss,
    LatentEntropy,
    LatentScale,
    encoder_errors,
    encoder_loss,
    latent_entropy,
)
from harness.contracts.capabilities import Reconstructions, Samples
from harness.contracts.settings import EvaluationSettings
from harness.errors import EvaluationError
from harness.evaluation import Bench, GeneratedSet, Inapplicable, Measurement, MetricContext, Pair
from harness.randomness import Seeds

#: small, so that no image leaves [-1, 1]
SMALL = 0.01 * matrix(6, 16)


def planned(bench: Bench, metric: EncoderLoss | LatentEntropy) -> Measurement:
    (measurement,) = metric.measurements(MetricContext(bench, EvaluationSettings(samples=30, block=20)))
    return measurement


# -- entropy ---------------------------------------------------------------------------------------------


def test_entropy_is_that_of_a_normal_law_with_these_scales() -> None:
    scale = torch.tensor([0.5, 1.0, 1.3])
    oracle = float(Normal(torch.zeros(3), scale).entropy().sum())
    assert latent_entropy(scale=scale)["latent_entropy"].value == pytest.approx(oracle, rel=1e-6)


@pytest.mark.parametrize(("dimensions", "nats"), [(1024, 1453.0), (256, 363.2)])
def test_entropy_at_one_is_the_maximum_that_the_thesis_names(dimensions: int, nats: float) -> None:
    found = latent_entropy(scale=torch.ones(dimensions))["latent_entropy"]
    assert found.value == pytest.approx(nats, abs=0.05)
    assert found.details == {"maximum": pytest.approx(found.value), "dimensions": dimensions}


def test_no_scale_of_mean_square_one_has_more_and_some_are_below_zero() -> None:
    scale = matrix(1, 50)[0].abs()
    scale = scale / scale.square().mean().sqrt()
    found = latent_entropy(scale=scale)["latent_entropy"]
    assert found.value < found.details["maximum"]
    assert latent_entropy(scale=torch.full((4,), 0.01))["latent_entropy"].value < 0.0


def test_entropy_is_measured_on_the_method_s_scale(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Scaled(SMALL, torch.zeros(6), torch.full((6,), 0.5)))
    measurement = planned(at_hand, LatentEntropy())
    assert measurement.protocols["latent_entropy"].id == "latent_entropy[normal,nats]"
    expected = 6 * (math.log(0.5) + 0.5 * math.log(2 * math.pi * math.e))
    assert values(at_hand, measurement)["latent_entropy"].value == pytest.approx(expected)


@pytest.mark.parametrize("scale", [[1.0, 0.0], [1.0, -1.0], [1.0, float("nan")], [[1.0, 1.0]]])
def test_a_scale_that_is_none_is_refused(bench: Callable[..., Bench], scale: list[float]) -> None:
    with pytest.raises(EvaluationError, match="one finite, positive number for each latent dimension"):
        bench(Scaled(SMALL, torch.zeros(6), torch.tensor(scale))).get(LatentScale())


# -- encoder loss ----------------------------------------------------------------------------------------

WRONG = torch.tensor([0.1, 0.2, 0.0, 0.0, 0.0, 0.3])


def test_loss_is_the_mean_square_over_latents_and_samples(bench: Callable[..., Bench]) -> None:
    at_hand = bench(Encoding(SMALL, WRONG))
    measurement = planned(at_hand, EncoderLoss())
    assert measurement.protocols["encoder_loss"].id == "encoder_loss[30,unscaled,float32,unclipped,block20,bn-eval]"
    found = values(at_hand, measurement)["encoder_loss"]
    assert found.value == pytest.approx((0.01 + 0.04 + 0.09) / 6, rel=1e-3)
    assert at_hand.get(EncoderErrors(GeneratedSet(30, 20))).shape == (30,)


def test_errors_are_weighed_by_the_scale_where_there_is_one(bench: Callable[..., Bench]) -> None:
    scale = torch.tensor([2.0, 0.5, 1.0, 1.0, 1.0, 0.1])
    at_hand = bench(Scaled(SMALL, WRONG, scale))
    measurement = planned(at_hand, EncoderLoss())
    assert measurement.protocols["encoder_loss"].id == "encoder_loss[30,scaled,float32,unclipped,block20,bn-eval]"
    assert values(at_hand, measurement)["encoder_loss"].value == pytest.approx((0.04 + 0.01 + 0.0009) / 6, rel=1e-3)


def test_the_encoder_sees_images_as_they_are_made_even_beyond_the_range(bench: Callable[..., Bench]) -> None:
    large = 3.0 * matrix(6, 16)
    at_hand = bench(Encoding(large, WRONG))
    assert float(at_hand.get(GeneratedSet(30, 20)).images.abs().max()) > 3.0
    found = values(at_hand, planned(at_hand, EncoderLoss()))["encoder_loss"]
    assert found.value == pytest.approx((0.01 + 0.04 + 0.09) / 6, rel=1e-3)


def test_standard_error_is_that_of_the_mean_over_samples() -> None:
    errors = matrix(1, 50)[0].double().square()
    found = encoder_loss(generated=errors)["encoder_loss"]
    assert found.std_error == pytest.approx(float(errors.std()) / 50**0.5)
    assert found.std_error_of == "sampling"


def test_latents_of_any_shape_are_compared_element_by_element() -> None:
    given, found = matrix(5, 8).reshape(5, 2, 4), matrix(5, 8, seed=1).reshape(5, 2, 4)
    pair = Pair(torch.zeros(5), torch.zeros(5), given, found)
    assert torch.allclose(encoder_errors(pair), (given - found).double().square().mean((1, 2)))
    halved = encoder_errors(pair, torch.full((4,), 0.5))
    assert torch.allclose(halved, (given - found).double().square().mean((1, 2)) / 4)


def test_latents_that_cannot_be_compared_are_refused() -> None:
    given, found, images = torch.zeros(5, 8), torch.zeros(5, 4), torch.zeros(5, 1, 2, 2)
    with pytest.raises(EvaluationError, match=r"latents fed have shape \(8,\), those found \(4,\); return"):
        encoder_errors(Pair(images, images, given, found))
    with pytest.raises(EvaluationError, match=r"latents fed have shape None, those found \(4,\)"):
        encoder_errors(Pair(images, images, None, found))
    with pytest.raises(EvaluationError, match="and the scale has 3 dimensions"):
        encoder_errors(Pair(images, images, found, found), torch.ones(3))


def test_a_method_that_does_not_sample_has_no_encoder_loss(bench: Callable[..., Bench]) -> None:
    class Blind:
        networks: dict[str, object] = {}  # noqa: RUF012

        def reconstruct(self, images: Tensor) -> Reconstructions:
            return Reconstructions(images, images.flatten(1))

    with pytest.raises(Inapplicable, match="no capability 'sample'"):
        planned(bench(Blind()), EncoderLoss())


def test_latents_are_those_that_the_images_were_made_from(bench: Callable[..., Bench]) -> None:
    class Shuffled(Encoding):
        def sample(self, seeds: Seeds, conditions: Tensor | None = None) -> Samples:
            samples = Linear.sample(self, seeds)
            return samples._replace(latents=samples.latents.flip(0))

    straight, shuffled = (
        bench(kind(SMALL, torch.zeros(6))).get(EncoderErrors(GeneratedSet(40, 20))) for kind in (Encoding, Shuffled)
    )
    assert float(straight.max()) < 1e-4
    assert float(shuffled.mean()) == pytest.approx(2.0, rel=0.4)
