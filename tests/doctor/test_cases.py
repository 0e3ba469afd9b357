"""Every case differs from its healthy baseline in what its name says, and in nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.catalog import Catalog
from harness.contracts.capabilities import CAPABILITIES
from harness.contracts.data import Split
from harness.contracts.stream import as_float
from harness.data import load_dataset
from harness.doctor.cases import BASELINE, IMAGE_COUNT, POINT_COUNT, Case, Cases
from harness.doctor.disturbances import KEPT_CLASSES, SPREAD
from harness.randomness import Seeds

#: capabilities of image methods that have cases, and the disturbances beside the baseline
DISTURBANCES = {
    "sample": {"noise", "blur", "jpeg", "mode_drop", "memorise", "label_shuffle", "swap"},
    "reconstruct": {"noise", "blur"},
    "outlier_scores": {"separate", "swap"},
    "assign": {"label_shuffle", "merge"},
    "latents": {"stretch", "collapse"},
    "latent_scale": {"stretch", "collapse"},
}


@pytest.fixture(scope="module")
def cases(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    return Cases(catalog, tmp_path_factory.mktemp("doctor"))


def sampled(case: Case, count: int = IMAGE_COUNT) -> Tensor:
    images: Tensor = case.trained.sample(Seeds(0, range(count))).images
    return images


def told(case: Case) -> list[int]:
    labels: list[int] = case.trained.sample(Seeds(0, range(IMAGE_COUNT))).conditions.tolist()
    return labels


def stored(split: Split) -> Tensor:
    return as_float(torch.from_numpy(split.values))


@pytest.mark.parametrize("capability", DISTURBANCES)
def test_every_case_can_do_what_it_is_examined_for(cases: Cases, capability: str) -> None:
    makers = cases.of("images", capability)
    assert set(makers) == {BASELINE} | DISTURBANCES[capability]
    assert all(isinstance(make().trained, CAPABILITIES[capability]) for make in makers.values())


def test_where_there_is_no_healthy_case_there_is_none_at_all(cases: Cases) -> None:
    assert cases.of("images", "no such capability") == {}
    assert cases.of("points", "reconstruct") == {}


def test_healthy_samples_are_held_out_images_and_copies_are_not(cases: Cases) -> None:
    makers = cases.of("images", "sample")
    assert torch.equal(sampled(makers[BASELINE]()), stored(cases.images.finite("test")))
    seen = {image.numpy().tobytes() for image in stored(cases.images.finite("train"))}
    copies = [image.numpy().tobytes() for image in sampled(makers["memorise"]())]
    assert set(copies) <= seen
    assert len(copies) == IMAGE_COUNT


@pytest.mark.parametrize("name", ["noise", "blur", "jpeg"])
def test_spoilt_samples_keep_their_labels_and_the_data(cases: Cases, name: str) -> None:
    makers = cases.of("images", "sample")
    healthy, spoilt = makers[BASELINE](), makers[name]()
    assert (sampled(healthy) != sampled(spoilt)).any()
    assert told(spoilt) == told(healthy)
    assert spoilt.dataset is healthy.dataset is cases.images


def test_dropped_modes_are_missing_on_one_side_and_in_swap_on_the_other(cases: Cases) -> None:
    makers = cases.of("images", "sample")
    healthy, dropped, swapped = makers[BASELINE](), makers["mode_drop"](), makers["swap"]()
    assert set(told(healthy)) == set(told(swapped)) == set(range(10))
    assert set(told(dropped)) == set(range(KEPT_CLASSES))
    lost = swapped.dataset.finite("train")
    assert lost.labels is not None
    assert set(lost.labels.tolist()) == set(range(KEPT_CLASSES))
    assert len(lost) == len(cases.images.finite("train"))
    assert torch.equal(stored(swapped.dataset.finite("test")), stored(cases.images.finite("test")))
    assert swapped.dataset.name == dropped.dataset.name == cases.images.name


def test_shuffled_labels_are_on_the_side_that_tells_them(cases: Cases) -> None:
    samples, clusters = cases.of("images", "sample"), cases.of("images", "assign")
    healthy, shuffled = samples[BASELINE](), samples["label_shuffle"]()
    assert torch.equal(sampled(healthy), sampled(shuffled))
    assert told(healthy) != told(shuffled)
    assert Counter(told(healthy)) == Counter(told(shuffled))
    true, mixed = (clusters[name]().dataset.finite("train") for name in (BASELINE, "label_shuffle"))
    assert np.array_equal(true.values, mixed.values)
    assert not np.array_equal(true.labels, mixed.labels)  # type: ignore[arg-type]
    images = stored(cases.images.finite("test"))
    grouped = {name: clusters[name]().trained.assign(images) for name in clusters}
    assert torch.equal(grouped[BASELINE], grouped["label_shuffle"])
    assert set(grouped[BASELINE].tolist()) - set(grouped["merge"].tolist()) == {1, 2}


def test_points_are_drawn_from_the_law_and_then_disturbed(cases: Cases) -> None:
    makers = cases.of("points", "sample")
    assert set(makers) == {BASELINE, "noise", "mode_drop"}
    healthy, spoilt = (sampled(makers[name](), POINT_COUNT) for name in (BASELINE, "noise"))
    modes = cases.points.modes()
    assert modes is not None
    away = torch.cdist(healthy.double(), torch.from_numpy(modes.means)).min(1).values
    assert away.square().mean().item() / 2 == pytest.approx(modes.std**2, rel=0.1)
    assert (spoilt - healthy).std().item() == pytest.approx(0.2, rel=0.05)
    assert len(np.unique(sampled(makers["mode_drop"](), POINT_COUNT).numpy(), axis=0)) < POINT_COUNT


def test_rebuilt_images_are_large_enough_and_the_disturbed_ones_worse(cases: Cases) -> None:
    makers = cases.of("images", "reconstruct")
    data = makers[BASELINE]().dataset
    images = stored(data.finite("test"))
    assert images.shape[1:] == (1, 16, 16)
    assert torch.equal(images[:, :, ::2, ::2], stored(cases.images.finite("test")))
    assert torch.equal(images[:, :, ::2, ::2], images[:, :, 1::2, 1::2])
    error = {
        name: (make().trained.reconstruct(images).images - images).square().mean().sqrt().item() * 127.5
        for name, make in makers.items()
    }
    assert error[BASELINE] < 5.0  # grey levels; some are clamped
    assert SPREAD / 2 < error["noise"] < SPREAD
    assert error["blur"] > 2 * error[BASELINE]


def test_outliers_are_a_data_set_of_noise_that_scores_tell_from_digits(cases: Cases, catalog: Catalog) -> None:
    makers = cases.of("images", "outlier_scores")
    made = {name: make() for name, make in makers.items()}
    ((name,),) = {case.outliers for case in made.values()}
    outliers = load_dataset(catalog, name, cases.folder).finite("train")
    inliers = cases.images.finite("test")
    assert outliers.values.shape == inliers.values.shape
    assert outliers.values.std() == pytest.approx((256**2 / 12) ** 0.5, rel=0.02)  # uniform grey levels
    gap = {}
    for case_name, case in made.items():
        scores = (case.trained.outlier_scores(stored(split))["distance"] for split in (outliers, inliers))
        out, in_ = (each.numpy() for each in scores)
        gap[case_name] = (out[:, None] > in_).mean()  # area under the ROC curve
    assert gap["separate"] > 0.999
    assert 0.6 < gap[BASELINE] < 0.99
    assert gap["swap"] == pytest.approx(1 - gap[BASELINE], abs=1e-9)


def test_latent_spaces_have_the_dimensions_that_their_names_say(cases: Cases) -> None:
    makers = cases.of("images", "latents")
    gains = {name: make().trained.latent_scale() for name, make in makers.items()}
    assert {len(each) for each in gains.values()} == {8}
    assert gains[BASELINE].unique().numel() == 1
    assert (gains["stretch"] / gains[BASELINE]).tolist() == pytest.approx([20.0, *[1.0] * 7])
    assert (gains["collapse"] / gains[BASELINE]).tolist() == pytest.approx([*[1.0] * 3, *[0.01] * 5])


def test_no_case_changes_the_data_of_another(cases: Cases) -> None:
    for capability in DISTURBANCES:
        for make in cases.of("images", capability).values():
            make()
    untouched = load_dataset(cases.catalog, cases.images.name, cases.folder)
    for name in ("train", "test"):
        held = cases.images.finite(name)
        # a checksum is made once and kept: that of a copy is made now
        assert Split(held.values, held.labels, held.classes).checksum == untouched.finite(name).checksum
