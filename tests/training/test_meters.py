"""Means of a step's numbers, and the loss term that stopped being finite first."""

from __future__ import annotations

import math

import pytest
import torch

from harness.catalog import Catalog
from harness.training.meters import Meters
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

CPU = torch.device("cpu")


@pytest.fixture
def ctx(catalog: Catalog) -> RunContext:
    return RunContext(catalog, Runtime(CPU), seed=0)


def test_unread_sums_survive_a_checkpoint(ctx, catalog):
    ctx.log(beta=1.0)
    other = RunContext(catalog, Runtime(torch.device("cpu")), seed=0)
    other.meters.load_state_dict(ctx.meters.state_dict())
    other.log(beta=4.0)
    assert other.meters.drain() == {"beta": 2.5}


def test_what_is_saved_stays_as_it_was_when_more_is_added() -> None:
    meters, later = Meters(CPU), Meters(CPU)
    meters.value("beta", 1.0)
    state = meters.state_dict()
    meters.value("beta", 5.0)
    later.load_state_dict(state)
    later.value("beta", 3.0)
    assert (meters.drain(), later.drain()) == ({"beta": 3.0}, {"beta": 2.0})
    assert state == {"sums": {"beta": torch.tensor(1.0)}, "counts": {"beta": 1}}


def test_each_name_has_the_mean_of_its_own_numbers_since_the_last_line() -> None:
    meters = Meters(CPU)
    for number in (1.0, torch.tensor(2.0), torch.tensor(6.0, dtype=torch.float64)):
        meters.value("often", number)
    meters.value("once", 7)
    assert meters.drain() == {"often": 3.0, "once": 7.0}
    meters.value("once", 8)
    assert meters.drain() == {"once": 8.0}


def test_a_number_keeps_no_graph() -> None:
    weight = torch.ones((), requires_grad=True)
    meters = Meters(CPU)
    meters.value("a", weight * 2)
    meters.term("b", weight * 3, step=0)
    assert not any(total.requires_grad for total in meters.state_dict()["sums"].values())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_term_that_was_bad_once_is_reported_with_its_first_step(bad: float) -> None:
    meters = Meters(CPU)
    for step, value in enumerate([1.0, bad, 1.0, bad]):
        meters.term("d/adversarial", torch.tensor(value), step)
    assert meters.bad_term() == ("d/adversarial", 1)
    meters.drain()
    assert meters.bad_term() == ("d/adversarial", 1)


def test_of_several_bad_terms_the_earliest_is_named() -> None:
    meters = Meters(CPU)
    for step in range(4):
        for name, first_bad in (("a", 3), ("b", 2), ("c", 4)):
            meters.term(name, torch.tensor(math.nan if step >= first_bad else 0.0), step)
    assert meters.bad_term() == ("b", 2)
    assert meters.terms == {"a", "b", "c"}


def test_a_number_that_is_no_loss_may_be_anything() -> None:
    meters = Meters(CPU)
    meters.value("ratio", math.inf)
    assert meters.bad_term() is None
    assert meters.terms == frozenset()
    assert meters.drain() == {"ratio": math.inf}
