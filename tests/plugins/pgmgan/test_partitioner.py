"""The partitioner: its size, the linearity of what follows phi, and what its modes and its state keep."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from harness_pgmgan.partitioner import ContrastiveHead, Encoder, Partitioner
from torch import Tensor

K = 7


def small(k: int = K) -> Partitioner:
    torch.manual_seed(0)
    return Partitioner(Encoder((1, 8, 8), width=4, groups=3, blocks=1, hidden=12), k)


def images(n: int = 6) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(n, 1, 8, 8) * 2 - 1


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_size_at_the_papers_shape() -> None:
    with torch.device("meta"):
        made = Partitioner(Encoder((3, 32, 32)), 200)
        images = torch.empty(2, 3, 32, 32)
    body = 0
    for channels in (3, 12, 48, 192, 768):
        enter, middle, leave = 9 * channels * 160 + 160, 160 * 160 + 160, 9 * 160 * channels + channels
        body += 4 * (enter + middle + leave)
    act_norms = 4 * 2 * (3 + 12 + 48 + 192 + 768)
    head = 2 * 768 + (768 * 512 + 512) + (512 * 200 + 200)
    assert body == 12_307_452
    assert parameters(made) == body + act_norms + head == 12_813_500
    assert made(images).shape == (2, 200)
    assert made.encoder(images).shape == (2, 512)
    assert made.encoder.body.shape == (768, 2, 2)


def test_all_after_the_batch_norm_is_one_matrix() -> None:
    made = small().double()
    x = images().double()
    made(x)
    made.eval()
    phi = made.encoder.body(x)  # [N, 16, 2, 2]
    rows = F.leaky_relu(made.encoder.norm(phi), 0.2).flatten(1)
    one_channel = made.head.weight @ made.encoder.project.weight  # [k, 16]
    matrix = one_channel.repeat_interleave(4, dim=1) / 4  # each of the 2 x 2 pixels of a channel counts a quarter
    bias = made.head.weight @ made.encoder.project.bias + made.head.bias
    torch.testing.assert_close(made(x), rows @ matrix.T + bias)
    torch.testing.assert_close(made(x), made.head(made.encoder(x)))


def test_the_batch_norm_keeps_nine_tenths_of_its_statistics() -> None:
    made = small()
    x = images()
    made(x)  # sets the ActNorms
    before = made.encoder.norm.running_mean.clone()
    made(x)
    with torch.no_grad():
        of_batch = made.eval().encoder.body(x).mean((0, 2, 3))
    # the second pass moved the power iteration's vectors before it used them, as eval mode does now
    torch.testing.assert_close(made.encoder.norm.running_mean, 0.9 * before + 0.1 * of_batch)


def test_eval_mode_changes_nothing_and_treats_each_image_alone() -> None:
    made = small()
    made(images())
    made.eval()
    kept = copy.deepcopy(made.state_dict())
    together = made(images())
    alone = torch.cat([made(image[None]) for image in images()])
    torch.testing.assert_close(together, alone)
    for name, value in made.state_dict().items():
        assert torch.equal(value, kept[name]), name


def test_the_state_is_all_there_is() -> None:
    made = small()
    for _ in range(3):
        made(images())
    torch.manual_seed(5)
    other = Partitioner(Encoder((1, 8, 8), width=4, groups=3, blocks=1, hidden=12), K)
    other.load_state_dict(made.state_dict())
    x = images() * 0.5
    assert torch.equal(other(x), made(x))  # a training pass: neither the ActNorms nor the vectors start anew
    for name, value in made.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_a_training_pass_draws_no_random_numbers() -> None:
    made = small()
    state = torch.get_rng_state()
    made(torch.zeros(2, 1, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)


def test_every_parameter_gets_a_gradient() -> None:
    made = small()
    made(images()).square().sum().backward()
    assert [name for name, p in made.named_parameters() if p.grad is None] == []


def test_logits_in_full_precision_under_autocast() -> None:
    made = small()
    made(images())
    made.eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, features = made(images()), made.encoder(images())
    assert logits.dtype == features.dtype == torch.float32
    assert torch.equal(logits, made.head(features))


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_the_contrastive_head_is_a_relu_between_two_linear_maps_on_the_sphere(scale: float) -> None:
    torch.manual_seed(0)
    head = ContrastiveHead(hidden=12, out=5)
    x = scale * torch.randn(6, 12)
    hidden = (x @ head.enter.weight.T + head.enter.bias).clamp_min(0)
    out = hidden @ head.leave.weight.T + head.leave.bias
    torch.testing.assert_close(head(x), out / out.square().sum(1, keepdim=True).sqrt())
    torch.testing.assert_close(head(x).norm(dim=1), torch.ones(6))


def test_the_contrastive_head_is_exact_under_autocast() -> None:
    torch.manual_seed(0)
    head, x = ContrastiveHead(hidden=12, out=5), torch.randn(6, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(x)
    assert torch.equal(found, head(x))


def test_the_contrastive_heads_size() -> None:
    with torch.device("meta"):
        assert parameters(ContrastiveHead()) == (512 * 512 + 512) + (512 * 128 + 128)
