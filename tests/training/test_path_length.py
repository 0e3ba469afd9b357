"""Path length regularisation: against its closed form for linear generators, its gradient against differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness import PathLength
from harness.catalog import Catalog
from harness.contracts import Noise, PathLengthSettings, StyledGenerator
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime


class LinearStyles(StyledGenerator):
    """Images are a sum over layers of A_l w_l."""

    def __init__(self) -> None:
        super().__init__()
        self.latent_dim, self.n_styles, self.places = 3, 2, ()
        self.mapping = nn.Parameter(torch.eye(3))
        self.matrices = nn.Parameter(torch.randn(2, 3, 16, generator=torch.Generator().manual_seed(0)))

    def styles(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return latent.to(self.mapping.dtype) @ self.mapping

    def synthesise(self, styles: Tensor, noise: Noise | None = None) -> Tensor:
        return torch.einsum("nls,lsp->np", styles, self.matrices).unflatten(1, (1, 4, 4))


@pytest.fixture
def ctx(catalog: Catalog) -> RunContext:
    return RunContext(catalog, Runtime(torch.device("cpu")), 0)


def test_the_length_is_the_root_mean_square_over_layers_of_the_gradient(ctx: RunContext) -> None:
    generator, settings = LinearStyles(), PathLengthSettings(weight=2.0, every=4, decay=0.25)
    path = PathLength(settings, ctx)
    path.mean.fill_(0.5)
    torch.manual_seed(1)
    found = path.term(generator, torch.randn(5, 3), None)
    torch.manual_seed(1)
    torch.randn(5, 3)
    y = torch.randn(5, 1, 4, 4).flatten(1) / 4  # over the root of the pixels
    lengths = torch.einsum("np,lsp->nls", y, generator.matrices).square().sum(2).mean(1).sqrt()
    mean = 0.5 + 0.25 * (lengths.mean() - 0.5)
    torch.testing.assert_close(found, 2 * 4 * (lengths - mean).square().mean())
    torch.testing.assert_close(path.mean, mean.detach())


def test_its_gradient_is_that_of_differences_through_the_mean_too(ctx: RunContext) -> None:
    generator, settings = LinearStyles().double(), PathLengthSettings(weight=1.0, every=1, decay=0.5)
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))

    def term() -> Tensor:
        path = PathLength(settings, ctx)  # with a mean of 0 each time
        torch.manual_seed(3)
        return path.term(generator, z, None)

    (gradient,) = torch.autograd.grad(term(), generator.matrices)
    step, at = 1e-5, (1, 2, 7)
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            generator.matrices[at] += sign * step
        values.append(float(term()))
        with torch.no_grad():
            generator.matrices[at] -= sign * step
    assert float(gradient[at]) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-3)


def test_it_is_due_now_and_then_on_a_part_of_the_batch_and_never_without_weight(ctx: RunContext) -> None:
    path = PathLength(PathLengthSettings(weight=1.0, every=3, shrink=4), ctx)
    assert [path.due(step) for step in range(4)] == [True, False, False, True]
    assert (path.rows(10), path.rows(3)) == (2, 1)
    assert not PathLength(PathLengthSettings(), ctx).due(0)


def test_the_running_mean_is_kept(ctx: RunContext) -> None:
    first, second = (PathLength(PathLengthSettings(weight=1.0), ctx) for _ in range(2))
    first.mean.fill_(0.75)
    second.load_state_dict(first.state_dict())
    assert float(second.mean) == 0.75
