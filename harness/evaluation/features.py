"""The feature pass: images through feature networks, once, in batches of one fixed size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.errors import EvaluationError
from harness.evaluation.quantise import quantised

if TYPE_CHECKING:
    from harness.evaluation.bench import Bench
    from harness.evaluation.evidence import SetEvidence
    from harness.evaluation.observations import Features

#: images that are taken from the set at once; a feature network sees them in parts of its own fixed size. The last
#: batch is filled up with zeros, so that no value depends on the count
FEATURE_BATCH = 128


def feature_pass(bench: Bench, of: SetEvidence[Any], wanted: Sequence[Features]) -> dict[Features, Tensor]:
    """Every wanted output for the images of `of`, each float32 [N, F] on the CPU, in one pass over the images."""
    count, made = of.items(), 0
    progress = Progress(bench.note, f"features of {count:,} images")
    rows: dict[Features, Tensor] = {}
    rules = {(request.extractor, request.quantise) for request in wanted}
    with closing(bench.blocks(of)) as blocks, torch.no_grad():
        for start, batch, held in batches(blocks, FEATURE_BATCH):
            made += held
            progress.at(made)
            looked_at = {
                (name, rule): _outputs(bench, name, quantised(batch, rule), held) for name, rule in sorted(rules)
            }
            for request in wanted:
                output = _named(looked_at[request.extractor, request.quantise], request)
                if request not in rows:
                    rows[request] = torch.empty(request.items(), output.shape[1])
                kept = min(held, request.items() - start)
                if kept > 0:
                    rows[request][start : start + kept] = output[:kept].cpu()
    if made != count:
        raise EvaluationError(f"a set of {count} images was made of {made}")
    return rows


class Progress:
    """Says how far a long piece of work has come: after some seconds, and now and then from there on."""

    FIRST, THEN = 10.0, 60.0

    def __init__(self, note: Callable[[str], None], what: str) -> None:
        self.note, self.what = note, what
        self.began = time.monotonic()
        self.next = self.FIRST

    def at(self, done: int) -> None:
        """So many items are done."""
        spent = time.monotonic() - self.began
        if spent >= self.next:
            self.note(f"{self.what}: {done:,} done, {done / spent:.1f} a second")
            self.next = spent + self.THEN


def _outputs(bench: Bench, extractor: str, images: Tensor, kept: int) -> Mapping[str, Tensor]:
    """Outputs of the first `kept` images, and of those that share a part with them: parts always have one size."""
    network = bench.extractor(extractor)
    needed = images.split(network.batch)[: -(-kept // network.batch)]
    parts = [network(part.contiguous().to(bench.device)) for part in needed]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _named(outputs: Mapping[str, Tensor], request: Features) -> Tensor:
    if request.output not in outputs:
        raise EvaluationError(f"extractor '{request.extractor}' gives {', '.join(outputs)}, not {request.output}")
    return outputs[request.output]


def batches(blocks: Iterable[Tensor], size: int) -> Iterator[tuple[int, Tensor, int]]:
    """Blocks of any size as batches of `size`, with the number of their first image and how many there are in them.

    Zeros fill up the last.
    """
    start, rest = 0, None
    for block in blocks:
        rest = block if rest is None else torch.cat([rest, block])
        while len(rest) >= size:
            yield start, _batch(rest[:size], size), size
            start, rest = start + size, rest[size:]
    if rest is not None and len(rest):
        yield start, _batch(rest, size), len(rest)


def _batch(images: Tensor, size: int) -> Tensor:
    """A full batch in plain memory order: convolutions of other orders, which slices may have, differ in last bits."""
    batch = torch.zeros(size, *images.shape[1:], dtype=images.dtype, device=images.device)
    batch[: len(images)] = images
    return batch
