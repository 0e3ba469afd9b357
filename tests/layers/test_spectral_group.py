"""All spectral norms of a network at once, against layers that each take their own step."""

from __future__ import annotations

import copy
from collections import Counter
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.layers.spectral import Conv, Embedding, Linear, Rows, SpectralNorm
from harness.layers.spectral_group import spectral_norms

LABELS = torch.tensor([0, 5, 5])


class Net(nn.Module):
    """Every kind of layer, and one that is not called unless asked."""

    def __init__(self, eps: float | None = 1e-12) -> None:
        super().__init__()
        self.together = True
        self.down = Conv(2, 4, 3, resample="down", eps=eps)
        self.up = Conv(4, 3, 3, resample="up", eps=eps)
        self.small = Conv(3, 3, 1, bias=False, eps=eps)
        self.linear = Linear(3, 5, eps=eps)
        self.embedding = Embedding(6, 5, eps=eps)
        self.rows = Rows(5, 6, eps=eps)
        self.spare = Linear(5, 2, eps=eps)

    def forward(self, x: torch.Tensor, spare: bool = False) -> torch.Tensor:
        with spectral_norms(self) if self.together else nullcontext():
            h = self.small(torch.tanh(self.up(torch.tanh(self.down(x)))))
            h = torch.tanh(self.linear(h.sum((2, 3))))
            found = (self.embedding(LABELS) * h).sum(1) + self.rows(h, LABELS)
            return found + self.spare(h).sum(1) if spare else found


def pair(eps: float = 1e-12) -> tuple[Net, Net]:
    """The same network, its norms taken together and one by one."""
    torch.manual_seed(0)
    together = Net(eps).double()
    alone = copy.deepcopy(together)
    alone.together = False
    return together, alone


def images(seed: int = 1) -> torch.Tensor:
    return torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def used(network: Net) -> list[nn.Parameter]:
    return [p for name, p in network.named_parameters() if not name.startswith("spare")]


def vectors(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.named_buffers() if name.endswith("normalise.u")}


def close(found, expected) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_passes_gradients_and_vectors_are_those_of_layers_on_their_own():
    together, alone = pair()
    for seed in range(3):
        found, expected = together(images(seed)), alone(images(seed))
        close(found, expected)
        close(
            torch.autograd.grad(found.square().sum(), used(together)),
            torch.autograd.grad(expected.square().sum(), used(alone)),
        )
        close(vectors(together), vectors(alone))
    assert not torch.equal(together.down.normalise.u, pair()[0].down.normalise.u)


@pytest.mark.parametrize("eps", [1e-6, 0.7])
def test_small_weights_are_divided_as_by_layers_on_their_own(eps):
    """With 0.7 both norms of the power iteration lie below the smallest that is divided by, in some layers."""
    together, alone = pair(eps)
    close(together(images()), alone(images()))
    found, expected = (
        torch.autograd.grad(network(images()).square().sum(), used(network)) for network in (together, alone)
    )
    close(found, expected)
    close(vectors(together), vectors(alone))


