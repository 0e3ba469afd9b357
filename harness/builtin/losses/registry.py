"""The adversarial losses and gradient penalties that come with the harness."""

from __future__ import annotations

from harness import LossSpec, PenaltySpec

_ADVERSARIAL = "harness.builtin.losses.adversarial"
_PENALTIES = "harness.builtin.losses.penalties"


def _loss(name: str, summary: str) -> LossSpec:
    return LossSpec(
        name=name,
        summary=summary,
        discriminator=f"{_ADVERSARIAL}:{name}_discriminator",
        generator=f"{_ADVERSARIAL}:{name}_generator",
    )


SPECS = (
    _loss("hinge", "hinge loss (Lim and Ye, 2017; Tran et al., 2017)"),
    _loss("nsgan", "logistic loss, non-saturating generator (Goodfellow et al., 2014)"),
    _loss("wgan", "difference of mean logits (Arjovsky et al., 2017); needs a Lipschitz critic"),
    _loss("lsgan", "least squares, targets 1 and 0 (Mao et al., 2017)"),
    PenaltySpec(
        name="r1",
        summary="squared gradient norm at real data, without the factor 1/2 (Mescheder et al., 2018)",
        penalty=f"{_PENALTIES}:r1",
    ),
    PenaltySpec(
        name="r2",
        summary="squared gradient norm at generated data, without the factor 1/2 (Mescheder et al., 2018)",
        penalty=f"{_PENALTIES}:r2",
    ),
    PenaltySpec(
        name="gp",
        summary="squared distance of the gradient norm from 1 between real and generated data (Gulrajani et al., 2017)",
        penalty=f"{_PENALTIES}:gp",
    ),
)
