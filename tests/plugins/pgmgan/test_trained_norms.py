"""What theorem 3 needs of a partitioner of images, on one that both stages have trained on real digits."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from harness_pgmgan.graph_partition import GraphPartition
from harness_pgmgan.guide import guide
from harness_pgmgan.invertible import ResidualBlock
from harness_pgmgan.operator_norm import CappedConv
from harness_pgmgan.partitioner import Partitioner
from torch import Tensor, nn

from harness import Stream
from harness.catalog import Catalog
from harness.data import Split, TrainingData, load_dataset
from harness.experiment import resolve
from harness.randomness import seed_everything
from harness.training.build import build_method
from harness.training.runtime import Runtime

K, CAP, STEPS = 5, 0.9, 8

SETTINGS = {
    "backbone": {"width": 4},
    "partitions": K,
    "pretext": {"steps": STEPS, "batch_size": 32, "lr": 0.1},
    "partition": {
        "steps": STEPS,
        "batch_size": 32,
        "items": 200,
        "width": 6,
        "groups": 3,
        "blocks": 2,
        "hidden": 16,
    },
}


class Trained(NamedTuple):
    """A partition after both its stages, all training data, and 300 digits [300, 1, 8, 8] in [-1, 1]."""

    partition: GraphPartition
    whole: TrainingData
    images: Tensor

    @property
    def partitioner(self) -> Partitioner:
        return self.partition.partitioner


@pytest.fixture(scope="module")
def trained(catalog: Catalog) -> Trained:
    """Trained as the loop does it, for a few steps, and at the tiny scale's learning rates."""
    experiment = resolve(catalog, plugin="pgmgan", dataset="digits", scale="tiny", overrides=SETTINGS)
    dataset = load_dataset(catalog, "digits", Path("none"))
    method, ctx = build_method(experiment, dataset.problem(), Runtime(torch.device("cpu")), catalog)
    partition = method.partition  # type: ignore[attr-defined]
    assert isinstance(partition, GraphPartition)
    split = dataset.training()
    assert isinstance(split, Split)
    whole = TrainingData.of(split, ctx.device)
    with torch.no_grad():  # so large that every cap is at work throughout
        for conv in convolutions(partition.partitioner):
            conv.weight.mul_(4.0)
    before = [conv.weight.clone() for conv in convolutions(partition.partitioner)]
    for stage in partition.stages():
        data = stage.data(whole) if stage.data else whole  # type: ignore[arg-type]
        stream = Stream(data, experiment.settings.batch_size, (0, stage.name))
        assert stage.begin is not None
        stage.begin()
        for ctx.step in range(stage.steps):
            seed_everything(0, stage.name, ctx.step)
            stage.step(stream)
        assert stage.finish is not None
        stage.finish(data)  # type: ignore[arg-type]
    pairs = zip(convolutions(partition.partitioner), before, strict=True)
    assert min((conv.weight - old).norm() / old.norm() for conv, old in pairs) > 1e-3  # the steps did something
    partition.partitioner.requires_grad_(False)
    return Trained(partition, whole, whole.at(torch.arange(300)).images)


def convolutions(network: nn.Module) -> list[CappedConv]:
    return [module for module in network.modules() if isinstance(module, CappedConv)]


def blocks(partitioner: Partitioner, images: Tensor) -> Iterator[tuple[ResidualBlock, Tensor]]:
    """Every block with its inputs [N, C, H, W], which are what the layers before it make of the images."""
    x = images
    for layer in partitioner.encoder.body.layers:
        if isinstance(layer, ResidualBlock):
            yield layer, x
        x = layer(x)


def norm_on(conv: CappedConv, weight: Tensor, size: torch.Size) -> float:
    """Largest singular value of the convolution as a dense matrix, on maps [*, H, W] of this size."""
    inputs = conv.in_channels * size[-2] * size[-1]
    basis = torch.eye(inputs, dtype=torch.float64).view(inputs, conv.in_channels, *size[-2:])
    columns = F.conv2d(basis, weight.double(), padding=conv.padding)  # type: ignore[arg-type]
    return torch.linalg.svdvals(columns.flatten(1))[0].item()


