"""Every piece of code that a spec names is imported, and what cannot be is said once, with who registered it."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import LossSpec, PenaltySpec, ReferenceSpec
from harness.catalog import Catalog
from harness.contracts.specs import DatasetSpec, MetricSpec, Spec
from harness.plugin_check import failures, targets

#: fields of the form "package:something" that name no code
NO_CODE = {"packaged"}


def registered(*specs: Spec) -> Any:
    """A catalogue in which the plugin `mine` registered these."""
    plugin = SimpleNamespace(name="mine")
    return SimpleNamespace(plugins=SimpleNamespace(specs=lambda: [(plugin, spec) for spec in specs]))


def said(*specs: Spec) -> list[str]:
    return [str(failure) for failure in failures(registered(*specs))]


def penalty(target: str) -> PenaltySpec:
    return PenaltySpec(name="odd", summary="-", penalty=target)


def test_no_field_that_names_code_is_passed_over(catalog: Catalog) -> None:
    seen = set()
    for _, spec in catalog.plugins.specs():
        values = [getattr(spec, field.name) for field in fields(spec) if field.name not in NO_CODE]
        named = {value for value in values if isinstance(value, str) and re.fullmatch(r"[a-z_][\w.]*:\w+", value)}
        assert set(targets(spec)) == named, spec.name
        seen.add(type(spec).__name__)
    assert {"DatasetSpec", "ModelSpec", "LossSpec", "PenaltySpec", "ExtractorSpec", "MetricSpec", "MethodSpec"} <= seen


def test_code_that_a_spec_does_without_is_no_target() -> None:
    spec = DatasetSpec(
        name="things", summary="", load="math:sqrt", kind="images", shape=None, classes=None, splits={},
        licence="", source="",
    )  # fmt: skip
    assert list(targets(spec)) == ["math:sqrt"]
    assert said(spec) == []


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("math:no_such", "AttributeError: module 'math' has no attribute 'no_such'"),
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:pi", "is not callable"),
        ("math", "needs the form module:attribute"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_who_registered_it(target: str, error: str) -> None:
    assert said(penalty("math:sqrt"), penalty(target)) == [f"mine: penalty 'odd': {target}: {error}"]


def test_each_of_two_faults_of_one_spec_is_said() -> None:
    spec = LossSpec(name="half", summary="-", discriminator="math:e", generator="math:tau")
    assert said(spec) == [f"mine: loss 'half': math:{name}: is not callable" for name in ("e", "tau")]


def test_a_capability_of_a_plugins_own_is_imported_and_the_harnesss_own_are_not() -> None:
    def needing(capability: str) -> MetricSpec:
        return MetricSpec(name="odd", summary="-", metric="math:sqrt", names={"odd": None}, requires=capability)

    assert said(needing("reconstruct"), needing("harness.contracts:OutlierScorer")) == []
    error = "ModuleNotFoundError: No module named 'no_such'"
    assert said(needing("no_such:Invert")) == [f"mine: metric 'odd': no_such:Invert: {error}"]


def test_a_folder_of_references_needs_its_protocols() -> None:
    there, not_there = (
        ReferenceSpec(name="paper", summary="-", folder=f"reference_results:{f}") for f in ("lcsa", "x")
    )
    assert said(there) == []
    assert said(not_there) == ["mine: reference 'paper': reference_results:x: there is no protocols.toml"]


def test_a_module_may_exit_but_ctrl_c_still_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "checked_exit.py").write_text("raise SystemExit('bye')")
    (tmp_path / "checked_stop.py").write_text("raise KeyboardInterrupt")
    assert said(penalty("checked_exit:f")) == ["mine: penalty 'odd': checked_exit:f: SystemExit: bye"]
    with pytest.raises(KeyboardInterrupt):
        said(penalty("checked_stop:f"))


def test_a_metric_that_has_to_be_told_something_is_found() -> None:
    made = MetricSpec(name="m", summary="-", metric="math:sqrt", names={}, settings="toy_metrics:PowerSettings")
    assert said(made) == []
    (line,) = said(replace(made, settings="toy_metrics:Unbuildable"))
    assert line.startswith("mine: metric 'm': toy_metrics:Unbuildable: ValidationError: 1 validation error")
