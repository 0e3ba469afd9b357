from __future__ import annotations

import pickle

import numpy as np
import pytest

from harness.builtin.datasets.safe_pickle import loads
from harness.errors import DataError


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_plain_values_come_back(protocol) -> None:
    value = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2], "name": "x", "nothing": None}
    back = loads(pickle.dumps(value, protocol=protocol), "here")
    np.testing.assert_array_equal(back.pop("data"), value.pop("data"))
    assert back == value


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(evil_pickle, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"here is no safe pickle of arrays: it refers to \w+\.system"):
        loads(evil_pickle, "here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["eval", "exec", "getattr", "__import__", "open"])
def test_functions_of_the_language_are_refused_too(name) -> None:
    with pytest.raises(DataError, match=f"builtins.{name}"):
        loads(f"cbuiltins\n{name}\n(S'1'\ntR.".encode(), "here")


@pytest.mark.parametrize("data", [b"", b"\x80\x02}", b"not a pickle", b"\x80\x63."])
def test_broken_pickles_are_one_line(data) -> None:
    with pytest.raises(DataError, match=r"here is no safe pickle of arrays: ."):
        loads(data, "here")
