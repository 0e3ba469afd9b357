from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.contracts.data import Law, Split
from harness.contracts.stream import LAW_BLOCK, LawData, Stream, TrainingData, as_float
from harness.errors import SettingsError

CPU = torch.device("cpu")


def training(n: int = 10) -> TrainingData:
    """Image i is all i on its left half and i + 100 on its right; label i modulo 3."""
    values = np.empty((n, 1, 2, 4), dtype=np.uint8)
    values[..., :2] = np.arange(n, dtype=np.uint8)[:, None, None, None]
    values[..., 2:] = 100 + np.arange(n, dtype=np.uint8)[:, None, None, None]
    return TrainingData.of(Split(values, np.arange(n) % 3, ("a", "b", "c")), CPU)


def described(n: int = 10) -> TrainingData:
    """The same, with whether the number is odd and whether it is below 5."""
    numbers = np.arange(n, dtype=np.uint8)
    attributes = np.stack([numbers % 2, numbers < 5], 1).astype(np.uint8)
    data = training(n)
    split = Split(data.values.numpy(), numbers.astype(np.int64) % 3, ("a", "b", "c"), {}, attributes, ("odd", "small"))
    return TrainingData.of(split, CPU)


def law_data(seed: int = 0) -> LawData:
    def draw(generator, n):
        return generator.standard_normal((n, 2)).astype(np.float32), generator.integers(0, 2, n)

    return LawData(Law(draw, ("a", "b"), "test"), seed, CPU)


def stream(batch_size: int = 4, seed: int = 0, n: int = 10, **options) -> Stream:
    return Stream(training(n), batch_size, (seed, "main"), **options)


def drawn(source: Stream, batches: int) -> list[int]:
    return [i for _ in range(batches) for i in source.next().index.tolist()]


def test_bytes_become_floats_from_minus_one_to_one() -> None:
    values = as_float(torch.arange(256, dtype=torch.uint8))
    torch.testing.assert_close(values, torch.linspace(-1, 1, 256))
    assert (values[0], values[255]) == (-1.0, 1.0)


def test_a_batch_is_the_items_at_its_index() -> None:
    batch = stream().next()
    torch.testing.assert_close(batch.images[:, 0, 0, 0], batch.index / 127.5 - 1)
    assert batch.labels.tolist() == [i % 3 for i in batch.index.tolist()]
    assert (batch.images.dtype, batch.index.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 25])
