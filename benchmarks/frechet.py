"""The Fréchet distance beside scipy.linalg.sqrtm, as pytorch-fid and clean-fid take it, on the same features.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/frechet.py --threads 1

Two rows: more samples than features (N = 6000, d = 2048), and fewer (N = 1000), where both covariances are singular.
Each is timed from features to the number, statistics included, the best of some repeats for ours and one run for
theirs. Theirs for singular covariances is the root of the plain product where it is finite, as in those libraries.
Targets: ratios of 5 and of 40, equal to 1e-6 of the number.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import scipy.linalg
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from harness.builtin.metrics.frechet import frechet_distance
from harness.evaluation import fit_gaussian


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--counts", type=int, nargs="+", default=(6000, 1000))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours, of which the fastest counts")
    return parser.parse_args()


def features(count: int, size: int, seed: int) -> Tensor:
    """Features with a few strong and many weak directions, float64."""
    mixing = torch.randn(size, size, generator=torch.Generator().manual_seed(99), dtype=torch.float64) / size**0.5
    rows = torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (1.0 + 0.1 * seed) * rows @ (mixing * torch.linspace(1.0, 0.02, size)) + 0.1 * seed


def by_matrix_root(x: np.ndarray, y: np.ndarray) -> float:
    """As those libraries compute it from features."""
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    if not np.isfinite(root).all():
        offset = np.eye(len(first)) * 1e-6
        root = scipy.linalg.sqrtm((first + offset) @ (second + offset))
    gap = x.mean(0) - y.mean(0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2.0 * np.trace(root.real))


def seconds(action: Callable[[Tensor, Tensor], float], a: Tensor, b: Tensor) -> tuple[float, float]:
    """What it returns, and how long it took."""
    start = time.perf_counter()
    found = action(a, b)
    return found, time.perf_counter() - start


def ours(a: Tensor, b: Tensor) -> float:
    return frechet_distance(fit_gaussian(a), fit_gaussian(b))


def theirs(a: Tensor, b: Tensor) -> float:
    return by_matrix_root(a.numpy(), b.numpy())


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    versions = f"torch {torch.__version__}, scipy {scipy.__version__}"
    print(f"d = {options.features}, {options.threads} threads, {versions}")
    for count in options.counts:
        a, b = (features(count, options.features, seed) for seed in (0, 1))
        runs = [seconds(ours, a, b) for _ in range(options.repeats)]
        found, fast = runs[0][0], min(run[1] for run in runs)
        with threadpool_limits(options.threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known, slow = seconds(theirs, a, b)
        print(
            f"N = {count:6d}: ours {fast:7.3f} s, sqrtm {slow:7.2f} s, ratio {slow / fast:6.1f}; "
            f"{found:.9g} and {known:.9g}, apart by {abs(found - known) / found:.1e}"
        )


if __name__ == "__main__":
    main()
