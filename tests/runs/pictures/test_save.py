from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import MetricSpec
from harness.data import load_dataset
from harness.evaluation import Measurement, MetricContext, StoredImages, Value, evaluate
from harness.runs import evaluate_images
from harness.runs.pictures.save import figures_in

PNG = b"\x89PNG\r\n\x1a\nof a test"


def test_a_picture_is_written_below_the_folder(tmp_path: Path) -> None:
    write = figures_in(tmp_path / "run")
    assert write is not None
    write("curve", PNG)
    write("curve", PNG + b"!")
    write("other", PNG)
    found = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {Path("run/curve.png"): PNG + b"!", Path("run/other.png"): PNG}


def test_without_a_folder_there_is_nothing_to_write_to() -> None:
    assert figures_in(None) is None


class Drawn:
    """A metric of two values, with a picture each."""

    def measurements(self, offer: MetricContext) -> Sequence[Measurement]:
        generated = offer.features(offer.generated(), "pixels")
        return [Measurement({"generated": generated}, drawn, {"x": offer.protocol("x", generated=generated)})]


def drawn(*, generated: Any) -> dict[str, list[Value]]:
    values = [Value(1.0, subject={"score": name}, figures={f"x-{name}": PNG + name.encode()}) for name in ("a", "b")]
    return {"x": values}


class WithDrawn:
    """A catalog with that metric alone."""

    spec = MetricSpec(name="x", summary="", metric="test_save:Drawn", names={"x": True})

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def all(self, kind: str) -> list[MetricSpec]:
        return [self.spec]

    def load_spec(self, kind: str, name: str, attribute: str) -> Any:
        return Drawn if kind == "metric" else self._catalog.load_spec(kind, name, attribute)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)


@pytest.mark.parametrize("folder", [None, "out"])
def test_pictures_of_values_go_where_the_evaluation_puts_them(
    catalog: Catalog, tmp_path: Path, folder: str | None
) -> None:
    digits = load_dataset(catalog, "digits", tmp_path)
    with_drawn: Any = WithDrawn(catalog)
    entries = evaluate(
        StoredImages(digits.finite("test")),
        dataset=digits,
        settings=EvaluationSettings(),
        catalog=with_drawn,
        seed=0,
        device="cpu",
        figures=figures_in(tmp_path / folder if folder else None),
    )
    assert [entry.subject for entry in entries] == [{"score": "a"}, {"score": "b"}]
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.png")} == (
        {"x-a.png": PNG + b"a", "x-b.png": PNG + b"b"} if folder else {}
    )


def test_pictures_lie_beside_the_record_of_an_evaluation_of_images(catalog: Catalog, tmp_path: Path) -> None:
    with_drawn: Any = WithDrawn(catalog)
    evaluate_images(with_drawn, "digits", None, out=tmp_path / "out", device="cpu")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["out/evaluation.json", "out/figures/x-a.png", "out/figures/x-b.png"]
