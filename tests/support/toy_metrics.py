"""A plugin for tests: a metric of the samples' own pixels, offered as a test says."""

from __future__ import annotations

from harness import MetricSpec, hookimpl
from harness.evaluation import GeneratedSet, Measurement, Value


def spread(*, generated) -> dict[str, Value]:
    """Standard deviation over all pixels: noise on dark images makes it grow, blur makes it shrink."""
    return {"spread": Value(float(generated.images.std()))}


class Spread:
    """`spread` of the samples themselves."""

    def measurements(self, offer):
        generated = offer.generated()
        assert isinstance(generated, GeneratedSet)
        return [
            Measurement({"generated": generated}, spread, {"spread": offer.protocol("spread", generated=generated)})
        ]


def spec(name: str, **changes) -> MetricSpec:
    return MetricSpec(
        **{"name": name, "summary": "for tests", "metric": "toy_metrics:Spread", "names": {"spread": None}} | changes
    )


#: what the plugin offers; a test puts its own in
OFFERED: list[MetricSpec] = []


@hookimpl
def harness_register_metrics(register) -> None:
    for offered in OFFERED:
        register(offered)
