"""The terms that protocols share: which network, which data, how many of what, how samples were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import EvaluationError
from harness.evaluation.evidence.base import SetEvidence
from harness.evaluation.evidence.features import Features, kept_statistics, measured_by
from harness.evaluation.evidence.image_sets import GeneratedSet, RealSet
from harness.evaluation.evidence.images_in_files import StoredSet
from harness.evaluation.evidence.real_statistics import ImportedStatistics, Statistics
from harness.evaluation.feature_networks.weights import made_sha256
from harness.evaluation.protocols.protocol import Term
from harness.evaluation.sampling.quantise import SHOWN

if TYPE_CHECKING:
    from harness.evaluation.evidence.base import Bench

#: what an imported file of another tool leaves open
UNKNOWN = "?"


def feature_terms(bench: Bench, features: Features) -> list[Term]:
    """Which network looked at the images, and how they were made to fit it.

    Two trainings of one network are two networks: the id shows the checksum of weights that were made here.
    """
    made = made_sha256(bench.catalog.extractor(features.extractor))
    name = features.extractor if made is None else f"{features.extractor}-{made[:12]}"
    fields = measured_by(bench, features)
    shown = {"extractor": name, "resize": fields["resize"]}
    return [Term(key, value, shown.get(key)) for key, value in fields.items()]


def set_terms(bench: Bench) -> list[Term]:
    """Which data the method was held against; nothing where only imported statistics stand for it."""
    if not bench.has_real:
        return []
    fit, fitting = bench.dataset.fit, bench.dataset.fitting
    shown = None if fit is None or fitting == "none" else f"{fit.how}{fit.after[1]}"
    terms = [Term("dataset", bench.dataset.name), Term("fit", fitting, shown)]
    if bench.dataset.fold is not None:  # which of them is no part of the measuring: folds are repetitions
        terms.append(Term("folds", bench.dataset.fold.of, f"folds{bench.dataset.fold.of}"))
    return terms


def real_terms(bench: Bench, real: Any, samples: SetEvidence[Any] | None) -> list[Term]:
    """Which real items and how many, against how many samples."""
    generated = [] if samples is None else [Term("generated_count", samples.items())]
    if real is None:
        assert samples is not None
        return [Term("generated_count", samples.items(), str(samples.items()))]
    if isinstance(real, ImportedStatistics):
        return [*_imported_terms(bench, real, samples), *generated]
    items = real.of.of if isinstance(real, Statistics) else real.of if isinstance(real, Features) else real
    if not isinstance(items, RealSet):
        raise EvaluationError("the real side of a protocol is a real set, its features or its statistics")
    checksum = bench.dataset.checksum(items.split)
    kept = kept_statistics(bench, real.of) if isinstance(real, Statistics) else None
    taken_over = [Term("real_statistics_sha256", kept.source)] if kept is not None and kept.source else []
    return [
        *taken_over,
        Term("split", items.split, items.split),
        Term("real_checksum", checksum),
        Term("real_count", items.count, _counts(items.count, samples)),
        *generated,
    ]


def _imported_terms(bench: Bench, real: ImportedStatistics, samples: SetEvidence[Any] | None) -> list[Term]:
    """What a file of statistics says of itself; where it says all, the same as if they had been computed here."""
    about = real.file.about
    count = UNKNOWN if real.file.gaussian.count is None else real.file.gaussian.count
    counts = Term("real_count", count, _counts(count, samples))
    if not about:
        return [Term("real_statistics_sha256", real.file.sha256, f"stats-{real.file.sha256[:12]}"), counts]
    said = {key: str(about.get(key, UNKNOWN)) for key in ("dataset", "fit", "split", "real_checksum")}
    told = [Term(key, value, value if key == "split" else None) for key, value in said.items()]
    # data set and fit stand there already where real images are given beside the statistics
    return [*(term for term in told if not (bench.has_real and term.key in ("dataset", "fit"))), counts]


def _counts(real: int | str, samples: SetEvidence[Any] | None) -> str:
    return str(real) if samples is None else f"{real}x{samples.items()}"


def generated_terms(bench: Bench, generated: SetEvidence[Any] | Features | None) -> list[Term]:
    """How samples were made and became 8 bits, or did not; of stored images no more is known than that."""
    samples = generated.of if isinstance(generated, Features) else generated
    if isinstance(samples, StoredSet):
        return [Term("quantise", "stored", "uint8-stored")]
    if not isinstance(samples, GeneratedSet):
        return []
    terms = []
    if isinstance(generated, Features):
        terms.append(Term("quantise", generated.quantise, SHOWN[generated.quantise]))
    terms.append(Term("block", samples.block, f"block{samples.block}"))
    terms.append(Term("batch_norm", samples.batch_norm, f"bn-{samples.batch_norm}"))
    return terms
