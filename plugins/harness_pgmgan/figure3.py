"""Figure 3 of Armandpour et al. (2021), in numbers and as a picture: which guides can be walked down from anywhere.

``python -m harness_pgmgan.figure3 --out figure3.png`` trains the three partitioners of points on the grid of 25
Gaussians, each mode a partition, and walks down R_i from random places for random partitions i. About two minutes
on one core.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import open_catalog
from harness.data import load_dataset
from harness.randomness import seed_everything
from harness_pgmgan.clustering import labels_of
from harness_pgmgan.descent import Logits, descend, lowest_around, slope
from harness_pgmgan.guide import guide
from harness_pgmgan.operator_norm import settle_norms
from harness_pgmgan.point_partitioner import Kind, point_partitioner

#: points that the partitioners are taught with
POINTS = 2500

#: walks start up to this far from the middle, along each axis; the modes' means lie within 4
REACH = 6.0

#: steps of a walk, and its length
STEPS, BUDGET = 1500, 60.0

#: an end counts as a local minimum of R_i if R_i is larger all around it at this distance, a fifth of a mode's spread
RADIUS = 0.01


class Shares(NamedTuple):
    """What a partitioner's guide does with random starts; all in [0, 1].

    :ivar accuracy: of the partitioner on the points it was taught.
    :ivar reached: of the starts that end with R_i = 0.
    :ivar longer: the same for paths of twice the length in twice as many steps.
    :ivar minima: of the ends of those longer paths that are local minima of R_i with R_i > 0; of all starts.
    """

    accuracy: float
    reached: float
    longer: float
    minima: float


def grid_points(n: int = POINTS) -> tuple[Tensor, Tensor]:
    """Points of the grid, float [n, 2], and the mode of each, int64 [n], 0 to 24."""
    split = load_dataset(open_catalog(), "grid2d", Path("data")).finite("train")
    assert split.labels is not None  # a mixture's points know their modes
    return torch.from_numpy(split.values[:n]), torch.from_numpy(split.labels[:n])


def taught(kind: Kind, points: Tensor, labels: Tensor, epochs: int = 2000, lr: float = 0.07) -> nn.Module:
    """A partitioner that knows the labels, in eval mode: cross-entropy and Adagrad, all points at every step.

    :param points: float [N, D].
    :param labels: int64 [N], all of 0 to k - 1 among them.
    """
    network = point_partitioner(kind, points.shape[1], int(labels.max()) + 1)
    adagrad = torch.optim.Adagrad(network.parameters(), lr)
    for _ in range(epochs):
        adagrad.zero_grad()
        F.cross_entropy(network(points), labels).backward()
        adagrad.step()
    settle_norms(network)
    return network.eval().requires_grad_(False)


def random_walks(n: int, k: int) -> tuple[Tensor, Tensor]:
    """Starts in the square of side 2 REACH, float [n, 2], and the partitions to walk to, int64 [n] below k."""
    return (2.0 * torch.rand(n, 2) - 1.0) * REACH, torch.randint(k, (n,))


def shares(
    network: Logits, points: Tensor, labels: Tensor, starts: Tensor, partition: Tensor, steps: int = STEPS
) -> Shares:
    """Walk down the guide of a partitioner of points, as it comes from :func:`taught`.

    :param starts: float [N, 2].
    :param partition: of each start, int64 [N].
    :param steps: of a walk of length BUDGET.
    """
    with torch.no_grad():
        accuracy = (labels_of(network(points)) == labels).double().mean().item()
    reached = descend(network, starts, partition, steps=steps, budget=BUDGET).reached
    longer = descend(network, starts, partition, steps=2 * steps, budget=2 * BUDGET)
    ends, targets = longer.ends[~longer.reached], partition[~longer.reached]
    minima = lowest_around(network, ends, targets, RADIUS) > slope(network, ends, targets).distance
    return Shares(
        accuracy,
        reached.double().mean().item(),
        longer.reached.double().mean().item(),
        minima.sum().item() / len(starts),
    )


def surface(network: Logits, partition: int, half: float, side: int = 150) -> tuple[Tensor, Tensor, Tensor]:
    """-R_i on a mesh over the square from -half to half: x, y and the value, float [side, side] each."""
    axis = torch.linspace(-half, half, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    with torch.no_grad():
        mesh = torch.stack([x.flatten(), y.flatten()], 1)
        value = -guide(network(mesh), torch.full((len(mesh),), partition))
    return x, y, value.view(side, side)


def surfaces_png(
    networks: Mapping[str, Logits], points: Tensor, partition: int, starts: Tensor, steps: int = STEPS
) -> bytes:
    """-R_i of some partitioners, by name: seen as mountains, and from above with what does not reach the top.

    :param points: float [N, 2], the data; the picture shows 1.2 times their range.
    :param partition: i.
    :param starts: float [M, 2], of walks to the partition. Ends with R_i > 0 are marked; the line surrounds R_i = 0.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    half = 1.2 * points.abs().max().item()
    figure = Figure(figsize=(4 * len(networks), 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (name, network) in enumerate(networks.items(), 1):
        x, y, value = (part.numpy() for part in surface(network, partition, half))
        walks = descend(network, starts, torch.full((len(starts),), partition), steps=steps, budget=BUDGET)
        stuck = walks.ends[~walks.reached].numpy()

        mountains = figure.add_subplot(2, len(networks), number, projection="3d")
        mountains.plot_surface(x, y, value, cmap="viridis", rstride=2, cstride=2)
        mountains.set_title(name)

        above = figure.add_subplot(2, len(networks), len(networks) + number)
        above.contourf(x, y, value, levels=40, cmap="viridis")
        above.contour(x, y, np.where(value == 0, 1.0, 0.0), levels=[0.5], colors="white", linewidths=1)
        above.scatter(points[:, 0].numpy(), points[:, 1].numpy(), s=1, color="0.8", rasterized=True)
        above.scatter(stuck[:, 0], stuck[:, 1], s=25, marker="x", color="tab:red")
        above.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
        above.set_title(f"{len(stuck)} of {len(starts)} walks stop outside")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def main(given: list[str] | None = None) -> None:
    """Print the table, a row for each partitioner and seed; draw the first seed's surfaces."""
    parser = argparse.ArgumentParser(
        prog="python -m harness_pgmgan.figure3", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, help="picture to write (PNG)")
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings of each partitioner")
    parser.add_argument("--starts", type=int, default=1000, help="how many walks for each")
    parser.add_argument("--steps", type=int, default=STEPS, help="of a walk; their lengths add up to the same")
    parser.add_argument("--epochs", type=int, default=2000, help="of the partitioners' training")
    chosen = parser.parse_args(given)
    points, labels = grid_points()
    k = int(labels.max()) + 1
    drawn: dict[str, Logits] = {}
    print("| partitioner | seed | accuracy | R_i = 0 | in twice the length | at a local minimum with R_i > 0 |")
    print("|---|---|---|---|---|---|")
    for kind in get_args(Kind):
        for seed in range(chosen.seeds):
            seed_everything(seed, "figure 3", "partitioner")
            network = taught(kind, points, labels, chosen.epochs)
            drawn.setdefault(kind, network)
            seed_everything(seed, "figure 3", "walks")  # the same walks for each partitioner
            found = shares(network, points, labels, *random_walks(chosen.starts, k), chosen.steps)
            print(f"| {kind} | {seed} | " + " | ".join(f"{share:.1%}" for share in found) + " |", flush=True)
    if chosen.out is not None:
        seed_everything(0, "figure 3", "picture")
        starts, _ = random_walks(chosen.starts, k)
        picture = surfaces_png(drawn, points, k - 1, starts, chosen.steps)  # a corner
        chosen.out.write_bytes(picture)


if __name__ == "__main__":
    main()
