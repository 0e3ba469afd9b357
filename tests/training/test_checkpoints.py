"""Checkpoints: what may be in one, what is refused, and that a failed save loses nothing."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from torch import nn

from harness.atomic import temporary_path
from harness.errors import CheckpointError, Diverged
from harness.training.checkpoints import (
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    apply_state,
    check_finite,
    checkpoints_in,
    collect_state,
    load_checkpoint,
    save_checkpoint,
)

CPU = torch.device("cpu")


def save(folder, step=1, **payload):
    return save_checkpoint(folder, {"total": step, **payload}, f"step-{step:08d}.pt")


def test_what_is_saved_is_loaded_without_running_code(tmp_path):
    adam = torch.optim.Adam(nn.Linear(3, 2).parameters(), betas=(0.0, 0.9))
    path = save(tmp_path, state=collect_state({"adam": adam, "labels": torch.arange(4)}))
    loaded = torch.load(path, weights_only=True)
    assert loaded["state"]["labels"].tolist() == [0, 1, 2, 3]
    assert load_checkpoint(path, CPU)["state"]["adam"] == adam.state_dict()


def test_a_value_without_state_dict_is_refused_by_name():
    with pytest.raises(CheckpointError, match="state 'beta' is a float"):
        collect_state({"beta": 0.5})


def test_a_state_dict_that_needs_code_to_load_is_refused_by_name():
    class Holder:
        def state_dict(self):
            return {"inner": {"when": object()}}

        def load_state_dict(self, state): ...

    with pytest.raises(CheckpointError, match=r"state 'holder.inner.when' holds a object"):
        collect_state({"holder": Holder()})


def test_names_that_do_not_match_are_listed():
    with pytest.raises(CheckpointError, match=r"lacks \['b'\] and has unknown \['c'\]"):
        apply_state({"a": torch.zeros(1), "b": torch.zeros(1)}, {"a": torch.zeros(1), "c": torch.zeros(1)}, "x.pt")


@pytest.mark.parametrize("declared", [torch.zeros(2), nn.Linear(2, 2)])
def test_shapes_that_do_not_match_are_refused(declared):
    state = {"a": torch.zeros(3)} if isinstance(declared, torch.Tensor) else {"a": nn.Linear(3, 2).state_dict()}
    with pytest.raises(CheckpointError, match="state 'a' does not fit"):
        apply_state({"a": declared}, state, "x.pt")


def test_a_tensor_is_loaded_in_place():
    labels = torch.zeros(3)
    apply_state({"labels": labels}, {"labels": torch.ones(3)}, "x.pt")
    assert labels.tolist() == [1, 1, 1]


def test_only_finite_state_passes():
    check_finite({"a": [torch.ones(2), {"n": torch.tensor(3)}]})
    with pytest.raises(Diverged, match=r"'a.1.b'"):
        check_finite({"a": [torch.ones(2), {"b": torch.tensor([1.0, float("nan")])}]})


def test_a_flipped_byte_is_noticed(tmp_path):
    save(tmp_path, 1)
    path = save(tmp_path, 2, state={"w": torch.arange(1000.0)})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"corrupt.*delete it to go on from step-00000001.pt"):
        load_checkpoint(path, CPU)


def test_a_truncated_file_is_noticed(tmp_path):
    path = save(tmp_path, state={"w": torch.arange(1000.0)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="corrupt"):
        load_checkpoint(path, CPU)


def test_a_checkpoint_of_something_else_is_foreign(tmp_path):
    torch.save({"model": nn.Linear(2, 2).state_dict()}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of this harness"):
        load_checkpoint(tmp_path / "other.pt", CPU)


def test_a_file_with_code_in_it_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    torch.save({"format": CHECKPOINT_FORMAT, "bomb": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(CheckpointError, match="holds code"):
        load_checkpoint(tmp_path / "bomb.pt", CPU)
    assert not (tmp_path / "exploded").exists()
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="corrupt"):
        load_checkpoint(tmp_path / "plain.pt", CPU)


def test_a_later_version_is_refused(tmp_path):
    torch.save({"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION + 1}, tmp_path / "new.pt")
    with pytest.raises(CheckpointError, match="install a newer one"):
        load_checkpoint(tmp_path / "new.pt", CPU)


def test_a_full_disk_is_one_line_and_the_earlier_checkpoint_stays(tmp_path):
    kept = save(tmp_path, 1, state={"w": torch.ones(3)})
    temporary_path(tmp_path / "step-00000002.pt").symlink_to("/dev/full")  # the kernel's own full disk
    with pytest.raises(CheckpointError) as error:
        save(tmp_path, 2, state={"w": torch.ones(300_000)})
    assert "disk full" in str(error.value)
    assert f"the last good checkpoint is {kept}" in str(error.value)
    assert "\n" not in str(error.value)
    assert checkpoints_in(tmp_path) == [kept]
    assert load_checkpoint(kept, CPU)["state"]["w"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
