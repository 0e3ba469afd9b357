"""Processes and their devices: what is refused, weights under bf16, and two processes that train one model."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from two_processes import train_in_two

from harness.errors import DeviceError
from harness.training.run_context import RunContext
from harness.training.runtime import launch


def test_no_devices_are_refused():
    with pytest.raises(DeviceError, match="at least 1"):
        launch("cpu", "32-true", devices=0)


def test_under_bf16_every_pass_sees_the_weights_of_the_last_update(catalog):
    runtime = launch("cpu", "bf16-mixed")
    ctx = RunContext(catalog, runtime, seed=0)
    layer = nn.Linear(4, 1)
    x = torch.ones(2, 4)
    with ctx.autocast():
        before = layer(x)
        assert before.dtype == torch.bfloat16
        ctx.minimize(layer=(before.float().sum(), torch.optim.SGD(layer.parameters(), 1.0)))
        after = layer(x)
    # each of the four weights and the bias fell by 2, the number of rows
    torch.testing.assert_close(after.float(), before.detach().float() - 10.0, atol=0.1, rtol=0)


def test_two_processes_share_the_batch_and_keep_the_same_weights(tmp_path):
    done = train_in_two(
        tmp_path,
        *("--plugin", "lcsa", "--dataset", "digits", "--scale", "tiny", "--steps", "3", "--set", "backbone.width=2"),
        *("--set", "batch_size=8", "--set", "d_steps=1", "--set", "checkpoint_every=1", "--set", "sample_every=0"),
    )
    # the run compares the processes' weights at each save, and stops where they differ
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["cost"]["devices"] == 2
    assert record["cost"]["images_seen"] == 3 * 8
    assert done.stderr.count("lcsa/biggan") == 1, "only one process speaks"
