from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from harness.evaluation import undisturbed


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout())


def test_modes_come_back_module_by_module() -> None:
    net = network().train()
    net[1].eval()
    with undisturbed({"net": net}):
        net.eval()
        net[1].train()
    assert [module.training for module in net] == [True, False, True]
    assert net.training


def test_buffers_come_back_in_place() -> None:
    net = network()
    storage = net[1].running_mean.data_ptr()
    with undisturbed({"net": net}):
        net.train()
        net(torch.randn(10, 2) + 5.0)
        assert float(net[1].running_mean.abs().sum()) > 0
    assert net[1].running_mean.data_ptr() == storage
    assert torch.equal(net[1].running_mean, torch.zeros(3))
    assert int(net[1].num_batches_tracked) == 0


def test_all_three_global_generators_come_back() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    with undisturbed({}):
        inside = draw()
    outside = draw()
    assert outside == inside
    random.setstate(before[0])
    np.random.set_state(before[1])
    torch.set_rng_state(before[2])


def test_an_exception_puts_everything_back_too() -> None:
    net = network().train()
    state = torch.get_rng_state()
    with pytest.raises(KeyError), undisturbed({"net": net}):  # noqa: PT012 - what happens before the error is the point
        net.eval()
        torch.rand(3)
        raise KeyError("x")
    assert net.training
    assert torch.equal(torch.get_rng_state(), state)


def test_a_module_shared_by_two_networks_keeps_its_mode() -> None:
    shared = nn.Linear(2, 2).train()
    with undisturbed({"a": nn.Sequential(shared), "b": nn.Sequential(shared)}):
        shared.eval()
    assert shared.training
