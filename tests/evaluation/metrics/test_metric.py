"""What a measurement says of its evidence before any of it is made."""

from __future__ import annotations

from collections.abc import Callable

from harness.evaluation import Bench, Features, Measurement, MetricContext
from harness.evaluation.evidence.base import Evidence


class Unsized(Evidence[None]):
    """Evidence of which nobody can say how much there is."""

    def size(self) -> int | None:
        return None

    def make(self, bench: Bench) -> None:
        raise AssertionError("nothing is made to count it")


def test_items_are_counted_role_by_role_where_they_are_known(offer: Callable[..., MetricContext]) -> None:
    found = offer(samples=300)
    real, generated = found.real(), Features(found.generated(100), "pixels")
    measurement = Measurement({"real": real, "generated": generated, "scale": Unsized()}, dict, {})
    assert measurement.counts() == {"real": real.items(), "generated": 100}
