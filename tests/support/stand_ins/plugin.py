"""Registers the stand-ins: a method each, and the backbones that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import MethodSpec, ModelSpec, Recipe, Scale, hookimpl
from harness.contracts import Kind

_DCGAN = {"name": "dcgan", "width": 2, "latent_dim": 6}
_STYLED = {"name": "styled-toy"}
_MLP = {
    "name": "mlp",
    "latent_dim": 4,
    "generator_width": 8,
    "generator_layers": 2,
    "discriminator_width": 8,
    "discriminator_layers": 2,
}
_GAN = ("harness_baselines.config:GanSettings", "harness_baselines.method:Gan")


def _method(
    name: str, settings: str, method: str, backbone: dict[str, Any], kind: Kind = "images", **more: dict[str, Any]
) -> MethodSpec:
    """:param more: by variant, what differs from the settings' defaults; none: one variant, in which nothing does."""
    recipes = [
        Recipe(
            id=f"{name}/{variant}",
            method=name,
            summary="stands in for a method to come",
            settings={"backbone": backbone, "steps": 3, "batch_size": 12, "checkpoint_every": 1, **differs},
            scales={"tiny": Scale(settings={"evaluation": {"samples": 40, "block": 10}})},
        )
        for variant, differs in (more or {"stand_in": {}}).items()
    ]
    summary = "stands in for a method to come"
    return MethodSpec(
        name=name, summary=summary, settings=settings, method=method, kinds=(kind,), recipes=tuple(recipes)
    )


def _own(
    name: str, settings: str, backbone: dict[str, Any], kind: Kind = "images", **more: dict[str, Any]
) -> MethodSpec:
    """A method of the module and the class of its name."""
    module, cls = name.replace("-", "_"), "".join(word.capitalize() for word in name.split("-"))
    return _method(name, f"stand_ins.config:{settings}", f"stand_ins.{module}:{cls}", backbone, kind, **more)


@hookimpl
def harness_register_models(register: Callable[[ModelSpec], None]) -> None:
    for name, module, settings in (
        ("styled-toy", "styled_backbone", "StyledSettings"),
        ("atlas", "stand_ins.atlas_backbone", "AtlasSettings"),
    ):
        register(
            ModelSpec(
                name=name,
                summary="for tests",
                settings=f"{module}:{settings}",
                build=f"{module}:build",
                kind="images",
                resolutions=(8,),
            )
        )


@hookimpl
def harness_register_methods(register: Callable[[MethodSpec], None]) -> None:
    lazy = {"penalty": {"name": "r1", "every": 2, "own_step": True}, "path_length": {"weight": 2.0, "every": 2}}
    few = {"d_steps": 1, "ema": {"decay": 0.5, "start": 1}}
    styled = {**few, **lazy, "conditional": True, "backbone": {**_STYLED, "style_mixing": 0.9}}
    passes = {name: {**few, "penalty": "r1", "passes": name} for name in ("separate", "joint")}
    register(_method("styled", *_GAN, _STYLED, stand_in=styled))
    register(_own("encoder", "EncoderSettings", _DCGAN))
    register(_own("learned-prior", "LearnedPriorSettings", _MLP, "points"))
    register(_own("codebook", "CodebookSettings", _DCGAN))
    register(_own("anchors", "AnchorsSettings", _MLP, "points"))
    register(_own("half-and-half", "StandInSettings", _STYLED))
    register(_own("encoder-after", "EncoderAfterSettings", _DCGAN, stand_in=few))
    register(_own("consistency", "ConsistencySettings", _STYLED))
    register(_method("selection", _GAN[0], "stand_ins.selection:Selection", _DCGAN, stand_in=few))
    register(_own("energy", "EnergySettings", _DCGAN))
    register(_method("atlas", *_GAN, {"name": "atlas"}, **passes))
    register(_own("autoencoder", "SupervisedSettings", _DCGAN))
