"""Adversarial losses in use: what their functions are handed, what they ask of a discriminator, and who looks on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness.catalog import Catalog
from harness.errors import SettingsError, UnknownName
from harness.training.attached_companions import Companions
from harness.training.losses import Loss


class Onlooker:
    """An augmentation and a regulariser that note what they are shown."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, images: Tensor) -> Tensor:
        return images

    def observe(self, scores: Tensor) -> None:
        self.seen.append(scores)

    def term(self, real: Tensor, fake: Tensor, step: int) -> Tensor:
        self.seen.append((real, fake, step))
        return torch.tensor(100.0)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Run:
    """What a loss looks at: the step, and where numbers are noted."""

    def __init__(self) -> None:
        self.step = 0
        self.logged: list[dict[str, Any]] = []

    def log(self, **values: Any) -> None:
        self.logged.append(values)


def loss(catalog: Catalog, name: str, companions: Companions | None = None, run: Run | None = None) -> Loss:
    return Loss(catalog, name, companions or Companions(), run or Run())


REAL, FAKE = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([1.0, 0.0, -0.5])


def test_a_plain_loss_asks_for_one_logit_told_what_the_generator_is_told(catalog: Catalog) -> None:
    hinge = loss(catalog, "hinge")
    assert hinge.head(0) == {"conditions": 0, "outputs": 1}
    assert hinge.head(10) == {"conditions": 10, "outputs": 1}
    assert hinge.score(REAL) is REAL
    assert hinge.discriminator(REAL, FAKE) == F.relu(1 - REAL).mean() + F.relu(1 + FAKE).mean()
    assert hinge.generator(FAKE) == -FAKE.mean()


def test_a_paired_loss_holds_fakes_against_real_images(catalog: Catalog) -> None:
    rpgan = loss(catalog, "rpgan")
    assert rpgan.paired
    torch.testing.assert_close(rpgan.generator(FAKE, real=REAL), F.softplus(REAL - FAKE).mean())
    torch.testing.assert_close(rpgan.discriminator(REAL, FAKE), rpgan.generator(REAL, real=FAKE))
    with pytest.raises(ValueError, match="pass real=logits"):
        rpgan.generator(FAKE)


def test_a_loss_that_tells_classes_apart_asks_for_logits_and_tells_the_discriminator_nothing(catalog: Catalog) -> None:
    assert loss(catalog, "omni").head(10) == {"conditions": 0, "outputs": 12}
    assert loss(catalog, "selected-logit").head(10) == {"conditions": 0, "outputs": 10}
    with pytest.raises(SettingsError, match="'selected-logit' tells classes apart, and this method is told none"):
        loss(catalog, "selected-logit").head(0)


def test_labels_reach_both_sides_of_a_loss_by_class(catalog: Catalog) -> None:
    selected = loss(catalog, "selected-logit")
    real, fake = torch.randn(4, 3), torch.randn(4, 3)
    labels, told = torch.tensor([0, 2, 1, 1]), torch.tensor([2, 2, 0, 1])
    rows = torch.arange(4)
    expected = F.softplus(-real[rows, labels]).mean() + F.softplus(fake[rows, told]).mean()
    torch.testing.assert_close(selected.discriminator(real, fake, labels, told), expected)
    torch.testing.assert_close(selected.generator(fake, told), F.softplus(-fake[rows, told]).mean())
    assert torch.equal(selected.score(real, labels), real[rows, labels])


def test_companions_are_shown_scores_once_a_discriminator_step_and_their_term_is_added(catalog: Catalog) -> None:
    onlooker, run = Onlooker(), Run()
    companions = Companions(onlooker, onlooker)
    selected = loss(catalog, "selected-logit", companions, run)
    real, fake, labels = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3), torch.tensor([0, 2])
    alone = loss(catalog, "selected-logit").discriminator(real, fake, labels, labels)
    for run.step in (5, 5):  # two steps of the discriminator in one of the stage
        torch.testing.assert_close(selected.discriminator(real, fake, labels, labels), alone + 100)
        companions.settle()  # the step is done
        companions.settle()  # and nothing is shown twice
        (shown_real, shown_fake, number), scores = onlooker.seen[-2:]
        assert torch.equal(scores, shown_real.detach())
        assert (shown_real.shape, shown_fake.shape, number) == ((2,), (2,), 5)
        assert not scores.requires_grad
        assert shown_real.requires_grad
    selected.generator(fake, labels)
    assert len(onlooker.seen) == 4
    assert [set(values) for values in run.logged] == [{"regulariser"}] * 2


def test_a_loss_that_nobody_offers_is_refused_by_name(catalog: Catalog) -> None:
    with pytest.raises(UnknownName, match="hinge"):
        loss(catalog, "hing")
