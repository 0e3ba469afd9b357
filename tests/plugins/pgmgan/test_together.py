"""What the devices of a run agree on beside gradients."""

from __future__ import annotations

import torch
from harness_pgmgan.invertible import ActNorm
from harness_pgmgan.together import set_up_together
from torch import nn


def test_an_actnorm_starts_from_the_batches_of_all_devices():
    x = torch.randn(8, 3) * 4 + 2
    own, mean = x[:4], x.mean(0)
    #: what this device brings, and what all devices come to
    steps = iter([(own.mean(0), mean), ((own - mean).square().mean(0), (x - mean).square().mean(0))])

    def over_devices(value):
        brought, common = next(steps)
        torch.testing.assert_close(value, brought)
        return common

    whole, shared = ActNorm(3), nn.Sequential(ActNorm(3))
    set_up_together(shared, over_devices)
    torch.testing.assert_close(shared(own), whole(x)[:4])
