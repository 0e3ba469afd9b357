"""Generators that share all but their first layer: which layers are their own, and which rows go through which."""

from __future__ import annotations

import copy

import pytest
import torch
from harness_baselines.mixture import Mixture, OwnLayer, Told, own_layers
from torch import Tensor, nn

from harness import SettingsError
from harness.catalog import Catalog
from harness.contracts.networks import Generator
from harness.contracts.settings import BackboneChoice
from harness.training.cost import network_costs
from harness.training.run_context import RunContext
from harness.training.runtime import Runtime

K = 3
BACKBONES = {
    "mlp": ({"generator_width": 12}, (2,), ["layers.0.0", "layers.0.1"]),
    "dcgan": ({"width": 4, "latent_dim": 6}, (1, 8, 8), ["linear"]),
    "biggan": ({"width": 4, "latent_dim": 6}, (1, 8, 8), ["linear", "blocks.0.norm1"]),
}


@pytest.fixture(params=BACKBONES)
def generators(request: pytest.FixtureRequest, catalog: Catalog) -> list[Generator]:
    settings, shape, own = BACKBONES[request.param]
    ctx = RunContext(catalog, Runtime(torch.device("cpu")), 0)
    backbone = ctx.backbone(BackboneChoice(name=request.param, **settings), shape)
    torch.manual_seed(0)
    made = [backbone.generator() for _ in range(K)]
    assert own_layers(made[0]) == own
    return made


def rows(latent_dim: int, n: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, latent_dim, generator=generator), torch.arange(n) * 2 % K


def test_each_generator_has_a_first_layer_of_its_own_and_shares_the_rest(generators: list[Generator]) -> None:
    own = own_layers(generators[0])
    alone = copy.deepcopy(generators)
    for other in alone[1:]:  # the others, with all but their first layer taken from the first
        shared = {k: v for k, v in alone[0].state_dict().items() if not k.startswith(tuple(f"{name}." for name in own))}
        other.load_state_dict(shared, strict=False)
    counts = [sum(p.numel() for p in alone[0].get_submodule(name).parameters()) for name in own]
    mixture = Mixture(generators).eval()
    total = sum(p.numel() for p in mixture.parameters())
    assert total == sum(p.numel() for p in alone[0].parameters()) + (K - 1) * sum(counts)
    latent, maker = rows(mixture.latent_dim)
    images = mixture(latent, maker)
    for number, generator in enumerate(alone):
        expected = generator.eval()(latent[maker == number])
        torch.testing.assert_close(images[maker == number], expected)


def test_all_train_and_a_copy_is_a_mixture_of_its_own(generators: list[Generator]) -> None:
    mixture = Mixture(generators).train()
    latent, maker = rows(mixture.latent_dim)
    twin = copy.deepcopy(mixture)
    mixture.told.index = torch.zeros(5)
    assert twin.told is not mixture.told
    assert torch.equal(twin(latent, maker), mixture(latent, maker))
    mixture(latent, maker).square().sum().backward()
    assert all(p.grad is not None for p in mixture.parameters())
    assert all(p.grad is None for p in twin.parameters())


def test_each_generator_makes_of_every_latent_what_it_makes_when_it_is_told(generators: list[Generator]) -> None:
    in_turn = Mixture(generators).train()
    told = copy.deepcopy(in_turn)
    latent, _ = rows(in_turn.latent_dim, 4)
    found = in_turn.each(latent)
    expected = told(latent.repeat_interleave(K, 0), torch.arange(K).repeat(4))
    torch.testing.assert_close(found, expected)
    for (name, value), (_, other) in zip(in_turn.named_buffers(), told.named_buffers(), strict=True):
        torch.testing.assert_close(value, other, msg=lambda said, name=name: f"{name}: {said}")


def test_a_batch_norm_of_ones_own_sees_ones_own_rows_only() -> None:
    told = Told()
    layer = OwnLayer([nn.BatchNorm1d(3) for _ in range(K)], told)
    features, told.index = rows(3)
    out = layer(features)
    for number in range(K):
        own = features[told.index == number]
        expected = (own - own.mean(0)) / (own.var(0, correction=0) + 1e-5).sqrt()
        torch.testing.assert_close(out[told.index == number], expected)


def test_a_generator_that_starts_with_another_layer_is_refused() -> None:
    class Convolutional(Generator):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim, self.places = 4, ()
            self.conv = nn.ConvTranspose2d(4, 1, 4)

    with pytest.raises(SettingsError, match="starts with a dense layer on the latent, not ConvTranspose2d"):
        Mixture([Convolutional(), Convolutional()])


def test_a_mixture_costs_an_image_as_much_as_one_generator(catalog: Catalog) -> None:
    ctx = RunContext(catalog, Runtime(torch.device("meta")), 0)
    with torch.device("meta"):
        backbone = ctx.backbone(BackboneChoice(name="dcgan", width=4), (1, 8, 8))
        one, all_of_them = backbone.generator(), Mixture([backbone.generator() for _ in range(K)])
    costs = network_costs({"one": one, "all": all_of_them}, (1, 8, 8))
    assert costs["all"].macs == costs["one"].macs
    assert costs["all"].parameters > costs["one"].parameters


def test_the_refusal_names_a_backbone_that_will_do_and_a_dense_layer_elsewhere_does_not_count() -> None:
    class Styled(Generator):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim, self.places = 4, ()
            self.constant = nn.Linear(3, 4)

    with pytest.raises(SettingsError, match="not Linear.*--set backbone=dcgan"):
        own_layers(Styled())


def test_rows_come_in_any_order_and_some_generators_may_have_none() -> None:
    told = Told()
    layers = [nn.BatchNorm1d(2) for _ in range(K)]
    for number, layer in enumerate(layers):
        nn.init.constant_(layer.weight, 0.0)
        nn.init.constant_(layer.bias, float(number))
    own = OwnLayer(layers, told)
    told.index = torch.tensor([2, 0, 2, 0, 0, 2])
    assert own(torch.randn(6, 2))[:, 0].tolist() == [2, 0, 2, 0, 0, 2]
    # a batch norm that saw no rows keeps its statistics
    assert [int(layer.num_batches_tracked) for layer in layers] == [1, 0, 1]


def test_a_mixture_must_be_told_who_speaks(generators: list[Generator]) -> None:
    mixture = Mixture(generators)
    latent, maker = rows(mixture.latent_dim)
    mixture(latent, maker)
    with pytest.raises(ValueError, match="told which of its generators makes each image"):
        mixture(latent)  # not those of the last batch
