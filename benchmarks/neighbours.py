"""All four neighbour numbers (k = 3 and 5) beside prdc's four (k = 5) on the same features, in one process.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/neighbours.py --threads 1
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/neighbours.py --count 50000 --features 64 --alone

Both run on as many cores: every thread of the process is held to them, since prdc starts eight of its own and numpy
keeps a pool. Memory is what the process has at its peak beyond what it had before; ours differs from run to run by a
tenth of a GiB, by how malloc happens to place blocks. prdc compares open balls with
float64 distances, as density and coverage do here; its precision and recall are held against the k = 5 ones, which
close their balls: they are equal where no distance equals a radius. Targets: a ratio of 2 at 10,000 x 10,000 x 2048
with less than 0.2 GiB, and 50,000 x 50,000 in less than 1 GiB.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from prdc import compute_prdc
from threadpoolctl import threadpool_limits
from torch import Tensor

from harness.builtin.metrics.neighbours import balls_of, neighbour_metrics
from harness.builtin.metrics.neighbours_settings import NeighboursSettings


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="real images, and as many generated ones")
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="leave prdc out, which holds whole matrices")
    return parser.parse_args()


def features(count: int, size: int, seed: int) -> Tensor:
    """Rectified features with a few strong and many weak directions, as a network gives them, float32."""
    draws = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=torch.Generator().manual_seed(99)) / size**0.5
    mixing *= torch.linspace(1.0, 0.02, size)
    rows = [torch.randn(min(4096, count - at), size, generator=draws) for at in range(0, count, 4096)]
    return torch.cat([torch.relu((1.0 + 0.02 * seed) * part @ mixing + 0.3) for part in rows])


def hold_to(threads: int) -> None:
    """As many threads of torch and of numpy's BLAS, and all threads, those of its pool too, on as many cores."""
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    cores = sorted(os.sched_getaffinity(0))[:threads]
    for task in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def memory(what: str) -> float:
    """Peak (VmHWM) or present (VmRSS) memory of the process in GiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 2**20


def timed(action: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it returns, its seconds, and the GiB that it needed beyond what was there."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was freed is no longer there
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    start = time.perf_counter()
    found = action()
    return found, time.perf_counter() - start, memory("VmHWM") - before


def main() -> None:
    options = arguments()
    hold_to(options.threads)
    real, generated = (features(options.count, options.features, seed) for seed in (0, 1))
    closed, opened = balls_of(NeighboursSettings())
    measured = partial(neighbour_metrics, precision_recall=closed, density_coverage=opened)
    measured(real=real[:1100], generated=generated[:1100])  # loads what is loaded once
    found, seconds, extra = timed(lambda: measured(real=real, generated=generated))
    size = f"{options.count} x {options.count} x {options.features}"
    print(f"{size}, {options.threads} threads, torch {torch.__version__}")
    print(f"ours   {seconds:8.2f} s {extra:7.3f} GiB")
    if options.alone:
        return
    x, y = real.double().numpy(), generated.double().numpy()
    with contextlib.redirect_stdout(io.StringIO()):
        theirs, their_seconds, their_extra = timed(lambda: compute_prdc(x, y, nearest_k=5))
    names = {"precision": "precision_k5", "recall": "recall_k5", "density": "density", "coverage": "coverage"}
    apart = max(abs(found[ours].value - float(theirs[name])) for name, ours in names.items())
    print(f"prdc   {their_seconds:8.2f} s {their_extra:7.3f} GiB")
    print(f"ratio  {their_seconds / seconds:8.2f}; numbers apart by at most {apart:.1e}")


if __name__ == "__main__":
    main()
