"""What a network is told: numbers, several labels, weights of all; one function embeds them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness.builtin.models.dcgan.backbone import build as dcgan
from harness.builtin.models.dcgan.dcgan_settings import DcganSettings
from harness.builtin.models.mlp.backbone import build as mlp
from harness.builtin.models.mlp.mlp_settings import MlpSettings
from harness.builtin.models.residual.biggan import build as biggan
from harness.builtin.models.residual.biggan_settings import BigGANSettings
from harness.builtin.models.residual.sngan import build as sngan
from harness.builtin.models.residual.sngan_settings import SnganSettings
from harness.layers import as_rows, embed

K = 6
TABLE = torch.randn(K, 4, generator=torch.Generator().manual_seed(0))
NUMBERS = torch.tensor([5, 0, 3])
LABELS = torch.tensor([[2, 0], [1, 1], [0, 2]])  # each below K / 2


def test_a_number_is_a_row() -> None:
    assert torch.equal(embed(TABLE, NUMBERS), TABLE[NUMBERS])
    assert torch.equal(embed(TABLE, as_rows(NUMBERS, K)), TABLE[NUMBERS])
    assert torch.equal(as_rows(NUMBERS, K), F.one_hot(NUMBERS, K).float())


def test_several_labels_are_a_sum_of_rows_each_from_its_own_part_of_the_table() -> None:
    expected = torch.stack([TABLE[2] + TABLE[3], TABLE[1] + TABLE[4], TABLE[0] + TABLE[5]])
    torch.testing.assert_close(embed(TABLE, LABELS), expected)
    torch.testing.assert_close(embed(TABLE, as_rows(LABELS, K)), expected)
    assert as_rows(LABELS, K).tolist()[0] == [0, 0, 1, 1, 0, 0]


def test_weights_are_a_weighted_sum_and_have_a_gradient() -> None:
    weights = torch.rand(3, K, dtype=torch.float64).requires_grad_()
    table = TABLE.double()
    torch.testing.assert_close(embed(table, weights), weights @ table)
    assert torch.autograd.gradcheck(lambda w: embed(table, w).sin(), weights)
    with torch.autocast("cpu", torch.bfloat16):  # a table is looked up in full precision, whatever the form
        assert embed(TABLE, weights.detach().float()).dtype == torch.float32


@pytest.mark.parametrize(
    "condition", [torch.rand(3, K - 1), torch.zeros(3, 4, dtype=torch.int64), torch.zeros(3, 2, 1)]
)
def test_other_shapes_are_a_mistake(condition: Tensor) -> None:
    with pytest.raises(ValueError, match="conditions are"):
        embed(TABLE, condition)


NETWORKS = {
    "dcgan": dcgan(DcganSettings(width=8), (1, 8, 8)),
    "dcgan rows": dcgan(DcganSettings(width=8, conditioning="rows"), (1, 8, 8)),
    "mlp": mlp(MlpSettings(generator_width=8, discriminator_width=8, conditioning="projection"), (2,)),
    "biggan": biggan(BigGANSettings(width=4), (1, 8, 8)),
    "sngan": sngan(SnganSettings(width=4), (3, 32, 32)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_takes_every_form(name: str) -> None:
    torch.manual_seed(0)
    backbone = NETWORKS[name]
    generator, discriminator = backbone.generator(conditions=K).eval(), backbone.discriminator(conditions=K).eval()
    z = torch.randn(3, backbone.latent_dim)
    images = generator(z, NUMBERS)
    told = as_rows(NUMBERS, K).requires_grad_()
    torch.testing.assert_close(generator(z, told), images)
    torch.testing.assert_close(discriminator(images, told).score, discriminator(images, NUMBERS).score)
    several = generator(z, LABELS)
    torch.testing.assert_close(generator(z, as_rows(LABELS, K)), several)
    assert not torch.allclose(several, images)
    of_labels = discriminator(images, LABELS).score
    torch.testing.assert_close(discriminator(images, as_rows(LABELS, K)).score, of_labels)
    (gradient,) = torch.autograd.grad(generator(z, told).square().sum(), told)
    assert gradient.abs().sum() > 0
