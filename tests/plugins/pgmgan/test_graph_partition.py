"""Images divided by their graph: what the stages before the GAN do and leave behind, and how another run takes it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_pgmgan.graph_partition import BLOCK, blocks, cosine
from harness_pgmgan.neighbours import neighbour_lists

from harness.data import TrainingData
from harness.errors import SettingsError, UserError
from harness.training.loop import Training

Train = Callable[..., Training]


@pytest.fixture(scope="module")
def digits(train: Train) -> Training:
    return train("digits")


def test_the_graph_is_of_the_pretext_tasks_features(prepare: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    training = prepare("digits", partition={"steps": 1})
    method: Any = training.method
    partition = method.partition
    found: dict[str, torch.Tensor] = {}
    finish = partition.find_neighbours

    def noting(data: Any) -> None:
        finish(data)
        with torch.no_grad():
            embedded = partition.contrast(partition.partitioner.encoder(data.at(torch.arange(60)).images))
        found["expected"] = neighbour_lists(embedded, 4)

    monkeypatch.setattr(partition, "find_neighbours", noting)
    training.stages[0] = training.method.stages()[0]
    training.run(resume=False)
    assert torch.equal(partition.neighbours, found["expected"])
    assert torch.equal(partition.neighbours[:, 0], torch.arange(60))


def test_pi_is_the_share_of_each_partition_in_all_training_images(digits: Training) -> None:
    partition: Any = digits.method.partition  # type: ignore[attr-defined]
    whole = digits.data.at(torch.arange(len(digits.data))).images  # type: ignore[arg-type]
    with torch.no_grad():
        labels = partition.partitioner.eval()(whole).argmax(1)
    expected = torch.bincount(labels, minlength=6) / len(labels)
    torch.testing.assert_close(partition.prior, expected)
    assert len(labels) > partition.items


def test_the_pretext_trains_the_encoder_and_the_second_stage_the_head_too(prepare: Train) -> None:
    training = prepare("digits")
    partition: Any = training.method.partition  # type: ignore[attr-defined]
    moved: dict[str, set[str]] = {}

    def stage(name: str, step: Callable[[Any], None]) -> Callable[[Any], None]:
        def noting(stream: Any) -> None:
            networks = {"encoder": partition.partitioner.encoder, "head": partition.partitioner.head}
            networks["contrast"] = partition.contrast
            before = {n: [p.detach().clone() for p in m.parameters()] for n, m in networks.items()}
            step(stream)
            for n, m in networks.items():
                if any(not torch.equal(a, b) for a, b in zip(before[n], m.parameters(), strict=True)):
                    moved.setdefault(name, set()).add(n)

        return noting

    for number, stage_of in enumerate(training.stages[:2]):
        object.__setattr__(training.stages[number], "step", stage(stage_of.name, stage_of.step))
    training.run(resume=False)
    assert moved == {"pretext": {"encoder", "contrast"}, "partition": {"encoder", "head"}}


def test_the_learning_rate_falls_along_half_a_cosine() -> None:
    assert cosine(0.4, 4e-4, 0.0) == pytest.approx(0.4)
    assert cosine(0.4, 4e-4, 0.5) == pytest.approx((0.4 + 4e-4) / 2)
    assert cosine(0.4, 4e-4, 1.0) == pytest.approx(4e-4)
    assert cosine(1.0, 0.0, 1 / 3) == pytest.approx((1 + math.cos(math.pi / 3)) / 2)


def test_the_rate_is_set_before_each_step(digits: Training) -> None:
    (group,) = digits.method.partition.sgd.param_groups  # type: ignore[attr-defined]
    pretext = digits.settings.pretext  # type: ignore[attr-defined]
    assert group["lr"] == pytest.approx(cosine(pretext.lr, pretext.lr * 1e-3, 1 / 2))
    assert (group["momentum"], group["weight_decay"]) == (0.9, 3e-5)


def test_another_run_takes_the_partitioner_over_and_says_which(digits: Training, train: Train, tmp_path: Path) -> None:
    source = digits.folder.path
    again = train("digits", out=tmp_path / "b", partition_from=str(source), guide={"weight": 0.5})
    assert [stage.name for stage in again.stages] == ["partition", "gan"]
    checksum = hashlib.sha256((source / "products" / "partition.pt").read_bytes()).hexdigest()
    assert again.reused == {"partition": {"from": str(source), "sha256": checksum}}
    ours, theirs = (training.method.partition for training in (again, digits))  # type: ignore[attr-defined]
    for name, value in theirs.partitioner.state_dict().items():
        assert torch.equal(ours.partitioner.state_dict()[name], value), name
    assert torch.equal(ours.prior, theirs.prior)


def test_a_pretext_serves_any_number_of_partitions(digits: Training, train: Train, tmp_path: Path) -> None:
    again = train("digits", out=tmp_path / "c", pretext_from=str(digits.folder.path), partitions=9)
    assert again.reused.keys() == {"pretext"}
    assert again.method.partition.prior.shape == (9,)  # type: ignore[attr-defined]
    assert torch.equal(
        again.method.partition.neighbours,  # type: ignore[attr-defined]
        digits.method.partition.neighbours,  # type: ignore[attr-defined]
    )


def test_a_partitioner_of_another_size_is_refused(digits: Training, prepare: Train, tmp_path: Path) -> None:
    training = prepare("digits", out=tmp_path / "d", partition_from=str(digits.folder.path), partitions=9)
    with pytest.raises(UserError, match="partitioner"):
        training.run(resume=False)


@pytest.mark.parametrize(
    ("dataset", "settings", "said"),
    [
        ("ring2d", {"partitioning": "graph"}, "partitions images, and data set 'ring2d' holds points"),
        ("digits", {"partition": {"items": 3}}, "cannot give each of them 4 neighbours"),
        ("digits", {"partition": {"groups": 5}}, "cannot be halved 4 times"),
    ],
)
def test_what_does_not_fit_together_is_refused(prepare: Train, dataset: str, settings: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        prepare(dataset, **settings)


def test_an_image_is_no_neighbour_of_its_own(prepare: Train) -> None:
    with pytest.raises(SettingsError, match="4 images cannot give .* 4 neighbours.*--set partition.neighbours=N"):
        prepare("digits", partition={"items": 4})
    method: Any = prepare("digits", partition={"items": 5}).method
    assert method.partition.neighbours.shape == (5, 4 + 1)


def test_there_are_no_more_images_in_the_graph_than_in_the_data(prepare: Train) -> None:
    for asked, held in ((10_000, 1437), (None, 1437), (60, 60)):
        method: Any = prepare("digits", partition={"items": asked}).method
        assert method.partition.items == held


@pytest.mark.parametrize("labels", [None, torch.arange(100) % 7])
def test_the_second_stage_sees_the_images_of_the_graph(prepare: Train, labels: torch.Tensor | None) -> None:
    partition: Any = prepare("digits").method.partition  # type: ignore[attr-defined]
    values = torch.arange(100, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)
    seen = partition.in_graph(TrainingData(values, labels, 7, torch.device("cpu")))
    assert torch.equal(seen.values, values[:60])
    assert (seen.labels is None) if labels is None else torch.equal(seen.labels, labels[:60])
    assert seen.n_classes == 7


@pytest.mark.parametrize(
    ("items", "sizes"), [(1100, [BLOCK, BLOCK, 100]), (700, [BLOCK, 200]), (5000, [BLOCK] * 2 + [100])]
)
def test_images_come_block_by_block_in_their_order(items: int, sizes: list[int]) -> None:
    values = (torch.arange(1100) % 256).to(torch.uint8)[:, None, None, None]
    found = list(blocks(TrainingData(values, None, 0, torch.device("cpu")), items))
    assert [len(images) for images in found] == sizes
    torch.testing.assert_close(torch.cat(found), values[: sum(sizes)] / 127.5 - 1)
