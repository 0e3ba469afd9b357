from __future__ import annotations

import pytest
from offering import Noise, offering

from harness.builtin.metrics.naming import named
from harness.catalog import Catalog


@pytest.mark.parametrize(
    ("extractor", "name"),
    [("inception-tf", "fid"), ("inception-clean", "fid"), ("pixels", "fd"), ("vgg16", "fd"), ("dinov2", "fd")],
)
def test_only_features_of_inception_go_by_its_names(extractor: str, name: str, catalog: Catalog) -> None:
    _, offer = offering(Noise(), catalog)
    assert named(offer, extractor, inception="fid", other="fd") == name
