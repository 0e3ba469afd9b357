"""The golden lists: what others hold on to (names, ids, digests, checksums, weights' names) is what it was."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from harness.catalog import Catalog

LISTS = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def lists() -> ModuleType:
    """The script that makes the lists."""
    spec = importlib.util.spec_from_file_location("golden_lists", LISTS / "lists.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(path.stem for path in LISTS.glob("*.json")))
def test_nothing_that_stood_in_a_list_has_changed_or_gone(catalog: Catalog, lists: ModuleType, name: str) -> None:
    now = json.loads(json.dumps(lists.LISTS[name](catalog)))
    found = lists.lost(lists.committed(name), now)
    assert found == [], "where that is meant, say so in the commit and run: python tests/golden/lists.py --write"


def test_every_list_is_written_down(lists: ModuleType) -> None:
    assert sorted(lists.LISTS) == sorted(path.stem for path in LISTS.glob("*.json"))


def test_a_change_and_a_loss_are_found_and_what_is_new_is_not(lists: ModuleType) -> None:
    before = {"modules": {"a": ["x", "y"]}, "ids": ["fd[1]"]}
    assert lists.lost(before, {"modules": {"a": ["x", "y", "z"]}, "ids": ["fd[1]"], "more": 1}) == []
    assert lists.lost(before, {"modules": {"a": ["x"]}, "ids": ["fd[1]"]}) == ["/modules/a: y is gone"]
    assert len(lists.lost(before, {"modules": {}, "ids": ["fd[2]"]})) == 2
