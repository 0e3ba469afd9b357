"""Samples for a person to look at: like those that are measured, but with a say in the classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.capabilities import Samples
from harness.config import EvaluationSettings
from harness.evaluation import sampling_mode
from harness.randomness import Seeds, seed_everything


def draw(
    trained: Any, count: int, seed: int, evaluation: EvaluationSettings, conditions: Tensor | None = None
) -> Samples:
    """Samples 0 to count - 1, on the CPU, in the blocks and with the batch-norm statistics of the evaluation.

    :param conditions: int64 [count], or None for the method's own law (then they are the samples that are measured).
    """
    block = evaluation.block
    parts: list[Samples] = []
    with sampling_mode(trained, seed=seed, block=block, batch_norm=evaluation.batch_norm), torch.no_grad():
        for start in range(0, count, block):
            wanted = None
            if conditions is not None:
                wanted = conditions[torch.arange(start, start + block) % len(conditions)]
            seed_everything("sample", seed, start)
            parts.append(trained.sample(Seeds(seed, range(start, start + block)), wanted))
    told = [part.conditions.cpu() for part in parts if part.conditions is not None]
    return Samples(
        torch.cat([part.images.float().cpu() for part in parts])[:count],
        torch.cat(told)[:count] if told else None,
        torch.cat([part.latents.cpu() for part in parts])[:count],
    )
