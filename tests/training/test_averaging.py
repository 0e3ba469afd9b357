"""Weight averaging."""

from __future__ import annotations

import torch
from torch import nn

from harness.training.averaging import Average


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_the_average_follows_its_recurrence():
    net = network()
    average = Average(net, decay=0.75)
    expected = net[0].weight.clone()
    for step in range(3):
        with torch.no_grad():
            net[0].weight.add_(1.0)
        average.update(net, step)
        expected = 0.75 * expected + 0.25 * net[0].weight
    assert torch.allclose(average.module[0].weight, expected, atol=1e-6)


def test_before_the_start_it_is_a_copy():
    net = network()
    average = Average(net, decay=0.9, start=2)
    for step in range(2):
        with torch.no_grad():
            net[0].weight.mul_(2.0)
        average.update(net, step)
        assert torch.equal(average.module[0].weight, net[0].weight)


def test_running_statistics_are_averaged_and_counters_copied():
    net = network()
    average = Average(net, decay=0.5)
    before = average.module[1].running_mean.clone()
    net(torch.randn(8, 2) + 5)
    average.update(net, 0)
    assert torch.allclose(average.module[1].running_mean, 0.5 * before + 0.5 * net[1].running_mean)
    assert average.module[1].num_batches_tracked == 1


def test_it_never_trains_and_is_not_the_network_itself():
    net = network()
    average = Average(net, decay=0.5)
    assert not any(p.requires_grad for p in average.module.parameters())
    assert not average.module.training
    with torch.no_grad():
        net[0].weight.zero_()
    assert average.module[0].weight.abs().sum() > 0


def test_its_state_goes_round():
    net = network()
    average, other = Average(net, 0.9), Average(network(), 0.9)
    other.load_state_dict(average.state_dict())
    assert torch.equal(other.module[0].weight, average.module[0].weight)
