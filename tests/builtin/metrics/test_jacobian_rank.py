from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from linear_latents import Linear, matrix, offer_of, values
from small_biggan import pair
from torch import Tensor

from harness import GeneratorSampler
from harness.builtin.metrics.jacobian_rank import LATENTS, JacobianRank, JacobianSpectra, Spectra, jacobian_rank
from harness.builtin.metrics.spaces import points
from harness.contracts.settings import EvaluationSettings
from harness.errors import EvaluationError
from harness.evaluation import Bench
from harness.randomness import derived_seed


class Layered(Linear):
    """Shows two layers: half of the latent, and its first element alone."""

    def layers(self, latents: Tensor, noise_seed: int) -> Mapping[str, Tensor]:
        return {"half": latents[:, : latents.shape[1] // 2].tanh(), "one": latents[:, :1]}


def of_spectrum(*singular: float) -> Tensor:
    """A matrix [d, 16] with these singular values."""
    left, right = torch.linalg.qr(matrix(len(singular), len(singular))).Q, torch.linalg.qr(matrix(16, 16, 1)).Q
    return left @ torch.diag(torch.tensor(singular)) @ right[: len(singular)]


def measured(bench: Bench) -> tuple[str, dict[str, float]]:
    (measurement,) = JacobianRank().measurements(offer_of(bench, EvaluationSettings(block=20), (1, 4, 4)))
    found = values(bench, measurement)["jacobian_rank"]
    return measurement.protocols["jacobian_rank"].id, {"value": found.value, **found.details}


def test_squares_above_a_hundredth_of_the_largest_square_count(bench: Callable[..., Bench]) -> None:
    # 0.11^2 and 0.2^2 are above 0.01, 0.09^2 is below, though 0.09 itself is above
    name, found = measured(bench(Linear(of_spectrum(1.0, 0.2, 0.11, 0.09, 1e-3))))
    assert name == "jacobian_rank[z,above0.01max,16latents,float32,block1,bn-eval]"
    assert found == {"value": 3.0, "of": 5.0}


def test_the_block_counts_where_statistics_are_gathered_from_blocks(bench: Callable[..., Bench]) -> None:
    offer = offer_of(bench(Linear(matrix(6, 16))), EvaluationSettings(block=20, batch_norm="standing"), (1, 4, 4))
    (measurement,) = JacobianRank().measurements(offer)
    assert measurement.protocols["jacobian_rank"].id.endswith(",block1,bn-standing,standing20]")


def test_layers_that_are_shown_have_ranks_beside_it(bench: Callable[..., Bench]) -> None:
    _, found = measured(bench(Layered(of_spectrum(1.0, 1.0, 1.0, 0.9, 0.01, 0.01))))
    assert found["value"] == 4.0
    assert found["rank_one"] == 1.0
    assert 1.0 < found["rank_half"] <= 3.0


def test_rank_is_a_mean_over_latents_with_its_error() -> None:
    images = torch.tensor([[1.0, 1.0, 0.0]] * 12 + [[1.0, 0.005, 0.0]] * 4, dtype=torch.float64)
    found = jacobian_rank(latents=Spectra(images, {}))["jacobian_rank"]
    assert found.value == 1.75
    assert found.std_error == pytest.approx(torch.tensor([2.0] * 12 + [1.0] * 4).std().item() / 4)
    assert found.std_error_of == "latents"


def test_every_latent_and_its_noise_are_of_their_own(bench: Callable[..., Bench]) -> None:
    class Bent(Linear):
        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            return super().generate(latents, noise_seed).tanh()

    trained = Bent(matrix(6, 16))
    found = bench(trained).get(JacobianSpectra(5, False, 20, "eval"))
    assert len(found.images[:, 0].unique()) == 5
    assert len(set(trained.noise_seeds)) == 5
    assert set(trained.sizes) == {1}
    assert found.layers == {}


def test_a_constant_generator_has_rank_zero_and_is_told_on() -> None:
    found = jacobian_rank(latents=Spectra(torch.zeros(LATENTS, 4), {}))["jacobian_rank"]
    assert found.value == 0.0
    assert found.remark is not None
    assert "the Jacobian is 0" in found.remark


def test_a_generator_that_cuts_the_gradient_is_told_on(bench: Callable[..., Bench]) -> None:
    class Cut(Linear):
        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            return super().generate(latents.detach(), noise_seed)

    at_hand = bench(Cut(matrix(6, 16)))
    (measurement,) = JacobianRank().measurements(offer_of(at_hand, EvaluationSettings(), (1, 4, 4)))
    assert values(at_hand, measurement)["jacobian_rank"].remark is not None


def test_an_infinite_derivative_is_refused(bench: Callable[..., Bench]) -> None:
    class Steep(Linear):
        def generate(self, latents: Tensor, noise_seed: int) -> Tensor:
            return (super().generate(latents, noise_seed) * 0.0).sqrt()

    with pytest.raises(EvaluationError, match="Jacobian of images has NaN or infinite values at latent 0"):
        bench(Steep(matrix(6, 16))).get(JacobianSpectra(2, False, 20, "eval"))


def test_a_real_backbone_is_measured_and_left_as_it_was(bench: Callable[..., Bench]) -> None:
    generator, _ = pair(8, conditions=3)
    generator.train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    trained = GeneratorSampler(generator, 3)
    found = bench(trained).get(JacobianSpectra(2, False, 20, "eval")).images
    assert all(module.training for module in generator.modules())
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
    assert all(parameter.grad is None for parameter in generator.parameters())
    latent, seed = points(bench(trained), "z", "jacobian", [1], 0), derived_seed("jacobian", 3, 1)
    generator.eval()
    oracle = torch.autograd.functional.jacobian(lambda z: trained.generate(z, seed), latent)
    squares = torch.linalg.svdvals(oracle.reshape(64, -1).double()).square()
    assert torch.allclose(found[1], squares, rtol=1e-3, atol=1e-6 * float(squares[0]))
