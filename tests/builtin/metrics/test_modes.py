from __future__ import annotations

from pathlib import Path

from offering import measured, offering

from harness.builtin.metrics.modes import RecoveredModes
from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.data import load_dataset
from harness.doctor.patients import Replay
from harness.evaluation import Bench, MetricContext


def test_points_are_held_against_their_law(catalog: Catalog) -> None:
    ring = load_dataset(catalog, "ring2d", Path("unused"))
    bench = Bench(Replay(ring.finite("train")), ring, catalog, 0, "cpu")
    found = RecoveredModes().measurements(MetricContext(bench, EvaluationSettings(samples=100)))
    assert [key for each in found for key in each.protocols] == [
        "modes", "high_quality_pct", "modes", "high_quality_pct", "reverse_kl_nats", "reverse_kl_log10",
    ]  # fmt: skip
    assert found[-1].protocols["reverse_kl_log10"].id == "reverse_kl[100,log10,nearest,block250,bn-eval]"


def test_images_are_held_against_their_classes(catalog: Catalog) -> None:
    _, offer = offering(None, catalog)
    images = Replay(offer.dataset.finite("test"))
    found = measured(RecoveredModes(), images, catalog, extractors=("digits-cnn",))
    assert found["modes[digits-cnn,native,100,uint8-round,block250,bn-eval]"].value == 10
