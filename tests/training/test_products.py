"""A product of one run is loaded into another's state, and refused where it is of another stage, data or shape."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from harness.errors import CheckpointError, UserError
from harness.training.products import load_product, pieces, save_product

DATA = "d" * 64


def state(fill: float) -> dict[str, Any]:
    """A module and a plain tensor, all of one value."""
    generator = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 1)))
    for parameter in generator.parameters():
        nn.init.constant_(parameter, fill)
    return {"generator": generator, "labels": torch.full((5,), int(fill))}


def saved(run: Path, stage: str, fill: float = 7.0, names: tuple[str, ...] = ("generator", "labels")) -> Path:
    return save_product(run / "products", stage, pieces(state(fill), names), DATA)


def test_pieces_are_entries_and_parts_of_modules_themselves() -> None:
    whole = state(1.0)
    found = pieces(whole, ["labels", "generator.1.0", "generator.0.weight"])
    assert list(found) == ["labels", "generator.1.0", "generator.0.weight"]
    assert found["labels"] is whole["labels"]
    assert found["generator.1.0"] is whole["generator"][1][0]
    assert found["generator.0.weight"] is whole["generator"][0].weight


def test_a_product_is_loaded_in_place_and_known_by_its_files_checksum(tmp_path: Path) -> None:
    path = saved(tmp_path, "cluster")
    wanted = state(0.0)
    weight, labels = wanted["generator"][0].weight, wanted["labels"]
    assert load_product(tmp_path, "cluster", wanted, DATA) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert weight is wanted["generator"][0].weight
    assert (weight == 7.0).all()
    assert (labels == 7).all()


def test_a_part_is_loaded_and_the_rest_stays(tmp_path: Path) -> None:
    saved(tmp_path, "cluster", names=("generator.1",))
    wanted = state(0.0)
    load_product(tmp_path, "cluster", pieces(wanted, ["generator.1"]), DATA)
    assert (wanted["generator"][1][0].weight == 7.0).all()
    assert (wanted["generator"][0].weight == 0.0).all()


def test_the_products_of_all_stages_are_kept(tmp_path: Path) -> None:
    stages = ("encode", "cluster", "match", "gan")
    for fill, stage in enumerate(stages):
        saved(tmp_path, stage, float(fill))
    for fill, stage in enumerate(stages):
        wanted = state(-1.0)
        load_product(tmp_path, stage, wanted, DATA)
        assert (wanted["labels"] == fill).all()


def test_a_missing_product_is_one_clear_line(make_training, tmp_path):
    with pytest.raises(UserError, match="no product of stage 'cluster'"):
        make_training(cluster_from=str(tmp_path)).run(resume=False)


def test_a_product_of_another_stage_or_of_other_data_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, "cluster")
    path.rename(path.with_name("gan.pt"))
    wanted = state(0.0)
    with pytest.raises(CheckpointError, match=r"gan\.pt is not the product of a stage 'gan'"):
        load_product(tmp_path, "gan", wanted, DATA)
    saved(tmp_path, "cluster")
    with pytest.raises(UserError, match="made from other training data; reuse stages of runs on the same data"):
        load_product(tmp_path, "cluster", wanted, "e" * 64)
    assert (wanted["labels"] == 0).all()


def test_a_product_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path, "cluster", names=("labels",))
    with pytest.raises(CheckpointError, match=r"lacks \['generator'\]") as refusal:
        load_product(tmp_path, "cluster", state(0.0), DATA)
    assert str(path) in str(refusal.value)
    with pytest.raises(CheckpointError, match=r"state 'labels' does not fit: shape \(5,\), expected \(4,\)"):
        load_product(tmp_path, "cluster", {"labels": torch.zeros(4)}, DATA)
