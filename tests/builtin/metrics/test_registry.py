from __future__ import annotations

import subprocess
import sys

from harness.builtin.metrics.registry import SPECS
from harness.contracts.specs import MetricSpec
from harness.plugins import import_module

METRICS = [spec for spec in SPECS if isinstance(spec, MetricSpec)]


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys, harness.builtin.metrics.registry, harness.builtin.extractors.registry;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'pandas', 'scipy', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_metric_can_be_loaded_and_built() -> None:
    for spec in METRICS:
        told = [] if spec.settings is None else [import_module(spec.settings)()]
        assert callable(import_module(spec.metric)(*told).measurements)


def test_each_name_of_a_value_has_one_owner() -> None:
    names = [name for spec in METRICS for name in spec.names]
    assert len(names) == len(set(names))


def test_every_metric_says_where_it_comes_from_and_how_each_value_moves() -> None:
    for spec in METRICS:
        assert spec.source, spec.name
        assert spec.moves.keys() == spec.names.keys(), spec.name
