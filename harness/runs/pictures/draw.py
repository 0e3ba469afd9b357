"""Samples for a person to look at: like those that are measured, but with a say in the classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.contracts.capabilities import Samples
from harness.contracts.settings import EvaluationSettings
from harness.evaluation.sampling.blocks import collected, first_samples, sample_block, sampling_mode


def draw(
    trained: Any, count: int, seed: int, evaluation: EvaluationSettings, conditions: Tensor | None = None
) -> Samples:
    """Samples 0 to count - 1, on the CPU, in the blocks and with the batch-norm statistics of the evaluation.

    :param conditions: int64 [count], or None for the method's own law (then they are the samples that are measured).
    """
    block = evaluation.block
    parts: list[Samples] = []
    with sampling_mode(trained, seed=seed, block=block, batch_norm=evaluation.batch_norm):
        for start in range(0, count, block):
            wanted = None
            if conditions is not None:
                wanted = conditions[torch.arange(start, start + block) % len(conditions)]
            parts.append(sample_block(trained, seed, start, block, wanted))
    return first_samples(collected(parts), count)
