from __future__ import annotations

from pathlib import Path

import pytest
import torch
from floats import assert_floats_are_seen

from harness.builtin.extractors.registry import SPECS
from harness.builtin.extractors.small_cnn import FEATURES, SmallCnn, load_digits_cnn
from harness.catalog import Catalog
from harness.data import LoadedDataset, load_dataset
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import open_extractor

CPU = torch.device("cpu")


def accuracy(catalog: Catalog, name: str, dataset: LoadedDataset) -> float:
    split = dataset.finite("test")
    assert split.labels is not None
    extractor = open_extractor(catalog, name, CPU)
    parts = torch.from_numpy(split.values).split(500)
    answers = torch.cat([extractor(part)["logits"].argmax(1) for part in parts])
    return float((answers == torch.from_numpy(split.labels)).double().mean())


def test_digits_cnn_is_right_on_97_percent_of_held_out_digits(catalog: Catalog) -> None:
    assert accuracy(catalog, "digits-cnn", load_dataset(catalog, "digits", Path("unused"))) >= 0.97


def test_mnist_cnn_is_right_on_99_percent_of_the_test_images(catalog: Catalog, real_data: Path) -> None:
    assert accuracy(catalog, "mnist-cnn", load_dataset(catalog, "mnist", real_data)) >= 0.992


def test_mnist_cnn_pads_28_pixels_to_32_exactly(catalog: Catalog) -> None:
    extractor = open_extractor(catalog, "mnist-cnn", CPU)
    images = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    padded = torch.zeros(5, 1, 32, 32, dtype=torch.uint8)
    padded[:, :, 2:30, 2:30] = images
    for output in ("features", "logits"):
        assert torch.equal(extractor(images)[output], extractor(padded)[output])


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 64, 64), (3, 32, 32), (1, 28, 32), (2,)])
def test_mnist_cnn_never_resizes(catalog: Catalog, shape: tuple[int, ...]) -> None:
    extractor = open_extractor(catalog, "mnist-cnn", CPU)
    with pytest.raises(EvaluationError, match="takes 1x28x28 or 1x32x32 images"):
        extractor.check(shape)
    if len(shape) == 3:
        with pytest.raises(EvaluationError, match="takes 1x28x28 or 1x32x32 images"):
            extractor(torch.zeros(2, *shape, dtype=torch.uint8))


def test_digits_cnn_takes_8_pixels_only(catalog: Catalog) -> None:
    with pytest.raises(EvaluationError, match=r"'digits-cnn' takes 1x8x8 images, not 1x28x28; name another: --set"):
        open_extractor(catalog, "digits-cnn", CPU).check((1, 28, 28))


def test_an_image_has_the_same_features_whatever_stands_beside_it(catalog: Catalog) -> None:
    extractor = open_extractor(catalog, "digits-cnn", CPU)
    images = torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([extractor(image[None])["features"] for image in images])
    assert torch.allclose(extractor(images)["features"], alone, rtol=1e-4, atol=1e-4)


def test_features_of_real_digits_have_a_covariance_of_full_rank(catalog: Catalog) -> None:
    split = load_dataset(catalog, "digits", Path("unused")).finite("train")
    features = open_extractor(catalog, "digits-cnn", CPU)(torch.from_numpy(split.values))["features"].double()
    assert features.shape == (1437, FEATURES)
    spread = torch.linalg.eigvalsh(features.T.cov())
    assert float(spread[-1] / spread[0]) < 1e5


def test_weights_that_are_no_state_of_this_network_are_refused_in_one_line(tmp_path: Path) -> None:
    torch.save(SmallCnn(32).state_dict() | {"more": torch.zeros(1)}, tmp_path / "more.pt")
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 torn")
    for file in ("more.pt", "torn.pt"):
        with pytest.raises(EvaluationError, match="do not fit") as caught:
            load_digits_cnn(tmp_path / file, CPU)
        assert "\n" not in str(caught.value)


def test_weights_ship_with_the_package_below_a_megabyte() -> None:
    shipped = [spec for spec in SPECS if (spec.packaged or "").startswith("harness.")]
    assert {"digits-cnn", "mnist-cnn"} <= {spec.name for spec in shipped}
    for spec in shipped:
        assert spec.weights is not None
        path = Path(__file__).parents[3] / "harness" / "builtin" / "extractors" / spec.weights.name
        assert path.stat().st_size == spec.weights.size
        assert path.stat().st_size <= 2**20


@pytest.mark.parametrize(("name", "shape"), [("digits-cnn", (1, 8, 8)), ("mnist-cnn", (1, 28, 28))])
def test_floats_are_seen_as_they_are(catalog: Catalog, name: str, shape: tuple[int, ...]) -> None:
    images = torch.randint(0, 256, (2, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert_floats_are_seen(open_extractor(catalog, name, CPU), images)
