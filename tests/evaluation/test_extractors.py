from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from harness.catalog import Catalog
from harness.errors import EvaluationError, UnknownName
from harness.evaluation.extractors import open_extractor
from harness.specs import ExtractorSpec, RemoteFile

CPU = torch.device("cpu")


class OneExtractor(Catalog):
    """A catalog with one extractor, which loads as its own weights' path."""

    def __init__(self, spec: ExtractorSpec) -> None:
        self.spec = spec

    def extractor(self, name: str) -> ExtractorSpec:
        return self.spec

    def load_spec(self, kind: str, name: str, attribute: str):  # type: ignore[no-untyped-def]
        return lambda path, device: path


def spec(content: bytes, packaged: str | None = None) -> ExtractorSpec:
    digest = hashlib.sha256(content).hexdigest()
    weights = RemoteFile(name="net.pt", url="https://example.org/net.pt", sha256=digest)
    return ExtractorSpec(name="net", summary="", load="x:y", accepts="", weights=weights, packaged=packaged)


def test_weights_that_agree_with_the_checksum_are_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.pt").write_bytes(b"right")
    assert open_extractor(OneExtractor(spec(b"right")), "net", CPU) == tmp_path / "net" / "net.pt"


def test_weights_with_another_checksum_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.pt").write_bytes(b"wrong")
    with pytest.raises(EvaluationError, match=r"SHA-256 [0-9a-f]{12}\.\.\., expected [0-9a-f]{12}") as caught:
        open_extractor(OneExtractor(spec(b"right")), "net", CPU)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_an_error_that_says_which_file_goes_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    with pytest.raises(EvaluationError, match=r"net/net\.pt is missing; put the published file from https://example"):
        open_extractor(OneExtractor(spec(b"right")), "net", CPU)


def test_missing_packaged_weights_point_to_the_package() -> None:
    with pytest.raises(EvaluationError, match="install the package that offers 'net' again"):
        open_extractor(OneExtractor(spec(b"", packaged="harness.evaluation:net.pt")), "net", CPU)


def test_unknown_extractors_are_refused_with_near_names(catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match="did you mean 'mnist-cnn'"):
        open_extractor(catalog, "mnist-cn", CPU)


def test_every_packaged_extractor_opens_with_its_checksum_verified(catalog: Catalog) -> None:
    packaged = [s for s in catalog.all("extractor") if isinstance(s, ExtractorSpec) and (s.packaged or not s.weights)]
    assert {"pixels", "digits-cnn", "mnist-cnn"} <= {s.name for s in packaged}
    for each in packaged:
        assert "features" in open_extractor(catalog, each.name, CPU).outputs
