"""Batch norms on two devices with half of the batch each, against torch's own on the whole batch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from torch import Tensor, nn

from harness.training.shared_batch_norm import share_batch_norms


class Devices:
    """Two threads, each of which is a device: what one gathers is what both hold, in order, with gradients to both."""

    def __init__(self) -> None:
        self.held: dict[int, Tensor] = {}
        self.met = Barrier(2, timeout=20)

    def gather(self, rank: int) -> Callable[[Tensor], Tensor]:
        def rows(value: Tensor) -> Tensor:
            self.held[rank] = value
            self.met.wait()
            both = torch.cat([self.held[0], self.held[1]])
            self.met.wait()
            return both

        return rows

    def run(self, network: nn.Module, x: Tensor) -> tuple[Tensor, list[nn.Module]]:
        """The network's outputs on both halves, and its two copies."""
        copies = [copy.deepcopy(network) for _ in range(2)]
        for rank, own in enumerate(copies):
            share_batch_norms(own, self.gather(rank), lambda: True)
        with ThreadPoolExecutor(2) as threads:
            return torch.cat(list(threads.map(lambda own, half: own(half), copies, x.chunk(2)))), copies


CASES = {
    "points": (nn.BatchNorm1d(3), (8, 3)),
    "images": (nn.BatchNorm2d(3), (8, 3, 5, 4)),
    "no affine": (nn.BatchNorm2d(3, affine=False), (8, 3, 5, 4)),
    "plain average": (nn.BatchNorm2d(3, momentum=None), (8, 3, 5, 4)),
    "no running statistics": (nn.BatchNorm1d(3, track_running_stats=False), (8, 3)),
}


@pytest.mark.parametrize("case", CASES)
def test_two_devices_normalise_as_one(case: str) -> None:
    norm, shape = CASES[case]
    torch.manual_seed(0)
    network = nn.Sequential(copy.deepcopy(norm), nn.Tanh())
    if norm.affine:
        nn.init.normal_(network[0].weight)
        nn.init.normal_(network[0].bias)
    x = (torch.randn(shape) * 3 + 2).requires_grad_()
    weights = torch.randn(shape)  # so that the loss is no function of the normalised batch's mean and variance
    for _ in range(2):  # the second pass moves running statistics that are no longer the initial ones
        found, copies = Devices().run(network, x)
        expected = network(x)
        torch.testing.assert_close(found, expected)
        ours = torch.autograd.grad((found * weights).sum(), [x, *(p for own in copies for p in own.parameters())])
        theirs = torch.autograd.grad((expected * weights).sum(), [x, *network.parameters()])
        torch.testing.assert_close(ours[0], theirs[0], rtol=1e-4, atol=1e-5)
        for number, gradient in enumerate(theirs[1:]):
            torch.testing.assert_close(ours[1 + number] + ours[1 + len(theirs) - 1 + number], gradient)
        for own in copies:
            for (name, value), (_, whole) in zip(own.named_buffers(), network.named_buffers(), strict=True):
                torch.testing.assert_close(value, whole, msg=lambda said, name=name: f"{name}: {said}")
        network = copies[0]
        for module in network.modules():
            module.__dict__.pop("forward", None)  # torch's own again


def refuse(_: Tensor) -> Tensor:
    raise AssertionError("another device would have to answer")


@pytest.mark.parametrize(("training", "stepping"), [(True, False), (False, True), (False, False)])
def test_outside_a_step_and_in_evaluation_a_device_is_by_itself(training: bool, stepping: bool) -> None:
    shared = nn.BatchNorm2d(3).train(training)
    own = copy.deepcopy(shared)
    share_batch_norms(shared, refuse, lambda: stepping)
    x = torch.randn(4, 3, 2, 2)
    assert torch.equal(shared(x), own(x))
    assert torch.equal(shared.running_var, own.running_var)


def test_half_precision_is_normalised_in_float32_and_returned_as_it_came() -> None:
    norm = nn.BatchNorm2d(3)
    share_batch_norms(norm, lambda rows: rows, lambda: True)
    x = (torch.randn(16, 3, 8, 8) * 0.1 + 200).bfloat16()
    found = norm(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), nn.BatchNorm2d(3)(x.float()), rtol=1e-2, atol=1e-2)
