"""``harness ls``: every kind of thing, as a table and as JSON."""

from __future__ import annotations

import json

import pytest

from harness.catalog import Catalog
from harness.cli.ls import ALIASES, LISTINGS, SINGULAR, items, splits
from harness.contracts.specs import DatasetSpec
from harness.plugins import KIND_OF_SPEC


def test_every_kind_that_can_be_registered_can_be_listed() -> None:
    assert set(SINGULAR.values()) == {*KIND_OF_SPEC.values(), "recipe"}


@pytest.mark.parametrize("kind", LISTINGS)
def test_a_table_has_a_row_for_each_name(harness, catalog: Catalog, kind: str) -> None:
    code, out, _ = harness("ls", kind)
    assert code == 0
    header, rule, *rows = out.splitlines()
    assert "plugin" in header.split()
    assert set(rule) == {"-", " "}
    identifiers = [getattr(spec, "id", None) or spec.name for spec in items(catalog, kind)]
    assert [row.split()[0].partition(":")[0] for row in rows] == identifiers


@pytest.mark.parametrize("kind", LISTINGS)
def test_json_holds_the_specs_with_their_owners(harness, catalog: Catalog, kind: str) -> None:
    code, out, err = harness("ls", kind, "--json")
    assert (code, err) == (0, "")
    listed = json.loads(out)
    assert [entry.get("id") or entry["name"] for entry in listed] == [
        getattr(spec, "id", None) or spec.name for spec in items(catalog, kind)
    ]
    installed = {plugin.name for plugin in catalog.plugins.plugins}
    assert {entry["plugin"] for entry in listed} <= installed


@pytest.mark.parametrize(("alias", "kind"), ALIASES.items())
def test_singular_and_spoken_names_mean_the_same(harness, alias: str, kind: str) -> None:
    assert harness("ls", alias) == harness("ls", kind)


def test_without_a_kind_it_counts(harness, catalog: Catalog) -> None:
    counts = json.loads(harness("ls", "--json").out)
    assert list(counts) == list(LISTINGS)
    assert counts["datasets"] == len(catalog.names("dataset")) > 0
    rows = [line.split() for line in harness("ls").out.splitlines()[2:]]
    assert {name: int(number) for name, number in rows} == counts


@pytest.mark.parametrize(("given", "near"), [("metods", "methods"), ("losess", "losses"), ("backbons", "backbones")])
def test_an_unknown_kind_offers_the_near_ones(refused, given: str, near: str) -> None:
    assert refused("ls", given).startswith(f"error: unknown kind of thing to list '{given}'; did you mean '{near}'")


def test_a_plugin_that_is_switched_off_lists_nothing(harness) -> None:
    assert json.loads(harness("ls", "datasets", "--json", "--without", "builtin").out) == []


def test_a_data_set_shows_shape_splits_and_argument(harness) -> None:
    rows = {line.split()[0]: line for line in harness("ls", "datasets").out.splitlines()[2:]}
    assert "1x28x28" in rows["mnist"]
    assert "train 60000, test 10000" in rows["mnist"]
    assert "as found" in rows["folder:PATH"]
    assert "endless" in rows["gaussian_clusters"]


def test_splits_without_a_size_are_endless_only_where_the_shape_is_known() -> None:
    known = {"name": "x", "summary": "-", "load": "m:f", "kind": "points", "classes": None, "licence": "", "source": ""}
    law = DatasetSpec(**known, shape=(2,), splits={"train": None})
    files = DatasetSpec(**known, shape=None, splits={"train": None, "test": 5})
    assert (splits(law), splits(files)) == (["train endless"], ["train", "test 5"])


def test_a_metric_shows_which_direction_is_better(harness) -> None:
    (row,) = [line for line in harness("ls", "metrics").out.splitlines() if line.startswith("fd ")]
    assert "fd (lower)" in row


def test_a_metric_shows_where_its_settings_stand(harness) -> None:
    rows = {line.split()[0]: line for line in harness("ls", "metrics").out.splitlines()[2:]}
    assert " evaluation.of.kernel.* " in rows["kernel"]
    assert "evaluation.of" not in rows["fd"]
