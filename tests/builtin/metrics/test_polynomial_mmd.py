from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_kid import kernel_mmd

from harness.builtin.metrics.polynomial_mmd import VALUES, squared_mmd
from harness.errors import EvaluationError

KERNEL = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}


def cloud(n: int, seed: int, d: int = 16, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def mmd(real: Tensor, generated: Tensor, rows: int | None = None) -> float:
    return squared_mmd(real=real, generated=generated, rows=rows).squared


def test_agrees_with_torch_fidelity_on_equal_counts() -> None:
    real, generated = cloud(200, 0), cloud(200, 1, shift=0.2)
    assert mmd(real, generated) == pytest.approx(kernel_mmd(real.numpy(), generated.numpy(), **KERNEL), rel=1e-9)


def test_three_points_have_a_closed_form_at_unequal_counts() -> None:
    real, generated = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [0.0, 0.0], [2.0, 0.0]])
    # inner products over d = 2, plus 1, cubed
    among_real = 1.0
    among_generated = (1.0 + 2.0**3 + 1.0) / 3
    across = (1.5**3 + 1.5**3 + 1.0 + 1.0 + 2.0**3 + 1.0) / 6
    assert mmd(real, generated) == pytest.approx(among_real + among_generated - 2 * across, rel=1e-12)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_the_size_of_a_band_changes_nothing(rows: int) -> None:
    real, generated = cloud(130, 0), cloud(90, 1, shift=0.3)
    assert mmd(real, generated, rows) == pytest.approx(mmd(real, generated), rel=1e-12)


def test_is_symmetric_in_its_sets() -> None:
    real, generated = cloud(130, 0), cloud(90, 1, shift=0.3)
    assert mmd(real, generated) == pytest.approx(mmd(generated, real), rel=1e-12)


def test_has_no_bias_at_few_samples() -> None:
    found = torch.tensor([mmd(cloud(12, 2 * seed), cloud(9, 2 * seed + 1)) for seed in range(600)])
    assert abs(float(found.mean())) < 3.5 * float(found.std()) / 600**0.5
    assert 0.3 < float((found < 0).double().mean()) < 0.7


def test_influences_sum_to_the_generated_part_of_the_distance() -> None:
    real, generated = cloud(50, 0), cloud(40, 1, shift=0.3)
    found = squared_mmd(real=real, generated=generated)
    # the part that one more sample at g would have: derivative in the weight of that sample
    without = [mmd(real, torch.cat([generated[:i], generated[i + 1 :]])) for i in range(40)]
    jackknifed = -39 * (torch.tensor(without, dtype=torch.float64) - found.squared)
    centred = found.influence - found.influence.mean()
    assert torch.allclose(centred, jackknifed - jackknifed.mean(), rtol=0.06, atol=0.06 * float(centred.std()))


def test_no_more_than_a_band_of_values_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    import harness.builtin.metrics.polynomial_mmd as module

    plain, sizes = module.polynomial_kernel, []

    def watched(a: Tensor, b: Tensor) -> Tensor:
        sizes.append(len(a) * len(b))
        return plain(a, b)

    monkeypatch.setattr(module, "polynomial_kernel", watched)
    mmd(cloud(4000, 0, d=1), cloud(3000, 1, d=1))
    assert max(sizes) <= VALUES
    assert sum(sizes) == 4000**2 + 3000**2 + 4000 * 3000


@pytest.mark.parametrize(("real", "generated", "message"), [(1, 5, "2 real samples, not 1"), (5, 0, "generated")])
def test_one_sample_is_refused(real: int, generated: int, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        mmd(cloud(real, 0), cloud(generated, 1))


def test_features_of_different_networks_are_refused() -> None:
    with pytest.raises(EvaluationError, match="features of 16 and of 8 dimensions"):
        mmd(cloud(5, 0), cloud(5, 1, d=8))
