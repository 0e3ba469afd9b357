"""The invertible network: inverse, bounds on how much it brings apart inputs together, and ActNorm's first batch."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from harness_pgmgan.invertible import (
    ActNorm,
    InvertibleNet,
    ResidualBlock,
    Squeeze,
    invertible_images,
    invertible_points,
)
from harness_pgmgan.operator_norm import CappedConv, CappedLinear, settle_norms
from torch import Tensor, nn

from harness import SettingsError

SHAPE, CAP = (2, 8, 8), 0.9


def images(n: int = 4) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(n, *SHAPE, dtype=torch.float64)


def points(n: int = 50) -> Tensor:
    torch.manual_seed(1)
    return 3 * torch.randn(n, 2, dtype=torch.float64) + 1


def grown(net: InvertibleNet, x: Tensor) -> InvertibleNet:
    """The network after its first batch, with weights so large that every cap is at work."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, CappedConv | CappedLinear):
                module.weight.mul_(4.0)
    net.double()(x)
    settle_norms(net, 300)
    return net.eval()


def image_net(groups: int = 3, blocks: int = 2) -> InvertibleNet:
    torch.manual_seed(0)
    return grown(invertible_images(SHAPE, width=6, groups=groups, blocks=blocks), images())


def point_net() -> InvertibleNet:
    torch.manual_seed(0)
    return grown(invertible_points(2), points())


CASES = pytest.mark.parametrize(("make", "data"), [(image_net, images), (point_net, points)], ids=["images", "points"])
Make, Data = Callable[[], InvertibleNet], Callable[[], Tensor]


# -- the whole network -----------------------------------------------------------------------------------


@CASES
def test_the_inverse_recovers_the_inputs(make: Make, data: Data) -> None:
    net, x = make(), data()
    features = net(x)
    assert (features.flatten(1) - x.flatten(1)).norm() > 0.5 * x.norm()  # it is far from the identity
    torch.testing.assert_close(net.inverse(features), x, rtol=0, atol=1e-9)


@CASES
def test_features_of_inverted_features_are_themselves(make: Make, data: Data) -> None:
    net = make()
    y = torch.randn_like(net(data()))
    torch.testing.assert_close(net(net.inverse(y)), y, rtol=0, atol=1e-9)


def test_no_inverse_while_passes_change_weights() -> None:
    with pytest.raises(RuntimeError, match="eval mode"):
        image_net().train().inverse(images())


def test_as_many_features_as_inputs_at_half_the_resolution_a_group() -> None:
    net = image_net()
    assert net.shape == (32, 2, 2)
    assert net(images()).shape == (4, *net.shape)
    assert point_net().shape == (2,)
    with torch.device("meta"):
        assert invertible_images((3, 48, 48)).shape == (768, 3, 3)


def test_the_jacobian_is_as_far_from_singular_as_the_blocks_promise() -> None:
    net = point_net()
    bound = 1.0
    for layer in net.layers:
        assert isinstance(layer, ResidualBlock)
        bound *= (1 - CAP**3) * layer.norm.log_scale.exp().min().item()
    assert bound > 0
    for row in points(20):
        jacobian = torch.autograd.functional.jacobian(lambda x: net(x[None])[0], row)
        assert torch.linalg.svdvals(jacobian)[-1] >= bound


def test_blocks_and_squeezes_are_where_they_should_be() -> None:
    kinds = [type(layer).__name__ for layer in image_net().layers]
    assert kinds == ["ResidualBlock"] * 2 + (["Squeeze"] + ["ResidualBlock"] * 2) * 2


@CASES
def test_only_the_first_block_sees_its_input_without_an_activation(make: Make, data: Data) -> None:
    blocks = [layer for layer in make().layers if isinstance(layer, ResidualBlock)]
    starts = [type(next(iter(block.branch.children()))) for block in blocks]
    assert starts[0] in (CappedConv, CappedLinear)
    assert set(starts[1:]) == {nn.ELU}


def test_a_block_of_images_is_three_by_three_one_by_one_three_by_three_on_maps_of_its_size() -> None:
    block = image_net().layers[3]
    layers = [layer for layer in block.modules() if isinstance(layer, CappedConv)]
    assert [(c.in_channels, c.out_channels, c.kernel_size) for c in layers] == [
        (8, 6, (3, 3)),
        (6, 6, (1, 1)),
        (6, 8, (3, 3)),
    ]
    assert layers[0].limit.v.shape == (1, 8, 4, 4)


@pytest.mark.parametrize(("shape", "groups", "most"), [((1, 28, 28), 5, 3), ((3, 32, 16), 6, 5), ((1, 9, 8), 2, 1)])
def test_sides_that_cannot_be_halved_are_an_error_with_a_remedy(
    shape: tuple[int, int, int], groups: int, most: int
) -> None:
    with pytest.raises(SettingsError, match=f"{shape[1]} x {shape[2]} pixels .* at most {most} groups"):
        invertible_images(shape, groups=groups, width=2)
    with torch.device("meta"):
        invertible_images(shape, groups=most, width=2)