def test_every_epoch_is_a_permutation_of_its_own(batch_size) -> None:
    batches = -(-30 // batch_size)
    numbers = drawn(stream(batch_size), batches)
    epochs = [numbers[start : start + 10] for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_order_does_not_depend_on_the_batch_size() -> None:
    assert drawn(stream(1), 20) == drawn(stream(5), 4) == drawn(stream(20), 1)


def test_other_seeds_give_other_orders() -> None:
    assert drawn(stream(10, seed=0), 1) != drawn(stream(10, seed=1), 1)


def test_the_state_is_one_integer_and_resuming_goes_on_with_the_same_batches() -> None:
    whole = stream(flip=True)
    first = [whole.next() for _ in range(3)]
    state = whole.state_dict()
    assert state == {"position": 12}
    rest = [whole.next() for _ in range(4)]
    resumed = stream(flip=True)
    resumed.load_state_dict(state)
    for batch in rest:
        again = resumed.next()
        assert torch.equal(batch.images, again.images)
        assert torch.equal(batch.index, again.index)
    assert not torch.equal(first[0].index, rest[0].index)


def test_a_step_may_ask_for_another_number() -> None:
    source = stream(4)
    assert len(source.next(7).index) == 7
    assert source.position == 7


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_the_shares_of_all_processes_are_the_global_batch(world, flip) -> None:
    alone = stream(8, flip=flip)
    shares = [stream(8, flip=flip, rank=rank, world=world) for rank in range(world)]
    for _ in range(3):
        whole, parts = alone.next(), [share.next() for share in shares]
        assert torch.equal(whole.index, torch.cat([part.index for part in parts]))
        assert torch.equal(whole.images, torch.cat([part.images for part in parts]))


def test_mirroring_is_a_fair_coin_fixed_by_the_position() -> None:
    flipped = []
    source, plain = stream(50, flip=True), stream(50)
    for _ in range(20):
        mirrored, straight = source.next(), plain.next()
        assert torch.equal(mirrored.index, straight.index)
        for image, original in zip(mirrored.images, straight.images, strict=True):
            assert torch.equal(image, original) or torch.equal(image, original.flip(-1))
            flipped.append(not torch.equal(image, original))
    assert abs(np.mean(flipped) - 0.5) < 5 * 0.5 / np.sqrt(1000)
    again = stream(50, flip=True)
    again.load_state_dict({"position": 50})
    other = stream(50, flip=True)
    other.next()
    assert torch.equal(again.next().images, other.next().images)
    assert flipped[:50] != flipped[50:100]  # every batch throws its own coins


def test_points_cannot_be_mirrored() -> None:
    points = TrainingData.of(Split(np.zeros((4, 2), dtype=np.float32), None, ()), CPU)
    for data in (points, law_data()):
        with pytest.raises(SettingsError, match="points cannot be mirrored"):
            Stream(data, 2, (0,), flip=True)


def test_points_pass_unchanged_and_without_labels() -> None:
    values = np.random.default_rng(0).standard_normal((6, 2)).astype(np.float32)
    batch = Stream(TrainingData.of(Split(values, None, ()), CPU), 6, (0,)).next()
    assert batch.labels is None
    np.testing.assert_array_equal(batch.images.numpy(), values[batch.index.numpy()])


def test_training_data_is_not_changed_by_what_is_done_to_a_batch() -> None:
    data = training()
    before = data.values.clone()
    data.at(torch.arange(3)).images.zero_()
    points = TrainingData.of(Split(np.ones((3, 2), dtype=np.float32), None, ()), CPU)
    points.at(torch.arange(3)).images.zero_()
    assert torch.equal(data.values, before)
    assert points.values.sum() == 6


def test_relabelled_data_shares_its_images() -> None:
    data = training()
    relabelled = data.relabelled(torch.full((10,), 4), 5)
    assert relabelled.values is data.values
    assert relabelled.at(torch.arange(2)).labels.tolist() == [4, 4]
    assert (relabelled.n_classes, data.n_classes) == (5, 3)


@pytest.mark.parametrize("labels", [torch.zeros(9, dtype=torch.int64), torch.full((10,), 5), torch.full((10,), -1)])
def test_labels_that_cannot_be_are_refused(labels) -> None:
    with pytest.raises(ValueError, match=r"labels (are needed|outside 0\.\.4)"):
        training().relabelled(labels, 5)


def test_points_of_a_law_depend_on_their_number_only() -> None:
    numbers = torch.tensor([5, LAW_BLOCK + 1, 0, 3 * LAW_BLOCK, 5])
    together = law_data().at(numbers)
    one_by_one = [law_data().at(number[None]) for number in numbers]
    assert torch.equal(together.images, torch.cat([one.images for one in one_by_one]))
    assert torch.equal(together.labels, torch.cat([one.labels for one in one_by_one]))
    assert torch.equal(together.index, numbers)
    assert not torch.equal(together.images, law_data(seed=1).at(numbers).images)


def test_the_blocks_of_a_law_are_all_different() -> None:
    images = law_data().at(torch.arange(3 * LAW_BLOCK)).images
    assert len(torch.unique(images, dim=0)) == 3 * LAW_BLOCK


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_batch_on_the_gpu_is_the_one_on_the_cpu_and_its_index_addresses_the_data_again() -> None:
    device = torch.device("cuda")
    split = Split(np.arange(80, dtype=np.uint8).reshape(10, 1, 2, 4), np.arange(10) % 3, ("a", "b", "c"))
    for here, there in (
        (TrainingData.of(split, CPU), TrainingData.of(split, device)),
        (law_data(), LawData(law_data().law, 0, device)),
    ):
        batch = Stream(there, 4, (0,)).next()
        assert batch.images.device.type == batch.index.device.type == "cuda"
        torch.testing.assert_close(batch.images.cpu(), Stream(here, 4, (0,)).next().images)
        assert torch.equal(there.at(batch.index).images, batch.images)


def test_a_stream_of_a_law_never_repeats_a_number_and_resumes() -> None:
    source = Stream(law_data(), 1000, (0,))
    batches = [source.next() for _ in range(6)]
    assert torch.cat([batch.index for batch in batches]).tolist() == list(range(6000))
    resumed = Stream(law_data(), 1000, (0,))
    resumed.load_state_dict({"position": 4000})
    assert torch.equal(resumed.next().images, batches[4].images)


# -- attributes and subsets ------------------------------------------------------------------------


def test_a_batch_has_the_attributes_of_its_items_or_none() -> None:
    batch = described().at(torch.tensor([7, 2]))
    assert batch.attributes is not None
    assert (batch.attributes.tolist(), batch.attributes.dtype) == ([[1, 0], [0, 1]], torch.uint8)
    drawn = Stream(described(), 4, (0,), flip=True).next()
    assert drawn.attributes is not None
    assert drawn.attributes[:, 0].tolist() == (drawn.index % 2).tolist()
    assert training().at(torch.arange(2)).attributes is None
    assert law_data().at(torch.arange(2)).attributes is None


def test_relabelled_data_keeps_its_attributes() -> None:
    data = described()
    relabelled = data.relabelled(torch.zeros(10, dtype=torch.int64), 1)
    assert relabelled.attributes is data.attributes


@pytest.mark.parametrize("given", [torch.tensor([4, 0, 4, 9]), np.array([4, 0, 4, 9])], ids=["torch", "numpy"])
def test_a_subset_is_its_items_in_their_order_and_as_often_as_named(given) -> None:
    data = described()
    subset = data.subset(given)
    assert subset.values[:, 0, 0, 0].tolist() == [4, 0, 4, 9]
    assert subset.labels.tolist() == [1, 0, 1, 0]
    assert subset.attributes.tolist() == [[0, 1], [0, 1], [0, 1], [1, 0]]
    assert (subset.n_classes, subset.device, len(subset)) == (3, CPU, 4)
    batch, there = subset.at(torch.arange(4)), data.at(given)
    assert torch.equal(batch.images, there.images)
    assert batch.index.tolist() == [0, 1, 2, 3]


def test_a_subset_of_a_subset_is_one_of_the_whole() -> None:
    data = described()
    twice = data.subset(torch.tensor([9, 3, 5])).subset(torch.tensor([2, 0]))
    assert torch.equal(twice.values, data.subset(torch.tensor([5, 9])).values)


def test_a_subset_keeps_what_is_not_there() -> None:
    points = TrainingData.of(Split(np.arange(6, dtype=np.float32).reshape(3, 2), None, ()), CPU)
    subset = points.subset(np.array([2, 2]))
    assert (subset.values.tolist(), subset.labels, subset.attributes) == ([[4.0, 5.0]] * 2, None, None)


def test_items_in_a_row_are_not_copied_and_others_are() -> None:
    data = described()
    row = data.subset(torch.arange(3, 7))
    assert row.values[:, 0, 0, 0].tolist() == [3, 4, 5, 6]
    assert row.labels.tolist() == [0, 1, 2, 0]
    assert row.values.untyped_storage().data_ptr() == data.values.untyped_storage().data_ptr()
    assert data.subset(torch.tensor([3, 5])).values.untyped_storage().data_ptr() != row.values.data_ptr()
    assert data.subset(torch.tensor([6])).values[:, 0, 0, 0].tolist() == [6]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (torch.tensor([], dtype=torch.int64), "M above 0"),
        (torch.tensor([0, 10]), "10 items has no item 10"),
        (torch.tensor([3, -1]), "10 items has no item -1"),
        (torch.ones(10, dtype=torch.bool), r"named by int64 \[M\]"),
        (np.array([0.0, 1.0]), r"named by int64 \[M\]"),
        (torch.tensor([0], dtype=torch.int32), r"named by int64 \[M\]"),
        (torch.zeros(2, 2, dtype=torch.int64), r"named by int64 \[M\]"),
    ],
)
def test_subsets_that_cannot_be_are_refused(given, said) -> None:
    with pytest.raises(ValueError, match=said):
        training().subset(given)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("where", ["cpu", "cuda"])
def test_values_of_a_subset_live_where_they_lived(where: str) -> None:
    here, device = described(), torch.device("cuda", torch.cuda.current_device())
    labels, attributes = here.labels.to(device), here.attributes.to(device)
    data = TrainingData(here.values.to(where), labels, 3, device, attributes)
    for index in (torch.tensor([4, 0, 4]), torch.tensor([4, 0, 4], device=device), np.array([2, 3])):
        subset = data.subset(index)
        assert (subset.values.device.type, subset.labels.device.type) == (where, "cuda")
        batch = subset.at(torch.arange(len(subset)))
        assert {batch.images.device.type, batch.attributes.device.type} == {"cuda"}
        numbers = torch.as_tensor(index).cpu()
        assert torch.equal(batch.images.cpu(), here.at(numbers).images)
        assert torch.equal(batch.attributes.cpu(), here.at(numbers).attributes)
