"""What the losses' registry promises is there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from opening import CPU

from harness.builtin.losses.registry import SPECS
from harness.contracts.specs import LossSpec, PenaltySpec
from harness.plugins import import_module
from harness.training.attached_companions import Companions
from harness.training.batch_draws import BatchDraws
from harness.training.losses import Loss

LOSSES = [spec for spec in SPECS if isinstance(spec, LossSpec)]
PENALTIES = [spec for spec in SPECS if isinstance(spec, PenaltySpec)]


def test_the_names_are_those_of_the_field():
    assert [spec.name for spec in LOSSES] == ["hinge", "nsgan", "wgan", "lsgan", "rpgan", "omni", "selected-logit"]
    assert [spec.name for spec in PENALTIES] == ["r1", "r2", "r1r2", "gp"]


@pytest.mark.parametrize("spec", LOSSES, ids=lambda spec: spec.name)
def test_every_loss_is_a_pair_of_scalar_functions_of_logits(spec, catalog):
    loss, labels = Loss(catalog, spec.name, Companions(), SimpleNamespace(step=0)), torch.tensor([0, 2])
    outputs = loss.head(3)["outputs"]
    logits = torch.tensor([[0.3, -0.4]]).T.expand(2, outputs).squeeze(1)
    assert loss.discriminator(logits, -logits, labels, labels).shape == ()
    assert loss.generator(logits, labels, real=-logits).shape == ()
    assert loss.score(logits, labels).shape == (2,)


@pytest.mark.parametrize("spec", PENALTIES, ids=lambda spec: spec.name)
def test_every_penalty_is_a_scalar_function_of_critic_real_and_fake(spec):
    penalty = import_module(spec.penalty)
    value = penalty(lambda x: x.square().sum(1), torch.ones(3, 2), torch.zeros(3, 2), BatchDraws(CPU))
    assert value.shape == ()
    assert value >= 0