def test_the_gradient_of_a_gradient_penalty_is_right():
    def gradients(network: Net) -> tuple[torch.Tensor, ...]:
        x = images().requires_grad_()
        (of_images,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
        return torch.autograd.grad(of_images.square().sum(), used(network), allow_unused=True)

    together, alone = pair()
    for found, expected in zip(gradients(together), gradients(alone), strict=True):
        close(found, expected)


@pytest.mark.parametrize("order", [2, 3])
def test_higher_derivatives_in_the_weights_are_right(order):
    """Here the backward itself is differentiated."""

    def gradients(network: Net) -> tuple[torch.Tensor, ...]:
        value = network(images()).square().sum()
        for _ in range(order - 1):
            of_weights = torch.autograd.grad(value, used(network), create_graph=True)
            value = torch.stack([g.square().sum() for g in of_weights]).sum()
        return torch.autograd.grad(value, used(network))

    together, alone = pair()
    for found, expected in zip(gradients(together), gradients(alone), strict=True):
        close(found / expected.abs().max(), expected / expected.abs().max())


def test_several_passes_can_be_differentiated_together():
    together, alone = pair()
    gradients = []
    for network in (together, alone):
        real, fake = network(images(1)), network(images(2))
        gradients.append(torch.autograd.grad((real.exp() - fake).sum(), used(network)))
    close(*gradients)


def test_a_weight_may_change_between_the_pass_and_its_gradient():
    """Nothing of the pass refers to the weights, whose optimiser may have stepped since."""
    network, _ = pair()
    value = network(images()).sum()
    expected = torch.autograd.grad(value, network.linear.weight, retain_graph=True)
    with torch.no_grad():
        network.linear.weight.mul_(2)
    close(torch.autograd.grad(value, network.linear.weight), expected)


def test_a_layer_that_is_not_called_keeps_its_vector_and_has_no_gradient():
    network, _ = pair()
    before = vectors(network)
    network(images()).sum().backward()
    assert network.spare.weight.grad is None
    assert [name for name, u in vectors(network).items() if torch.equal(u, before[name])] == ["spare.normalise.u"]
    network(images(), spare=True).sum().backward()
    assert network.spare.weight.grad is not None
    assert not torch.equal(network.spare.normalise.u, before["spare.normalise.u"])


def test_in_eval_mode_the_step_is_taken_and_not_kept():
    together, alone = pair()
    before = vectors(together)
    close(together.eval()(images()), alone.eval()(images()))
    close(vectors(together), before)
    together.linear.train()  # each layer goes by its own mode
    together(images())
    moved = [name for name, u in vectors(together).items() if not torch.equal(u, before[name])]
    assert moved == ["linear.normalise.u"]


def test_without_gradients_the_step_is_taken_too():
    together, alone = pair()
    with torch.no_grad():
        close(together(images()), alone(images()))
    close(vectors(together), vectors(alone))


def test_frozen_weights_are_divided_and_nobody_works_out_their_gradients():
    together, alone = pair()
    for network in (together, alone):
        network.linear.requires_grad_(False)
    with spectral_norms(together):
        assert not together.linear.normalise(together.linear.weight).requires_grad
        assert together.small.normalise(together.small.weight).requires_grad
    alone.linear.normalise.sigma(alone.linear.weight)
    alone.small.normalise.sigma(alone.small.weight)
    found, expected = (
        torch.autograd.grad(network(images()).sum(), [p for p in used(network) if p.requires_grad])
        for network in (together, alone)
    )
    close(found, expected)


def test_a_copy_has_steps_of_its_own():
    network, _ = pair()
    network(images())
    other = copy.deepcopy(network).requires_grad_(False)
    before = vectors(network)
    assert not other(images()).requires_grad
    close(vectors(network), before)
    network(images())
    close(vectors(network), vectors(other))


def test_a_layer_called_twice_in_a_pass_takes_one_step():
    norm = pair()[0].linear
    alone = copy.deepcopy(norm)
    with spectral_norms(norm):
        first, second = norm.normalise(norm.weight), norm.normalise(norm.weight)
    assert first is second
    close(first, alone.normalise(alone.weight))
    close(norm.normalise.u, alone.normalise.u)


def test_a_layer_inside_another_group_keeps_what_it_was_given():
    network, _ = pair()
    with spectral_norms(network):
        outer = network.linear.normalise.given
        with spectral_norms(network.linear):
            assert network.linear.normalise.given is outer
        assert network.linear.normalise.given is outer


def test_another_weight_than_the_layers_own_takes_its_own_step():
    network, alone = pair()
    with spectral_norms(network):
        found = network.linear.normalise(network.linear.weight**2)
    close(found, alone.linear.normalise(alone.linear.weight**2))


def test_nothing_is_divided_that_a_layer_would_not_use():
    network, _ = pair()
    with spectral_norms(network):
        divided = {
            name for name, m in network.named_modules() if isinstance(m, SpectralNorm) and m.given.quotient is not None
        }
    assert divided == {f"{name}.normalise" for name in ("down", "up", "small", "linear", "spare")}


def test_nothing_is_left_behind_even_where_a_pass_fails():
    network, _ = pair()
    with pytest.raises(RuntimeError):
        network(torch.zeros(3, 5, 4, 4, dtype=torch.float64))
    assert all(m.given is None for m in network.modules() if isinstance(m, SpectralNorm))
    assert set(network.state_dict()) == set(Net().state_dict())


def test_a_network_without_spectral_norm_passes_through():
    network = Net(eps=None).double()
    with spectral_norms(network):
        assert network.linear.normalise(network.linear.weight) is network.linear.weight
    assert torch.isfinite(network(images())).all()


def test_norms_and_their_gradients_are_in_full_precision_under_autocast(monkeypatch):
    """On a GPU autocast would round the products of matrix and vector; on a CPU one can only see that it is off."""
    network, seen = pair()[0].float(), []
    for name in ("mv", "dot", "addr"):

        def watched(*given, true=getattr(torch, name), name=name, **more):
            seen.append((name, torch.is_autocast_enabled("cpu")))
            return true(*given, **more)

        monkeypatch.setattr(torch, name, watched)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with spectral_norms(network):
            inside = network.linear.normalise(network.linear.weight)
            assert torch.is_autocast_enabled("cpu")
        torch.autograd.grad(inside.square().sum(), network.linear.weight)
    assert set(seen) == {("mv", False), ("dot", False), ("addr", False)}
    assert inside.dtype == torch.float32


def test_on_the_meta_device_shapes_come_out():
    with torch.device("meta"):
        network = Linear(3, 5, eps=1e-12)
        with spectral_norms(network):
            found = network(torch.empty(2, 3))
    found.sum().backward()
    assert network.weight.grad.shape == (5, 3)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
def test_many_forward_derivatives_at_once_can_be_taken():
    together, alone = pair()
    x, directions = torch.randn(2, 3).double(), torch.randn(4, 2, 3).double()

    def derivatives(layer: Linear, context) -> torch.Tensor:
        def pass_of(at):
            with context(layer):
                return layer(at)

        with torch.no_grad():
            return torch.func.vmap(lambda direction: torch.func.jvp(pass_of, (x,), (direction,))[1])(directions)

    close(
        derivatives(together.linear.eval(), spectral_norms),
        derivatives(alone.linear.eval(), lambda layer: nullcontext()),
    )


class Counted(TorchDispatchMode):
    """Operations, without those that only look at memory in another way."""

    FREE = ("view", "_unsafe_view", "t", "transpose", "unsqueeze", "squeeze", "slice", "detach", "alias", "expand")

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.split("::")[1]
        if name not in self.FREE:
            self.found[name] += 1
        return function(*args, **(kwargs or {}))


def test_it_takes_a_third_of_the_operations():
    """Two products forward; a dot and an outer product backward; and a fixed number for all layers together."""
    counts = {}
    for together in (True, False):
        for layers in (4, 12):
            network = nn.ModuleList([Linear(5, 5, eps=1e-12) for _ in range(layers)])
            with Counted() as counted, spectral_norms(network) if together else nullcontext():
                quotients = [layer.normalise(layer.weight) for layer in network]
                torch.autograd.backward(quotients, [torch.ones(5, 5)] * layers)
            counts[together, layers] = counted.found.total()
    assert counts[True, 12] - counts[True, 4] <= 5 * 8
    assert counts[True, 12] < counts[False, 12] / 3
