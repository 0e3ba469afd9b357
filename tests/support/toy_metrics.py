"""A plugin for tests: metrics of the samples' own pixels and of a reported prior, offered as a test says."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from pydantic import Field, model_validator

from harness import MetricSpec, Settings, hookimpl
from harness.evaluation import GeneratedSet, Measurement, Protocol, Term, Value


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


class Range(Settings):
    """Pixels that count."""

    low: float = 0.0
    high: float = Field(default=1.0, examples=[0.5])

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class PowerSettings(Settings):
    """What :class:`Power` can be told."""

    power: float = Field(default=2.0, gt=0)
    """what pixels are raised to"""
    clip: Literal["both", "none"] = "both"
    """which ends are cut"""
    within: Range = Range()

    @model_validator(mode="after")
    def _not_too_high(self) -> PowerSettings:
        if self.power > 9 and self.within == Range():
            raise ValueError("powers above 9 need a wider range")
        return self


def power_of(settings: PowerSettings, *, generated) -> dict[str, Value]:
    """Mean of pixels to a power."""
    return {"spread": Value(float(generated.images.abs().pow(settings.power).mean()))}


class Power:
    """Says all that it was told but what `HIDDEN` names."""

    HIDDEN: tuple[str, ...] = ()

    def __init__(self, settings: PowerSettings) -> None:
        self.settings = settings

    def measurements(self, offer):
        told = {"power": self.settings.power, "clip": self.settings.clip}
        told |= {"low": self.settings.within.low, "high": self.settings.within.high}
        terms = [Term(key, value, f"{key}{value}") for key, value in told.items() if key not in self.HIDDEN]
        generated = offer.generated()
        protocol = offer.protocol("spread", *terms, generated=generated)
        return [Measurement({"generated": generated}, partial(power_of, self.settings), {"spread": protocol})]


class Unbuildable(Settings):
    """Cannot be built without being told."""

    needed: int


class Ruled(Settings):
    """A text, of which no other value can be guessed."""

    rule: str = "box"


def entropy(*, prior) -> dict[str, Value]:
    """Shares [K] to their entropy in nats."""
    shares = prior / prior.sum()
    return {"prior_entropy": Value(float(-torch.special.xlogy(shares, shares).sum()))}


class PriorEntropy:
    """Entropy of the prior that a method reports."""

    def measurements(self, offer):
        protocol = Protocol("prior_entropy", (Term("unit", "nats", "nats"), *offer.calibration_terms()))
        return [Measurement({"prior": offer.reported("prior")}, entropy, {"prior_entropy": protocol})]


def prior_entropy() -> MetricSpec:
    return spec("prior-entropy", metric="toy_metrics:PriorEntropy", names={"prior_entropy": None}, requires="reported")


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
