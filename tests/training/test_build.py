"""Building a method for an experiment."""

from __future__ import annotations

import pytest
import torch

from harness.data import Problem
from harness.errors import SettingsError
from harness.experiment import resolve
from harness.training.build import build_method, open_dataset
from harness.training.runtime import Runtime

CPU = Runtime(torch.device("cpu"))


def experiment(catalog, seed=0, **overrides):
    small = {"backbone": {"width": 2}, **overrides}
    return resolve(catalog, plugin="gan", dataset="digits", scale="tiny", overrides=small, seed=seed)


def test_labels_are_needed_for_conditions(catalog):
    unlabelled = Problem("somewhere", "images", (1, 8, 8), (), 100)
    with pytest.raises(SettingsError, match="use --set conditional=false"):
        build_method(experiment(catalog), unlabelled, CPU, catalog)
    build_method(experiment(catalog, conditional=False), unlabelled, CPU, catalog)


def test_an_experiment_says_what_is_trained_on(catalog, tmp_path):
    both = {"train_split": "train+test", "conditional": False}
    assert open_dataset(catalog, experiment(catalog, **both), tmp_path).problem().n_train == 1797
    assert open_dataset(catalog, experiment(catalog), tmp_path).problem().n_train == 1437


def test_the_seed_alone_fixes_the_initial_weights(catalog):
    problem = Problem("digits", "images", (1, 8, 8), tuple("0123456789"), 100)

    def weights(seed: int) -> torch.Tensor:
        torch.rand(3)  # whatever was drawn before
        method, _ = build_method(experiment(catalog, seed), problem, CPU, catalog)
        return torch.cat([p.flatten() for p in method.state()["generator"].parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_the_meta_device_holds_no_values(catalog):
    problem = Problem("digits", "images", (1, 8, 8), tuple("0123456789"), 100)
    method, _ = build_method(experiment(catalog), problem, Runtime(torch.device("meta")), catalog)
    assert all(p.is_meta for p in method.state()["discriminator"].parameters())
