"""Neighbour lists against scikit-learn and against a full stable sort, ties included."""

from __future__ import annotations

import pytest
import torch
from harness_pgmgan import neighbours
from harness_pgmgan.neighbours import drawn_neighbours, neighbour_lists
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from harness.training.batch_draws import BatchDraws

N, WIDTH = 157, 6


def draw(n: int = N, width: int = WIDTH) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def whole(likeness: Tensor, k: int) -> Tensor:
    """Lists by a stable sort of the whole table, in which smaller indices come first among equals."""
    table = likeness.clone().fill_diagonal_(torch.inf)
    return table.sort(dim=1, descending=True, stable=True).indices[:, : k + 1]


@pytest.mark.parametrize("block", [10, 64, 157, 2048])
def test_cosine_neighbours_are_those_of_scikit_learn(block: int) -> None:
    features = draw()
    expected = NearestNeighbors(n_neighbors=9, metric="cosine", algorithm="brute").fit(features.numpy())
    found = neighbour_lists(features, 8, block)
    assert found.dtype == torch.int64
    assert found.tolist() == expected.kneighbors(features.numpy())[1].tolist()


def test_euclidean_neighbours_are_those_of_scikit_learn() -> None:
    points = draw(width=2)
    expected = NearestNeighbors(n_neighbors=6, algorithm="kd_tree").fit(points.numpy())
    found = neighbour_lists(points, 5, 50, "euclidean")
    assert found.tolist() == expected.kneighbors(points.numpy())[1].tolist()
    assert found.tolist() != neighbour_lists(points, 5, 50).tolist()


@pytest.mark.parametrize("block", [3, 7, 25, 100])
@pytest.mark.parametrize("k", [1, 4, 20])
def test_equally_near_ones_come_by_index(block: int, k: int) -> None:
    # a lattice: every distance occurs often, and each point stands there four times
    line = torch.arange(5, dtype=torch.float64)
    points = torch.cartesian_prod(line, line).repeat(4, 1)
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.equal(neighbour_lists(points, k, block, "euclidean"), whole(-distances, k))


def test_where_all_are_equal_each_has_itself_and_the_first_others() -> None:
    lists = neighbour_lists(torch.ones(6, 3), 2, block=2)
    assert lists.tolist() == [[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1]]


def test_all_others_may_be_asked_for_but_not_more() -> None:
    assert neighbour_lists(draw(5), 4, block=2).sort(1).values.tolist() == [[0, 1, 2, 3, 4]] * 5
    for k in (0, 5):
        with pytest.raises(ValueError, match="5 samples have 1 to 4 neighbours"):
            neighbour_lists(draw(5), k)


def test_no_table_is_larger_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, ...]] = []
    largest = neighbours._largest

    def watched(values: Tensor, k: int) -> Tensor:
        sizes.append(tuple(values.shape))
        return largest(values, k)

    monkeypatch.setattr(neighbours, "_largest", watched)
    neighbour_lists(draw(), 8, block=20)
    assert len(sizes) == 8 * 8
    assert max(rows for rows, _ in sizes) == 20
    assert max(columns for _, columns in sizes) == 20 + 8


def test_draws_are_uniform_over_the_list_of_the_anchor() -> None:
    lists = neighbour_lists(draw(30), 4)
    index = torch.arange(30).repeat_interleave(4000)
    torch.manual_seed(0)
    drawn = drawn_neighbours(lists, index, BatchDraws(torch.device("cpu")))
    hits = lists[index] == drawn[:, None]
    assert (hits.sum(1) == 1).all()
    share = hits.view(30, 4000, 5).double().mean(1)
    assert (share - 0.2).abs().max() < 5 * (0.2 * 0.8 / 4000) ** 0.5


def test_two_devices_draw_the_halves_of_what_one_draws() -> None:
    cpu, lists, index = torch.device("cpu"), neighbour_lists(draw(30), 4), torch.arange(30)
    found = []
    for rank, half in enumerate(index.chunk(2)):
        torch.manual_seed(0)
        found.append(drawn_neighbours(lists, half, BatchDraws(cpu, rank, 2)))
    torch.manual_seed(0)
    assert torch.equal(torch.cat(found), drawn_neighbours(lists, index, BatchDraws(cpu)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_finds_the_same() -> None:
    features = draw(500)
    assert torch.equal(neighbour_lists(features.cuda(), 10, 64).cpu(), neighbour_lists(features, 10, 64))
