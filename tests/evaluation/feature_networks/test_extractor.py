from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.catalog import Catalog
from harness.contracts.specs import ExtractorSpec, RemoteFile
from harness.errors import EvaluationError, UnknownName
from harness.evaluation.feature_networks.extractor import open_extractor
from harness.evaluation.feature_networks.weights import is_made_here

CPU = torch.device("cpu")


class OneExtractor(Catalog):
    """A catalog with one extractor, which loads as its own weights' path."""

    def __init__(self, spec: ExtractorSpec, load: Callable[..., Any] = lambda path, device: path) -> None:
        self.spec = spec
        self.load_it = load

    def extractor(self, name: str) -> ExtractorSpec:
        return self.spec

    def load_spec(self, kind: str, name: str, attribute: str):  # type: ignore[no-untyped-def]
        return self.load_it


def spec(content: bytes | None, extra: str | None = None) -> ExtractorSpec:
    digest = hashlib.sha256(content or b"").hexdigest()
    weights = RemoteFile(name="net.pt", url="https://example.org/net.pt", sha256=digest)
    return ExtractorSpec(
        name="net", summary="", load="x:y", accepts="", weights=None if content is None else weights, extra=extra
    )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of weights in its place."""
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.pt").write_bytes(b"right")
    return tmp_path / "net" / "net.pt"


def test_weights_that_agree_with_the_checksum_are_handed_over(file: Path) -> None:
    assert open_extractor(OneExtractor(spec(b"right")), "net", CPU) == file


def test_weights_with_another_checksum_never_reach_the_code_that_loads_them(file: Path) -> None:
    catalog = OneExtractor(spec(b"wrong"), lambda path, device: pytest.fail("it was loaded"))
    with pytest.raises(EvaluationError, match=r"sha256 is [0-9a-f]{64}, but [0-9a-f]{64}") as caught:
        open_extractor(catalog, "net", CPU)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_an_error_that_says_which_file_goes_where(file: Path) -> None:
    file.unlink()
    with pytest.raises(EvaluationError, match=r"net/net\.pt is missing; get it with: harness weights fetch net"):
        open_extractor(OneExtractor(spec(b"right")), "net", CPU)


def needs_a_package(path: Path | None, device: torch.device) -> None:
    import no_such_package  # type: ignore[import-not-found]  # noqa: F401


def test_a_package_that_is_missing_is_an_error_that_names_the_extra() -> None:
    with pytest.raises(
        EvaluationError, match=r"needs the package no_such_package.*; pip install 'gan-harness\[more\]'"
    ):
        open_extractor(OneExtractor(spec(None, extra="more"), needs_a_package), "net", CPU)
    with pytest.raises(ModuleNotFoundError):  # no extra would help: this is a mistake of the plugin
        open_extractor(OneExtractor(spec(None), needs_a_package), "net", CPU)


def test_opening_a_network_leaves_the_random_numbers_of_the_caller_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    open_extractor(OneExtractor(spec(None), lambda path, device: torch.nn.Linear(3, 3)), "net", CPU)
    assert torch.equal(torch.rand(3), expected)


def test_unknown_extractors_are_refused_with_near_names(catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match="did you mean 'mnist-cnn'"):
        open_extractor(catalog, "mnist-cn", CPU)


def built_in(catalog: Catalog) -> list[ExtractorSpec]:
    return [s for s in catalog.all("extractor") if isinstance(s, ExtractorSpec)]


def test_every_packaged_extractor_opens_with_its_checksum_verified(catalog: Catalog) -> None:
    packaged = [s for s in built_in(catalog) if (s.packaged or not s.weights) and not s.extra]
    assert {"pixels", "digits-cnn", "mnist-cnn", "stacked-mnist-cnn"} <= {s.name for s in packaged}
    for each in packaged:
        opened = open_extractor(catalog, each.name, CPU)
        assert "features" in opened.outputs
        assert 128 % opened.batch == 0
        assert isinstance(opened.resize, str)


def test_every_file_of_weights_that_is_published_has_a_whole_checksum(catalog: Catalog) -> None:
    for each in built_in(catalog):
        if each.weights is not None:
            for file in each.weights.contents or (each.weights,):
                if is_made_here(each, file):
                    continue
                assert len(file.sha256 or "") == 64, (each.name, file.name)


def test_without_its_weights_every_other_network_says_how_to_get_them(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    remote = [s.name for s in built_in(catalog) if s.weights and not s.packaged]
    assert {"inception-tf", "inception-clean", "vgg16", "dinov2", "lpips-vgg16", "cifar10-cnn"} <= set(remote)
    for name in remote:
        how = "make it with: python -m" if name == "cifar10-cnn" else "get it with: harness weights fetch"
        with pytest.raises(EvaluationError, match=f"{tmp_path}/{name}/.* missing; {how} .*{name}"):
            open_extractor(catalog, name, CPU)


def test_data_sets_that_logits_stand_for_are_named(catalog: Catalog) -> None:
    said = {s.name: s.classifies for s in built_in(catalog) if s.classifies}
    assert said == {
        "digits-cnn": "digits",
        "mnist-cnn": "mnist",
        "stacked-mnist-cnn": "stacked_mnist",
        "cifar10-cnn": "cifar10",
    }


def test_only_inception_gives_a_distance_the_right_to_be_called_fid(catalog: Catalog) -> None:
    assert {s.name for s in built_in(catalog) if s.inception} == {"inception-tf", "inception-clean"}