def bound(block: ResidualBlock) -> float:
    """By how much a block may bring its inputs nearer at most: 1 - cap^3, times its smallest scale."""
    return (1 - CAP**3) * block.norm.log_scale.exp().min().item()


def test_every_convolution_stays_below_its_cap(trained: Trained) -> None:
    partitioner, images = trained.partitioner, trained.images
    assert len(convolutions(partitioner)) == 3 * 3 * 2
    for block, x in blocks(partitioner, images[:1]):
        for conv in convolutions(block):
            assert norm_on(conv, conv.weight, x.shape) > 1.2 * CAP  # the cap is at work
            assert norm_on(conv, conv.limit(conv.weight), x.shape) == pytest.approx(CAP, abs=1e-3)


def test_counting_partitions_first_finds_the_norms_anew(trained: Trained) -> None:
    """From random vectors a hundred iterations come near: here, two singular values are 0.2 % apart."""
    partitioner, images = trained.partitioner, trained.images
    kept = copy.deepcopy(partitioner.state_dict())
    torch.manual_seed(0)
    for conv in convolutions(partitioner):
        conv.limit.v.copy_(F.normalize(torch.randn_like(conv.limit.v).flatten(), dim=0).view_as(conv.limit.v))
    pairs = [(conv, x.shape) for block, x in blocks(partitioner, images[:1]) for conv in convolutions(block)]
    before = [norm_on(conv, conv.limit(conv.weight), size) for conv, size in pairs]
    trained.partition.count(trained.whole)
    after = [norm_on(conv, conv.limit(conv.weight), size) for conv, size in pairs]
    partitioner.load_state_dict(kept)
    assert min(before) > 1.1 * CAP
    assert max(after) <= 1.01 * CAP


def test_the_guide_is_zero_exactly_in_the_partition_and_slopes_everywhere_else(trained: Trained) -> None:
    partitioner, images = trained.partitioner, trained.images
    own = partitioner(images).argmax(1)
    assert len(own.unique()) > 1
    every = torch.arange(K).repeat(len(images))
    x = images.repeat_interleave(K, 0).requires_grad_()
    distance = guide(partitioner(x), every)
    inside = every == own.repeat_interleave(K)
    assert (distance[inside] == 0).all()
    assert (distance[~inside] > 0).all()
    (gradient,) = torch.autograd.grad(distance.sum(), x)
    steepness = gradient.flatten(1).norm(dim=1)
    assert (steepness[inside] == 0).all()
    assert (steepness[~inside] > 1e-4).all()


def test_every_block_keeps_digits_apart(trained: Trained) -> None:
    partitioner, images = trained.partitioner, trained.images
    torch.manual_seed(0)
    for block, x in blocks(partitioner, images):
        y = x[torch.randperm(len(x))]
        near = (x - y).flatten(1).norm(dim=1)
        different = near > 0
        assert different.sum() > 290
        far = (block(x) - block(y)).flatten(1).norm(dim=1)
        assert (far >= bound(block) * near)[different].all()
        # because the branch moves them by less than they are apart
        a, b = block.norm(x), block.norm(y)
        moved = (block.branch(a) - block.branch(b)).flatten(1).norm(dim=1)
        assert (moved <= CAP**3 * (1 + 1e-4) * (a - b).flatten(1).norm(dim=1))[different].all()


def test_no_direction_at_a_digit_is_shrunk_below_the_bound(trained: Trained) -> None:
    """The bound for neighbours in the worst of all directions: the smallest singular value of a block's Jacobian."""
    partitioner, images = trained.partitioner, trained.images
    for block, x in blocks(partitioner, images[:3]):
        for one in x:
            jacobian = torch.autograd.functional.jacobian(lambda z, block=block: block(z[None]).flatten(), one)
            smallest = torch.linalg.svdvals(jacobian.flatten(1))[-1].item()
            assert smallest >= bound(block) * (1 - 1e-4)


def test_features_are_as_many_as_pixels_and_give_the_digits_back(trained: Trained) -> None:
    partitioner, images = trained.partitioner, trained.images
    body = partitioner.encoder.body
    features = body(images[:30])
    assert features[0].numel() == images[0].numel()
    torch.testing.assert_close(body.inverse(features, iterations=50), images[:30], atol=1e-3, rtol=0)
