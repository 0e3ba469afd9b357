from __future__ import annotations

from copy import deepcopy

import pytest
from made_records import made_record

from harness.catalog import Catalog
from harness.experiment import resolve
from harness.results.up_to_date import up_to_date


@pytest.fixture
def today(catalog: Catalog) -> dict:
    experiment = resolve(catalog, plugin="gan", dataset="ring2d", overrides={"steps": 7, "backbone": {"scale": 2.0}})
    return made_record(method="gan", dataset="ring2d", settings=experiment.record()["settings"])


def test_a_record_of_today_stays_as_it_is(catalog: Catalog, today: dict) -> None:
    assert up_to_date(catalog, today) == today


@pytest.mark.parametrize(
    "path", [("train_split",), ("evaluation", "real_samples"), ("evaluation", "of"), ("backbone", "conditioning")]
)
def test_settings_that_were_added_since_get_their_defaults(
    catalog: Catalog, today: dict, path: tuple[str, ...]
) -> None:
    older = deepcopy(today)
    owner = older["settings"]
    for key in path[:-1]:
        owner = owner[key]
    del owner[path[-1]]
    kept = deepcopy(older)
    assert up_to_date(catalog, older) == today
    assert older == kept  # what was given is not changed


@pytest.mark.parametrize("change", [{"method": "nobody's"}, {"settings": {"steps": 7, "from_the_future": 1}}])
def test_what_is_not_understood_stays_as_it_is(catalog: Catalog, today: dict, change: dict) -> None:
    assert up_to_date(catalog, today | change) == today | change
