"""The controller: beta's walk and its bounds, gamma's three forms, the statistic."""

from __future__ import annotations

import pytest
import torch
from harness_lcsa.config import ControllerSettings
from harness_lcsa.controller import Controller, mean_sign

CPU = torch.device("cpu")
SURE, UNSURE = torch.tensor(1.0), torch.tensor(-1.0)


def controller(**settings: object) -> Controller:
    return Controller(ControllerSettings.model_validate(settings), CPU)


def adapt(c: Controller, sign: torch.Tensor, times: int) -> None:
    for _ in range(times):
        c.observe(sign)
        c.adapt()


def test_beta_rises_by_one_step_each_time_r_exceeds_eta() -> None:
    c = controller(beta0=0.1, delta_beta=0.01, ema=0.0)
    adapt(c, SURE, 7)
    torch.testing.assert_close(c.beta, torch.tensor(0.17))


def test_beta_falls_otherwise_also_at_eta_itself() -> None:
    c = controller(beta0=0.1, delta_beta=0.01, ema=0.0, eta=0.5)
    adapt(c, torch.tensor(0.5), 3)
    torch.testing.assert_close(c.beta, torch.tensor(0.07))


def test_beta_stays_between_0_and_1() -> None:
    c = controller(beta0=0.95, delta_beta=0.03, ema=0.0)
    adapt(c, SURE, 5)
    assert c.beta == 1.0
    adapt(c, UNSURE, 40)
    assert c.beta == 0.0


def test_r_is_smoothed_from_zero_so_that_beta_falls_first() -> None:
    c = controller(beta0=0.1, delta_beta=0.01, eta=0.5, ema=0.9)
    adapt(c, SURE, 1)
    torch.testing.assert_close(c.r, torch.tensor(0.1))
    adapt(c, SURE, 6)
    torch.testing.assert_close(c.r, torch.tensor(1 - 0.9**7))  # 0.5217, the first above eta
    torch.testing.assert_close(c.beta, torch.tensor(0.1 - 6 * 0.01 + 0.01))


def test_batches_since_last_time_count_alike_and_once() -> None:
    c = controller(ema=0.0)
    c.observe(torch.tensor(1.0))
    c.observe(torch.tensor(0.0))
    c.adapt()
    torch.testing.assert_close(c.r, torch.tensor(0.5))
    adapt(c, torch.tensor(0.25), 1)
    torch.testing.assert_close(c.r, torch.tensor(0.25))


@pytest.mark.parametrize(
    ("coupling", "beta0", "gamma0", "at_start", "after_ten"),
    [
        ("A", 0.1, 0.0, 0.0, 0.12),  # CIFAR's start
        ("A", 0.0, 0.1, 0.1, 0.22),  # ImageNet's
        ("B", 0.1, 0.0, 0.12, 0.24),
        ("B", 0.0, 0.1, 0.1, 0.22),
        ("C", 0.1, 0.0, 0.12, 0.24),
        ("C", 0.0, 0.1, 0.1, 0.12),
    ],
)
def test_gamma_follows_beta(coupling: str, beta0: float, gamma0: float, at_start: float, after_ten: float) -> None:
    c = controller(coupling=coupling, beta0=beta0, gamma0=gamma0, delta_gamma=1.2, delta_beta=0.01, ema=0.0)
    torch.testing.assert_close(c.gamma, torch.tensor(at_start), atol=1e-7, rtol=1e-5)
    adapt(c, SURE, 10)
    torch.testing.assert_close(c.gamma, torch.tensor(after_ten))


def test_gamma_never_falls_below_0() -> None:
    c = controller(coupling="A", beta0=0.1, gamma0=0.0, delta_beta=0.01, ema=0.0)
    adapt(c, UNSURE, 5)
    assert c.gamma == 0.0
    assert c.beta > 0.0


def test_fixed_mode_moves_nothing_but_still_reports_r() -> None:
    c = controller(mode="fixed", beta0=0.4, delta_gamma=1.2, ema=0.0)
    adapt(c, SURE, 10)
    torch.testing.assert_close(c.beta, torch.tensor(0.4))
    torch.testing.assert_close(c.gamma, torch.tensor(0.48))  # Table 10's best pair
    assert c.r == 1.0


def test_state_makes_another_controller_go_on_alike() -> None:
    first = controller(delta_beta=0.01)
    adapt(first, SURE, 9)
    second = controller(delta_beta=0.01)
    second.load_state_dict(first.state_dict())
    adapt(first, SURE, 3)
    adapt(second, SURE, 3)
    assert torch.equal(first.beta, second.beta)
    assert torch.equal(first.r, second.r)


def test_mean_sign_is_the_share_of_positives_less_the_rest() -> None:
    logits = torch.tensor([3.0, 0.1, 0.2, -5.0], requires_grad=True)
    sign = mean_sign(logits)
    torch.testing.assert_close(sign, torch.tensor(0.5))
    assert not sign.requires_grad
