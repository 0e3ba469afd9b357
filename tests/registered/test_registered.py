"""Everything registered is there: the code behind every name imports, and nothing refers to what is not registered."""

from __future__ import annotations

from pathlib import Path

from harness import DatasetSpec, ExtractorSpec, MetricSpec
from harness.catalog import Catalog
from harness.contracts.capabilities import CAPABILITIES
from harness.doctor.cases import BASELINE, Cases
from harness.doctor.settings_in_protocols import check_shown
from harness.metric_settings import described
from harness.plugin_check import failures


def test_every_plugin_that_is_installed_is_in_use(catalog: Catalog) -> None:
    assert [f"{plugin.name}: {plugin.error}" for plugin in catalog.plugins.plugins if plugin.error] == []


def test_the_code_behind_every_name_imports(catalog: Catalog) -> None:
    assert [str(failure) for failure in failures(catalog)] == []


def test_every_spec_has_a_summary(catalog: Catalog) -> None:
    assert [spec.name for _, spec in catalog.plugins.specs() if not spec.summary] == []


def test_data_sets_name_extractors_that_exist(catalog: Catalog) -> None:
    for spec in catalog.all("dataset"):
        assert isinstance(spec, DatasetSpec)
        assert set(spec.extractors) <= set(catalog.names("extractor")), spec.name


def test_metrics_need_capabilities_that_exist(catalog: Catalog) -> None:
    for spec in catalog.all("metric"):
        assert isinstance(spec, MetricSpec)
        assert spec.requires in CAPABILITIES or ":" in spec.requires, spec.name


def test_a_value_of_a_metric_belongs_to_one_metric(catalog: Catalog) -> None:
    names = [name for spec in catalog.all("metric") if isinstance(spec, MetricSpec) for name in spec.names]
    assert len(names) == len(set(names))


def test_weights_that_ship_with_a_plugin_have_a_checksum(catalog: Catalog) -> None:
    for spec in catalog.all("extractor"):
        assert isinstance(spec, ExtractorSpec)
        if spec.packaged:
            assert spec.weights is not None, spec.name
            assert spec.weights.sha256, spec.name


def test_a_data_set_that_is_made_of_another_has_no_files_of_its_own(catalog: Catalog) -> None:
    made = [s for s in catalog.all("dataset") if isinstance(s, DatasetSpec) and s.made_of is not None]
    assert made
    for spec in made:
        assert not spec.files
        assert catalog.dataset(spec.made_of or "").files


def told(catalog: Catalog) -> list[MetricSpec]:
    """Every metric with settings of its own."""
    return [spec for spec in catalog.all("metric") if isinstance(spec, MetricSpec) and spec.settings is not None]


def test_every_setting_of_a_metric_says_what_it_is(catalog: Catalog) -> None:
    silent = [setting.key for spec in told(catalog) for setting in described(catalog, spec) if not setting.about]
    assert silent == []


def test_two_values_of_a_metrics_setting_are_never_one_protocol(catalog: Catalog, tmp_path: Path) -> None:
    assert {"kernel", "neighbours"} <= {spec.name for spec in told(catalog)}
    cases = Cases(catalog, tmp_path)
    for spec in told(catalog):
        there = [cases.of(kind, spec.requires) for kind in spec.kinds]
        check_shown(catalog, spec, [makers[BASELINE]() for makers in there if BASELINE in makers])
