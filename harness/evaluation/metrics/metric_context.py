"""What a metric may ask for: sets of the right counts, feature networks that take these images, and protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contracts.capabilities import CAPABILITIES, calibration_split, told_labels
from harness.contracts.specs import ExtractorSpec
from harness.data.joining import parts_of
from harness.errors import EvaluationError
from harness.evaluation.evidence.base import Bench, Evidence, SetEvidence
from harness.evaluation.evidence.calibration import check_calibration
from harness.evaluation.evidence.features import Features, measured_by
from harness.evaluation.evidence.image_sets import GeneratedSet, OutlierSet, OutlierSplit, RealSet
from harness.evaluation.evidence.images_in_files import StoredImages, StoredSet
from harness.evaluation.evidence.real_statistics import ImportedStatistics, Statistics
from harness.evaluation.evidence.reported_numbers import Reported, reported_by
from harness.evaluation.feature_networks.extractor import check_takes_floats
from harness.evaluation.metrics.common_terms import feature_terms, generated_terms, real_terms, set_terms
from harness.evaluation.protocols.protocol import Protocol, Term

if TYPE_CHECKING:
    from harness.contracts.data import Split
    from harness.contracts.settings import EvaluationSettings
    from harness.data.loading import LoadedDataset
    from harness.evaluation.reference_statistics.gaussian import Gaussian


class Inapplicable(Exception):
    """A metric cannot be measured here; the message says why.

    It is left out where nobody named it, and an error where somebody did.
    """


class MetricContext:
    """What is on offer in one evaluation."""

    def __init__(self, bench: Bench, settings: EvaluationSettings) -> None:
        self._bench = bench
        self.dataset: LoadedDataset = bench.dataset
        self.settings = settings

    # -- the generated side ------------------------------------------------------------------------

    def generated(self, most: int | None = None) -> SetEvidence[Any]:
        """As many samples as the settings say, and at most `most`; of stored images as many as there are."""
        count = self.settings.samples if most is None else min(most, self.settings.samples)
        trained = self._bench.trained
        if isinstance(trained, StoredImages):
            return StoredSet(trained.checksum, min(count, len(trained.split)))
        return GeneratedSet(count, self.settings.block, self.settings.batch_norm)

    def told_labels(self) -> bool:
        """Whether the generated side has labels: a method whose conditions are labels, or stored images with some."""
        return told_labels(self._bench.trained)

    # -- the real side -----------------------------------------------------------------------------

    def splits(self) -> tuple[str, ...]:
        """The real splits that samples are held against.

        :raises Inapplicable: where nothing real is given but perhaps statistics.
        """
        if not self._bench.has_real:
            given = "no real images are given"
            if self._bench.imported is not None:
                given += ", and statistics of them serve Frechet distances alone"
            raise Inapplicable(given)
        return self.settings.splits

    def real(self, most: int | None = None, split: str | None = None) -> RealSet:
        """A whole split, and at most `most` of it; the first of :meth:`splits` where none is named.

        With a fold, as many of its items as every fold has.
        """
        chosen = self.splits()[0] if split is None else split
        size = self.dataset.count(chosen)
        return RealSet(chosen, size if most is None else min(most, size))

    def held_out(self) -> str:
        """The test split, or the train split, that the method was not trained on; else what it was trained on."""
        self.splits()
        trained_on = self.dataset.train_split
        unseen = (name for name in ("test", "train") if name not in parts_of(trained_on))
        return next((name for name in unseen if self.dataset.has_split(name)), trained_on)

    def has_labels(self, split: str | None = None) -> bool:
        """Whether a real split has labels."""
        return self.dataset.finite(self.splits()[0] if split is None else split).labels is not None

    def references(self, extractor: str) -> list[Evidence[Gaussian]]:
        """The real side of a Fréchet distance: imported statistics, or those of each split.

        :raises EvaluationError: where imported statistics say that they were made by another network.
        """
        imported = self._bench.imported
        if imported is not None:
            self._check_imported(extractor)
            return [ImportedStatistics(imported)]
        most = self.settings.real_samples
        return [Statistics(Features(self.real(most, split), extractor)) for split in self.splits()]

    def outlier_sets(self) -> list[OutlierSet]:
        """Every outlier set at every intensity that the settings name, with as many items as there are inliers.

        :raises Inapplicable: where none is named.
        """
        if not self.settings.outliers:
            raise Inapplicable("no outlier set is named (--set 'evaluation.outliers=[\"NAME\"]')")
        split = self.held_out()
        inliers = self.dataset.count(split)
        found = []
        for name in self.settings.outliers:
            count = min(inliers, len(self._bench.get(OutlierSplit(name, split))))
            found += [OutlierSet(name, split, intensity, count) for intensity in self.settings.intensities]
        return found

    def outlier_terms(self, outliers: OutlierSet) -> list[Term]:
        """Which outliers a protocol is about; their count is that of the inliers, which the id shows."""
        split = self._bench.get(OutlierSplit(outliers.dataset, outliers.split))
        base, own_files, _ = outliers.dataset.partition(":")
        # the same files have the same id wherever they lie
        shown = f"{base}-{split.checksum[:12]}" if own_files else outliers.dataset
        taken, fit = str(split.notes["split"]), str(split.notes.get("fit", "none"))
        return [
            Term("outliers", outliers.dataset, shown),
            Term("outliers_split", taken, None if taken == outliers.split else f"outliers-{taken}"),
            Term("outliers_checksum", split.checksum),
            Term("outliers_fit", fit, None if fit == "none" else fit.partition(" ")[0]),
            Term("outlier_count", outliers.items()),
            Term("intensity", outliers.intensity, f"intensity{outliers.intensity:g}"),
        ]

    # -- networks and capabilities -----------------------------------------------------------------

    def extractors(self, output: str = "features") -> list[str]:
        """Feature networks of the settings or of the data set that give `output`, in order.

        :raises EvaluationError: where one does not take these images.
        :raises Inapplicable: where none gives `output`.
        """
        named = self.dataset.spec.extractors if self.settings.extractors is None else self.settings.extractors
        names = [self.spec(name).name for name in named]  # one network has one name in protocols
        shape = self._a_split().values.shape[1:]
        for name in names:
            self._bench.extractor(name).check(shape)
        giving = [name for name in dict.fromkeys(names) if output in self._bench.extractor(name).outputs]
        if not giving:
            raise Inapplicable(f"no extractor in use ({', '.join(names) or 'none'}) gives {output}")
        return giving

    def spec(self, extractor: str) -> ExtractorSpec:
        """What is registered of a feature network."""
        return self._bench.catalog.extractor(extractor)

    def features(self, of: SetEvidence[Any], extractor: str, output: str = "features") -> Features:
        """Features of a set, under the settings' rule of quantisation; real and stored images are 8 bits already.

        :raises EvaluationError: where the rule leaves floats, and the network does not take them.
        """
        rule = self.settings.quantise if isinstance(of, GeneratedSet) else "round"
        if rule == "none":
            check_takes_floats(self._bench.extractor(extractor), extractor)
        return Features(of, extractor, output, rule)

    def can(self, capability: str | type) -> bool:
        """Whether the trained method has a capability, by its name or as a Protocol."""
        wanted = CAPABILITIES[capability] if isinstance(capability, str) else capability
        return isinstance(self._bench.trained, wanted)

    def require(self, capability: str | type) -> None:
        """:raises Inapplicable: where the trained method lacks a capability."""
        if not self.can(capability):
            name = capability if isinstance(capability, str) else capability.__name__
            raise Inapplicable(f"the method has no capability '{name}'")

    def reported(self, name: str) -> Reported:
        """What the method reports under a name; its names are the same before training and after.

        :raises Inapplicable: where the method does not report it.
        """
        self.require("reported")
        known = reported_by(self._bench)
        if name not in known:
            raise Inapplicable(f"the method does not report '{name}' (it reports: {', '.join(known) or 'nothing'})")
        return Reported(name)

    def calibration_terms(self) -> list[Term]:
        """Which split the method is calibrated by, for protocols of what it says afterwards.

        Nothing for what it was trained on, which is the rule, nor where it needs no calibration.

        :raises EvaluationError: where the data set has no such split.
        """
        check_calibration(self._bench.trained, self.dataset)
        if calibration_split(self._bench.trained) != "test":
            return []
        return [Term("calibrated_on", "test", "calibrated-test")]

    # -- protocols ---------------------------------------------------------------------------------

    def protocol(
        self,
        metric: str,
        *own: Term,
        generated: SetEvidence[Any] | Features | None = None,
        real: RealSet | Features | Evidence[Gaussian] | None = None,
    ) -> Protocol:
        """A protocol from the evidence and the metric's own terms."""
        features = next((side for side in (generated, real) if isinstance(side, Features)), None)
        samples = generated.of if isinstance(generated, Features) else generated
        terms: list[Term] = []
        if features is not None:
            terms += feature_terms(self._bench, features)
        terms += set_terms(self._bench)
        terms += real_terms(self._bench, real, samples)
        terms += own
        terms += generated_terms(self._bench, generated)
        return Protocol(metric, tuple(terms))

    # -- inside ------------------------------------------------------------------------------------

    def _a_split(self) -> Split:
        if not self._bench.has_real:
            stored: StoredImages = self._bench.trained
            return stored.split
        return self.dataset.finite(self.settings.splits[0])

    def _check_imported(self, extractor: str) -> None:
        imported = self._bench.imported
        assert imported is not None
        made_by = imported.about.get("extractor", extractor)
        if made_by != extractor:
            raise EvaluationError(
                f"{imported.path} holds statistics of extractor '{made_by}', not of '{extractor}'",
                f"use --extractor {made_by}, or another file",
            )
        for name, ours in measured_by(self._bench, Features(self.generated(), extractor)).items():
            theirs = imported.about.get(name, ours)
            if theirs != ours:
                raise EvaluationError(
                    f"{imported.path} was made by '{extractor}' of another kind: {name} is {theirs} there, {ours} here"
                )
