from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from harness.builtin.extractors.states import fitting, resaved, state_dict
from harness.errors import EvaluationError


class Trap:
    """An object whose unpickling runs code."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> object:
        return (Path.write_text, (self.place, "run"))


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1), "trap": Trap(tmp_path / "sprung")}, tmp_path / "net.pt")
    said = "weights of extractor 'net' at .*net.pt do not fit"
    with pytest.raises(EvaluationError, match=said) as caught, fitting("net", tmp_path / "net.pt") as path:
        state_dict(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", pickle.dumps([1, 2]), b"no weights at all"])
def test_whatever_is_no_file_of_weights_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(EvaluationError, match="do not fit"), fitting("net", tmp_path / "net.pt") as path:
        torch.nn.Linear(1, 1).load_state_dict(state_dict(path))


def test_no_weights_is_one_line() -> None:
    with pytest.raises(EvaluationError, match="extractor 'net' needs a file of weights"), fitting("net", None):
        pass


def test_a_library_reads_back_the_same_tensors() -> None:
    state = {"a": torch.rand(3), "b": torch.arange(2)}
    read = torch.load(resaved(state), weights_only=True)
    assert list(read) == ["a", "b"]
    assert all(torch.equal(read[name], state[name]) for name in state)
