"""The adversarial losses and gradient penalties that come with the harness."""

from __future__ import annotations

from harness import LossSpec, PenaltySpec

_ADVERSARIAL = "harness.builtin.losses.adversarial"
_BY_CLASS = "harness.builtin.losses.by_class"
_PENALTIES = "harness.builtin.losses.penalties"


def _loss(name: str, summary: str, *, paired: bool = False) -> LossSpec:
    return LossSpec(
        name=name,
        summary=summary,
        discriminator=f"{_ADVERSARIAL}:{name}_discriminator",
        generator=f"{_ADVERSARIAL}:{name}_generator",
        paired=paired,
    )


def _by_class(name: str, functions: str, summary: str, *, needs_labels: bool = False) -> LossSpec:
    """:param functions: what the names of the loss's four functions begin with."""
    return LossSpec(
        name=name,
        summary=summary,
        discriminator=f"{_BY_CLASS}:{functions}_discriminator",
        generator=f"{_BY_CLASS}:{functions}_generator",
        outputs=f"{_BY_CLASS}:{functions}_outputs",
        score=f"{_BY_CLASS}:{functions}_score",
        needs_labels=needs_labels,
    )


SPECS = (
    _loss("hinge", "hinge loss (Lim and Ye, 2017; Tran et al., 2017)"),
    _loss("nsgan", "logistic loss, non-saturating generator (Goodfellow et al., 2014)"),
    _loss("wgan", "difference of mean logits (Arjovsky et al., 2017); needs a Lipschitz critic"),
    _loss("lsgan", "least squares, targets 1 and 0 (Mao et al., 2017)"),
    _loss(
        "rpgan",
        "each fake beside a real image (relativistic; Jolicoeur-Martineau, 2019); with r1 and r2, Huang et al. (2024)",
        paired=True,
    ),
    _by_class("omni", "omni", "one logit a class, one for real and one for fake (Zhou et al., 2021)"),
    _by_class(
        "selected-logit",
        "selected",
        "one logit a class, of which that of the image's own class counts (Cho, 2025)",
        needs_labels=True,
    ),
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
        name="r1r2",
        summary="r1 + r2, under which rpgan converges locally (Huang et al., 2024)",
        penalty=f"{_PENALTIES}:r1r2",
    ),
    PenaltySpec(
        name="gp",
        summary="squared distance of the gradient norm from 1 between real and generated data (Gulrajani et al., 2017)",
        penalty=f"{_PENALTIES}:gp",
    ),
)
