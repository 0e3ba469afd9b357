from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from cleanfid.fid import get_files_features
from cleanfid.inception_torchscript import InceptionV3W
from floats import assert_floats_are_seen
from PIL import Image
from torch import Tensor, nn

from harness.builtin.extractors.inception_clean import load
from harness.errors import EvaluationError

CPU = torch.device("cpu")


class StandIn(nn.Module):
    """A small network with the parts that clean-fid calls in the published program."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 7, 7), nn.ReLU(), nn.AvgPool2d(7), nn.Flatten(), nn.Linear(288, 2048)
        )

    def forward(self, images: Tensor, return_features: bool = True) -> Tensor:
        return self.layers(images)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in as a TorchScript file with the published name."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("clean") / "inception-2015-12-05.pt"
    torch.jit.script(StandIn()).save(str(path))
    return path


def test_features_are_those_of_clean_fid_for_the_same_pictures_in_files(
    program: Path, tmp_path: Path, colour: Tensor, grey: Tensor
) -> None:
    names = []
    for number, image in enumerate([*colour, *grey]):
        names.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(image.permute(1, 2, 0).squeeze(-1).numpy()).save(names[-1])
    model = InceptionV3W(str(program.parent), download=False)
    theirs = get_files_features(names, model, num_workers=0, batch_size=2, device=CPU, mode="clean", verbose=False)
    extractor = load(program, CPU)
    assert extractor.outputs == ("features",)
    ours = torch.cat([extractor(images)["features"] for images in (colour, grey)])
    assert ours.shape == (7, 2048)
    assert np.allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-5)
    assert float(ours.std(0).mean()) > 1e-3


def test_the_same_images_have_the_same_bits_however_often_they_are_seen(
    program: Path, colour: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimised = []
    plain = InceptionV3W.forward

    def watched(network: InceptionV3W, images: Tensor) -> Tensor:
        optimised.append(torch._C._get_graph_executor_optimize())
        return plain(network, images)

    monkeypatch.setattr(InceptionV3W, "forward", watched)
    extractor = load(program, CPU)
    first, *others = (extractor(colour)["features"] for _ in range(4))
    assert all(torch.equal(first, other) for other in others)
    assert not first.requires_grad
    # which a small network does not show: programs that are rewritten after the first calls round otherwise
    assert optimised == [False] * 4


def test_a_file_that_is_no_program_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "inception-2015-12-05.pt").write_bytes(b"no program")
    with pytest.raises(EvaluationError, match="weights of extractor 'inception-clean' at .* do not fit") as caught:
        load(tmp_path / "inception-2015-12-05.pt", CPU)
    assert "\n" not in str(caught.value)


def test_floats_are_resized_and_seen_as_they_are(program: Path, colour: Tensor) -> None:
    assert_floats_are_seen(load(program, CPU), colour)
