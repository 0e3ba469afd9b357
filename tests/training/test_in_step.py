"""What must be equal on all devices: weights, declared tensors, and what objects of a method remember."""

from __future__ import annotations

import torch
from torch import nn

from harness.training.averaging import Average
from harness.training.in_step import held_in_step


class Controller:
    """Remembers a tensor and a number."""

    def __init__(self) -> None:
        self.beta = torch.ones(2)

    def state_dict(self) -> dict[str, object]:
        return {"beta": self.beta, "count": 3}


def test_parameters_tensors_and_what_objects_remember_and_nothing_that_follows_from_them() -> None:
    network, prior, controller = nn.BatchNorm1d(3), torch.zeros(4), Controller()
    adam = torch.optim.Adam(network.parameters())
    state = {"n": network, "prior": prior, "c": controller, "adam": adam, "average": Average(network, 0.9)}
    held = list(held_in_step(state))
    expected = [*network.parameters(), prior, controller.beta]
    assert [id(value) for value in held] == [id(value) for value in expected]
