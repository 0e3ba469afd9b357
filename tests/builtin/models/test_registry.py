"""What the models' registry promises is there, and costs nothing to list."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from harness.builtin.models.registry import SPECS
from harness.contracts.networks import Discriminator, Generator
from harness.contracts.settings import Settings
from harness.overrides import validated
from harness.plugins import import_module


def test_listing_backbones_and_losses_and_checking_settings_imports_no_torch():
    script = (
        "import sys\n"
        "import harness.builtin.models.registry, harness.builtin.losses.registry\n"
        "import harness.builtin.models.mlp.mlp_settings\n"
        "import harness.builtin.models.residual.sngan_settings, harness.builtin.models.dcgan.dcgan_settings\n"
        "from harness.builtin.models.residual.biggan_settings import BigGANSettings, design\n"
        "design(BigGANSettings(), (3, 32, 32))\n"
        "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_backbone_builds_at_every_size_it_names(spec):
    settings_class = import_module(spec.settings)
    assert issubclass(settings_class, Settings)
    build = import_module(spec.build)
    shapes = [(3, side, side) for side in spec.resolutions] or [(2,)]
    assert (spec.kind == "points") == (spec.resolutions == ())
    with torch.device("meta"):
        for shape in shapes:
            backbone = build(validated(settings_class, {}, "a test"), shape)
            generator, discriminator = backbone.generator(), backbone.discriminator()
            assert isinstance(generator, Generator)
            assert isinstance(discriminator, Discriminator)
            assert generator.latent_dim == backbone.latent_dim
            points = generator(torch.empty(2, backbone.latent_dim))
            assert points.shape == (2, *shape)
            assert discriminator(points).score.shape == (2,)
