"""What every division of the data keeps of its promise, whichever way it comes about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch

from harness.training.loop import Training

Train = Callable[..., Training]

#: data set and recipe, by division
DIVISIONS: dict[str, tuple[str, str | None]] = {
    "graph": ("digits", None),
    "kmeans": ("ring2d", None),
    "random": ("digits", "sngan-random"),
}


class Divided(NamedTuple):
    """A division before its stages, and the training that it belongs to."""

    partition: Any
    training: Training


@pytest.fixture(params=DIVISIONS)
def divided(request: pytest.FixtureRequest, prepare: Train) -> Divided:
    training = prepare(*DIVISIONS[request.param])
    method: Any = training.method
    assert method.settings.partitioning == request.param
    return Divided(method.partition, training)


def test_stages_come_in_the_papers_order(prepare: Train) -> None:
    digits, ring = prepare("digits"), prepare("ring2d")
    assert [stage.name for stage in digits.stages] == ["pretext", "partition", "gan"]
    assert [stage.name for stage in ring.stages] == ["partition", "gan"]
    assert [stage.samples for stage in digits.stages] == [False, False, True]


def test_pi_is_uniform_until_the_data_are_divided(divided: Divided) -> None:
    k = divided.training.method.k  # type: ignore[attr-defined]
    assert divided.partition.prior.tolist() == pytest.approx([1 / k] * k)


def test_samples_follow_pi_as_it_will_be_once_it_is_counted(divided: Divided) -> None:
    trained: Any = divided.training.method.trained()  # asked for before anything is divided
    divided.partition.prior.zero_()[1] = 1.0
    assert trained.prior.tolist() == divided.partition.prior.tolist()


def test_each_item_has_one_of_k_parts_which_the_partitioner_has_a_logit_for(divided: Divided) -> None:
    k = divided.training.method.k  # type: ignore[attr-defined]
    batch = divided.training.data.at(torch.arange(30))
    with torch.no_grad():
        parts = divided.partition.partitions(batch)
        if divided.partition.partitioner is not None:
            logits = divided.partition.partitioner.eval()(batch.images)
            assert logits.shape == (30, k)
            assert torch.equal(divided.partition.partitions(batch), logits.argmax(1))
    assert (parts.shape, parts.dtype) == ((30,), torch.int64)
    assert 0 <= int(parts.min()) <= int(parts.max()) < k


def test_what_a_stage_hands_on_is_a_part_of_the_state(divided: Divided) -> None:
    state = divided.partition.state()
    products = [name for stage in divided.partition.stages() for name in stage.products]
    assert {name.partition(".")[0] for name in products} <= set(state)
    # whatever is trained is saved, so that a run can go on in the middle of a stage
    assert ("partitioner" in state) == (divided.partition.partitioner is not None) == bool(products)
