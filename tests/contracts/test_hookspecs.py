"""The hooks are the contract with strangers: documented, typed, and each in use by a test."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest

from harness import plugins
from harness.contracts import hookspecs, specs

HOOKS = [function for name, function in vars(hookspecs).items() if name.startswith("harness_")]
REGISTERING = [hook for hook in HOOKS if hook.__name__.startswith("harness_register_")]
TESTS = Path(__file__).parents[1]


def names(hook: Callable[..., None]) -> str:
    return hook.__name__


def test_there_are_nine_hooks_to_register_and_four_to_watch() -> None:
    assert (len(REGISTERING), len(HOOKS) - len(REGISTERING)) == (9, 4)


@pytest.mark.parametrize("hook", HOOKS, ids=names)
def test_every_hook_is_documented_and_typed(hook: Callable[..., None]) -> None:
    assert inspect.getdoc(hook)
    signature = inspect.signature(hook)
    assert signature.return_annotation == "None"
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name


@pytest.mark.parametrize("hook", HOOKS, ids=names)
def test_annotations_name_things_that_exist(hook: Callable[..., None]) -> None:
    assert get_type_hints(hook, vars(specs) | {"Path": Path} | vars(hookspecs))


@pytest.mark.parametrize("hook", REGISTERING, ids=names)
def test_the_specs_that_a_hook_takes_are_those_of_its_annotation(hook: Callable[..., None]) -> None:
    annotation = inspect.signature(hook).parameters["register"].annotation
    inside = annotation.removeprefix("Callable[[").removesuffix("], None]")
    assert tuple(inside.split(" | ")) == plugins.REGISTERING[hook.__name__]


def test_every_spec_has_one_kind_and_one_hook() -> None:
    classes = {cls.__name__ for cls in specs.Spec.__args__}
    assert set(plugins.KIND_OF_SPEC) == classes
    taken = [name for names in plugins.REGISTERING.values() for name in names]
    assert sorted(taken) == sorted(classes)
    assert set(plugins.REGISTERING) == {hook.__name__ for hook in REGISTERING}


@pytest.mark.parametrize("hook", HOOKS, ids=names)
def test_every_hook_is_exercised_by_a_test_or_by_the_builtin_plugin(hook: Callable[..., None]) -> None:
    written = [path for path in TESTS.rglob("*.py") if path != Path(__file__)]
    assert any(hook.__name__ in path.read_text(encoding="utf-8") for path in written)
