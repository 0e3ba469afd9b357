"""What a metric promises, and what it may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import EvaluationError
from harness.evaluation.evidence import Counted, Evidence, Features, GeneratedSet, RealSet
from harness.evaluation.protocol import Protocol as MeasuringProtocol
from harness.evaluation.protocol import Term

if TYPE_CHECKING:
    from harness.config import EvaluationSettings
    from harness.data.loading import LoadedDataset
    from harness.evaluation.bench import Bench


class Inapplicable(Exception):
    """A metric cannot be measured here; the message says why.

    It is left out where nobody named it, and an error where somebody did.
    """


@dataclass(frozen=True)
class Value:
    """A number as a metric's function returns it.

    :param std_error: where one is meaningful; `std_error_of` says what varies in it.
    :param remark: what a reader should know before trusting the value.
    :param details: numbers beside the value.
    """

    value: float
    std_error: float | None = None
    std_error_of: str | None = None
    remark: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """One call of a metric's function.

    :param evidence: requests by role; `compute` gets what they yield as keyword arguments of the same names.
    :param compute: a pure function of the evidence, returns values under the keys of `protocols`.
    :param protocols: how each value is measured.
    :param least: by role, the fewest items that it can be computed from; checked before anything is trained or made.
    """

    evidence: Mapping[str, Evidence[Any]]
    compute: Callable[..., Mapping[str, Value]]
    protocols: Mapping[str, MeasuringProtocol]
    least: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Items by role."""
        return {role: request.items() for role, request in self.evidence.items() if isinstance(request, Counted)}


class Metric(Protocol):
    """A metric, or several that share their work. Built without arguments."""

    def measurements(self, offer: Offer) -> Sequence[Measurement]:
        """What to measure with what is on offer.

        :raises Inapplicable: where it cannot be measured here.
        """
        ...


class Offer:
    """What a metric may ask for here: sets of the right counts, and feature networks that take these images."""

    def __init__(self, bench: Bench, settings: EvaluationSettings) -> None:
        self._bench = bench
        self.dataset: LoadedDataset = bench.dataset
        self.settings = settings

    def generated(self, most: int | None = None) -> GeneratedSet:
        """As many samples as the settings say, and at most `most`."""
        count = self.settings.samples if most is None else min(most, self.settings.samples)
        return GeneratedSet(count, self.settings.block, self.settings.batch_norm)

    def real(self, most: int | None = None) -> RealSet:
        """The whole split that samples are held against, and at most `most` of it."""
        size = len(self.dataset.finite(self.settings.split))
        return RealSet(self.settings.split, size if most is None else min(most, size))

    def extractors(self, output: str = "features") -> list[str]:
        """Feature networks of the settings or of the data set that give `output`, in order.

        :raises EvaluationError: where one does not take these images.
        :raises Inapplicable: where none gives `output`.
        """
        names = self.settings.extractors
        if names is None:
            names = self.dataset.spec.extractors
        shape = self.dataset.finite(self.settings.split).values.shape[1:]
        for name in names:
            self._bench.extractor(name).check(shape)
        giving = [name for name in dict.fromkeys(names) if output in self._bench.extractor(name).outputs]
        if not giving:
            raise Inapplicable(f"no extractor in use ({', '.join(names) or 'none'}) gives {output}")
        return giving

    def protocol(
        self,
        metric: str,
        *own: Term,
        generated: GeneratedSet | Features,
        real: RealSet | Features | None = None,
    ) -> MeasuringProtocol:
        """A protocol from the evidence and the metric's own terms."""
        features = generated if isinstance(generated, Features) else None
        samples = features.of if features else generated
        items = real.of if isinstance(real, Features) else real
        if not isinstance(samples, GeneratedSet) or not (items is None or isinstance(items, RealSet)):
            raise EvaluationError(f"metric '{metric}' needs a protocol of its own: it is not about a generated set")
        terms: list[Term] = []
        if features:
            terms += self._feature_terms(features)
        terms += self._set_terms(samples, items)
        terms += own
        if features:
            terms.append(Term("quantise", features.quantise, f"uint8-{features.quantise}"))
        terms.append(Term("block", samples.block, f"block{samples.block}"))
        terms.append(Term("batch_norm", samples.batch_norm, f"bn-{samples.batch_norm}"))
        return MeasuringProtocol(metric, tuple(terms))

    def _feature_terms(self, features: Features) -> list[Term]:
        weights = self._bench.catalog.extractor(features.extractor).weights
        resize = self._bench.extractor(features.extractor).resize
        return [
            Term("extractor", features.extractor, features.extractor),
            Term("extractor_sha256", weights.sha256 if weights else None),
            Term("output", features.output),
            Term("resize", resize, resize),
        ]

    def _set_terms(self, samples: GeneratedSet, real: RealSet | None) -> list[Term]:
        fit = self.dataset.fit.describe() if self.dataset.fit else "none"
        terms = [Term("dataset", self.dataset.name), Term("fit", fit)]
        if real is None:
            return [*terms, Term("generated_count", samples.count, str(samples.count))]
        return [
            *terms,
            Term("split", real.split, real.split),
            Term("real_checksum", self.dataset.finite(real.split).checksum),
            Term("real_count", real.count, f"{real.count}x{samples.count}"),
            Term("generated_count", samples.count),
        ]