def test_points_are_refused_by_the_network_of_images() -> None:
    with pytest.raises(SettingsError, match="shape \\[2\\]"):
        invertible_images((2,))


# -- blocks ----------------------------------------------------------------------------------------------


@CASES
def test_a_block_keeps_inputs_apart(make: Make, data: Data) -> None:
    block = make().layers[1]
    assert isinstance(block, ResidualBlock)
    with torch.no_grad():
        block.norm.log_scale.add_(torch.linspace(-0.5, 0.5, len(block.norm.log_scale)))
    x = data()
    bound = (1 - CAP**3) * block.norm.log_scale.exp().min().item()
    top = (1 + CAP**3) * block.norm.log_scale.exp().max().item()
    for size in (1e-4, 1e-2, 1.0, 100.0):
        y = x + size * torch.randn_like(x)
        far, near = (block(x) - block(y)).flatten(1).norm(dim=1), (x - y).flatten(1).norm(dim=1)
        assert (far >= bound * near).all()
        assert (far <= top * near).all()


def test_an_uncapped_branch_would_fold_and_the_capped_one_does_not() -> None:
    # g(x) = -w x in one dimension: x + g(x) turns around at w = 1
    branch = CappedLinear(1, 1, cap=CAP, iterations=5)
    with torch.no_grad():
        branch.weight.fill_(-3.0)
        branch.bias.zero_()
    block = ResidualBlock(1, branch).eval()
    assert block(torch.ones(1, 1)).item() == pytest.approx(0.1, rel=1e-5)


def test_a_squeeze_moves_pixels_to_channels() -> None:
    x = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    y = Squeeze()(x)
    assert y.shape == (2, 12, 2, 3)
    for c in range(3):
        for a in range(2):
            for b in range(2):
                assert torch.equal(y[:, 4 * c + 2 * a + b], x[:, c, a::2, b::2])
    assert torch.equal(Squeeze().inverse(y, 0), x)


# -- actnorm ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 3), (16, 3, 4, 5)])
def test_the_first_training_batch_gives_mean_0_and_variance_1(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    norm = ActNorm(3)
    scale = torch.tensor([0.1, 1.0, 30.0]).view(1, 3, *[1] * (len(shape) - 2))
    x = scale * torch.randn(shape) - 5 * scale
    y = norm(x).transpose(0, 1).flatten(1)
    torch.testing.assert_close(y.mean(1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones(3))
    torch.testing.assert_close(norm.inverse(norm(x), 0), x)


def test_later_batches_do_not_set_it_again() -> None:
    norm = ActNorm(3)
    norm(torch.randn(8, 3))
    kept = copy.deepcopy(norm.state_dict())
    norm(torch.randn(8, 3) * 7 + 2)
    for name, value in norm.state_dict().items():
        assert torch.equal(value, kept[name])


def test_a_loaded_one_does_not_start_anew() -> None:
    norm, other = ActNorm(3), ActNorm(3)
    norm(torch.randn(8, 3))
    other.load_state_dict(norm.state_dict())
    x = torch.randn(8, 3) * 7 + 2
    assert torch.equal(other(x), norm(x))


def test_one_that_is_set_back_to_before_its_first_batch_starts_anew() -> None:
    norm = ActNorm(3)
    fresh = copy.deepcopy(norm.state_dict())
    net = nn.Sequential(norm)
    norm(torch.randn(8, 3))
    net.load_state_dict({f"0.{name}": value for name, value in fresh.items()})
    x = torch.randn(8, 3) * 7 + 2
    torch.testing.assert_close(norm(x).std(0, correction=0), torch.ones(3))


def test_no_start_in_eval_mode() -> None:
    norm = ActNorm(3).eval()
    x = torch.randn(8, 3)
    assert torch.equal(norm(x), x)
    assert not norm.initialised


def test_a_constant_channel_is_only_shifted() -> None:
    norm = ActNorm(2)
    y = norm(torch.tensor([[3.0, 1.0], [3.0, 2.0]]))
    torch.testing.assert_close(y, torch.tensor([[0.0, -1.0], [0.0, 1.0]]))


def test_the_first_batch_takes_part_in_the_graph_like_any_other() -> None:
    norm = ActNorm(3)
    norm(torch.randn(8, 3)).square().sum().backward()
    assert norm.log_scale.grad is not None
    # d sum(y^2) / d log_scale = 2 sum (y - shift) y, at mean 0 and variance 1 twice the count
    torch.testing.assert_close(norm.log_scale.grad, torch.full((3,), 16.0))
