"""Samples of a trained method in aligned blocks of fixed size, so that the same request gives the same bytes."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from harness.contracts.capabilities import Sampler, Samples
from harness.errors import EvaluationError
from harness.evaluation.sampling.undisturbed import undisturbed
from harness.randomness import Seeds, derived_seed, seed_everything

BatchNormMode = Literal["eval", "train", "standing"]

#: blocks that standing statistics are averaged over
STANDING_BLOCKS = 16


def networks_of(trained: object) -> Mapping[str, nn.Module]:
    """The networks that a trained object says it uses."""
    networks: Mapping[str, nn.Module] = getattr(trained, "networks", {})
    return networks


def generated_blocks(
    trained: Sampler, *, seed: int, count: int, block: int, batch_norm: BatchNormMode = "eval"
) -> Generator[Samples, None, None]:
    """Samples 0 to count - 1 of a run, block by block, on the device that the method made them on.

    `sample` is always called with exactly `block` seeds; what goes beyond `count` is cut off afterwards. Between the
    blocks the networks are in sampling mode: close the iterator (or exhaust it) to have them put back.

    :raises EvaluationError: where a sample is not finite.
    """
    with sampling_mode(trained, seed=seed, block=block, batch_norm=batch_norm):
        for start in range(0, count, block):
            samples = sample_block(trained, seed, start, block)
            if not bool(torch.isfinite(samples.images).all()):
                raise EvaluationError(
                    f"the generator made NaN or infinite values in samples {start} to {start + block - 1}",
                    "evaluate an earlier checkpoint",
                )
            yield first_samples(samples, count - start)


def first_samples(samples: Samples, count: int) -> Samples:
    """The first `count` of the samples (all of them where there are fewer)."""
    conditions = None if samples.conditions is None else samples.conditions[:count]
    return Samples(samples.images[:count], conditions, samples.latents[:count])


@contextmanager
def sampling_mode(trained: Any, *, seed: int, block: int, batch_norm: BatchNormMode) -> Iterator[None]:
    """Networks ready to sample: in eval mode but for batch norm, which uses the statistics asked for.

    - ``eval``: the running averages of training.
    - ``train``: those of the block itself, so that a sample depends on the others in its block.
    - ``standing``: averages over STANDING_BLOCKS blocks of samples made for this purpose (Brock et al. 2019, appendix).
    """
    networks = networks_of(trained)
    norms = [module for network in networks.values() for module in network.modules() if is_batch_norm(module)]
    momenta = [(norm, norm.momentum) for norm in norms if hasattr(norm, "momentum")]
    with undisturbed(networks):
        try:
            for network in networks.values():
                network.eval()
            if batch_norm != "eval":
                norms = _sampled_through(trained, norms, seed, block)
            if batch_norm == "standing":
                _gather_standing_statistics(trained, norms, seed, block)
            for norm in norms:
                norm.train(batch_norm == "train")
            yield
        finally:
            for norm, momentum in momenta:
                norm.momentum = momentum


def is_batch_norm(module: nn.Module) -> bool:
    """Whether a module normalises with running statistics (torch's own batch norms, and others built like them)."""
    return module._buffers.get("running_mean") is not None


def _sampled_through(trained: Sampler, norms: list[nn.Module], seed: int, block: int) -> list[nn.Module]:
    """Those norms that sampling runs: an encoder's, which it does not, stay as training left them."""
    used: list[nn.Module] = []
    hooks = [norm.register_forward_pre_hook(lambda norm, _: used.append(norm)) for norm in norms]
    try:
        if norms:
            sample_block(trained, derived_seed("standing", seed), 0, block)
    finally:
        for hook in hooks:
            hook.remove()
    return list(dict.fromkeys(used))


def _gather_standing_statistics(trained: Sampler, norms: list[nn.Module], seed: int, block: int) -> None:
    for norm in norms:
        if not isinstance(norm, nn.modules.batchnorm._BatchNorm):
            raise EvaluationError(f"standing statistics cannot be gathered for {type(norm).__name__}")
        norm.reset_running_stats()
        norm.momentum = None  # torch's way to ask for the plain average over all batches
        norm.train()
    # samples of another run, so that none of those measured has a part in the statistics
    other = derived_seed("standing", seed)
    for number in range(STANDING_BLOCKS if norms else 0):
        sample_block(trained, other, number * block, block)


def collected(blocks: Iterable[Samples]) -> Samples:
    """Blocks of samples as one, on the CPU."""
    images, conditions, latents = [], [], []
    for part in blocks:  # each leaves the device before the next is made
        images.append(part.images.cpu())
        latents.append(part.latents.cpu())
        if part.conditions is not None:
            conditions.append(part.conditions.cpu())
    return Samples(torch.cat(images), torch.cat(conditions) if conditions else None, torch.cat(latents))


def sample_block(trained: Sampler, seed: int, start: int, block: int, conditions: Tensor | None = None) -> Samples:
    """Samples `start` to `start + block - 1`, of the networks as they are.

    :param conditions: int64 [block], or None for the method's own law.
    """
    # a method draws from the seeds it is handed; one that touches a global generator is still repeatable
    seed_everything("sample", seed, start)
    with torch.no_grad():
        samples = trained.sample(Seeds(seed, range(start, start + block)), conditions)
    images: Tensor = samples.images
    if len(images) != block:
        raise EvaluationError(f"the method was asked for {block} samples and returned {len(images)}")
    return samples._replace(images=images.detach().float())
