"""docs/metrics.md cannot rot: its generated parts are those of today, and every metric has a section by hand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from harness.catalog import Catalog

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "metrics.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that writes the generated parts."""
    spec = importlib.util.spec_from_file_location("metrics_page", DOCS / "metrics_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_parts_are_those_of_today(maker: ModuleType) -> None:
    assert maker.rebuilt(PAGE) == PAGE, "run: python docs/metrics_page.py"


def test_every_metric_has_a_section_with_a_generated_part_and_words(maker: ModuleType, catalog: Catalog) -> None:
    sections = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", PAGE, flags=re.S | re.M))
    for spec in maker.metrics(catalog):
        assert f"<!-- generated: {spec.name} -->" in sections[spec.name], spec.name
        words = sections[spec.name].partition("<!-- end -->")[2]
        assert len(words.split()) > 10, spec.name


def test_every_value_and_every_network_is_named(maker: ModuleType, catalog: Catalog) -> None:
    names = [name for spec in maker.metrics(catalog) for name in spec.names]
    names += [spec.name for spec in maker.extractors(catalog)]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_a_part_that_is_out_of_date_is_noticed(maker: ModuleType) -> None:
    aged = PAGE.replace("| `recall` | higher is better |", "| `recall` | lower is better |")
    assert aged != PAGE
    assert maker.rebuilt(aged) == PAGE
