"""The names of places, and what a network or a critique that lacks something says."""

from __future__ import annotations

import pytest
import torch

from harness.contracts.networks import Critique, Discriminator, Generator, Place

PLACES = tuple(Place("discriminator", "block", index, 3, 0) for index in (1, 2, 3))


def test_a_place_is_named_by_kind_and_index():
    assert [place.name for place in PLACES] == ["block1", "block2", "block3"]
    assert Place("generator", "conv", 7, 1, 4).name == "conv7"


def test_a_critique_without_a_linear_head_has_no_score():
    feature = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="outputs=0"):
        _ = Critique(logit=None, class_term=None, feature=feature).score
    assert Critique(logit=feature[:, 0], class_term=None, feature=feature).score is not None


def test_a_critique_of_a_batch_is_split_into_those_of_its_parts():
    rows = torch.arange(5.0)
    whole = Critique(rows, None, rows[:, None] + 1, {"block1": rows + 2}, {"code": rows[:, None] + 3}, {"block1": "x"})
    first, second = whole.split(2, 3)
    assert first.logit.tolist() == [0, 1]
    assert second.logit.tolist() == [2, 3, 4]
    assert second.class_term is None
    assert second.feature.flatten().tolist() == [3, 4, 5]
    assert first.maps["block1"].tolist() == [2, 3]
    assert second.heads["code"].flatten().tolist() == [5, 6, 7]
    assert first.notes == {}
    with pytest.raises(RuntimeError):
        whole.split(2, 2)


@pytest.mark.parametrize("network", [Generator, Discriminator])
def test_a_network_that_defines_no_forward_says_so(network):
    class Empty(network):
        pass

    with pytest.raises(TypeError, match="Empty does not define forward"):
        Empty()(torch.zeros(1))
