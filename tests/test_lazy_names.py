"""A package's list for type checkers is what it offers, and nothing is imported before it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = '''
"""A room."""

from __future__ import annotations

from os import sep
from typing import TYPE_CHECKING

from harness.lazy_names import lazy_names

if TYPE_CHECKING:
    import os
    from lazy_room.shelf import late as late, early as early
    from lazy_room.nowhere import lost as lost

if sep == "none":
    from os import curdir

__all__, __getattr__ = lazy_names(__name__)
'''


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package that offers names of one module, and one of a module that is not there."""
    (tmp_path / "lazy_room").mkdir()
    (tmp_path / "lazy_room/__init__.py").write_text(SOURCE)
    (tmp_path / "lazy_room/shelf.py").write_text("early, late, hidden = object(), object(), object()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("lazy_room")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lazy_room"]:
        del sys.modules[name]


def test_the_names_are_those_imported_for_type_checking_in_order(room: ModuleType) -> None:
    assert room.__all__ == ["early", "late", "lost"]


def test_a_module_is_imported_when_one_of_its_names_is_used_and_not_before(room: ModuleType) -> None:
    assert "lazy_room.shelf" not in sys.modules
    assert room.early is sys.modules["lazy_room.shelf"].early


def test_a_name_that_was_used_stays(room: ModuleType) -> None:
    assert "late" not in vars(room)
    first = room.late
    sys.modules["lazy_room.shelf"].late = None
    assert room.late is first


@pytest.mark.parametrize("name", ["hidden", "nothing", "curdir"])
def test_other_names_are_refused_as_any_module_refuses_them(room: ModuleType, name: str) -> None:
    with pytest.raises(AttributeError, match=f"^module 'lazy_room' has no attribute '{name}'$"):
        getattr(room, name)
    assert not hasattr(room, name)


def test_a_list_that_names_a_module_that_is_not_there_says_which(room: ModuleType) -> None:
    with pytest.raises(ModuleNotFoundError, match="lazy_room.nowhere"):
        _ = room.lost
