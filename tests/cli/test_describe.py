"""``harness describe``: settings, parameters and cost of a recipe without data; facts of a data set."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def described(harness):
    """What ``harness describe --json`` answers."""

    def command(*words: str) -> dict[str, Any]:
        code, out, err = harness("describe", *words, "--json")
        assert (code, err) == (0, "")
        answer: dict[str, Any] = json.loads(out)
        return answer

    return command


POINTS = ("gan/mlp-nsgan", "--dataset", "ring2d")
IMAGES = ("gan/biggan-hinge", "--dataset", "digits", "--scale", "tiny")


# -- recipes ---------------------------------------------------------------------------------------------


def test_settings_are_resolved_and_dotted(described) -> None:
    facts = described(*IMAGES)
    assert (facts["recipe"], facts["method"], facts["plugin"]) == ("gan/biggan-hinge", "gan", "baselines")
    assert (facts["dataset"], facts["shape"], facts["classes"], facts["scale"]) == ("digits", [1, 8, 8], 10, "tiny")
    settings = facts["settings"]
    assert settings["backbone.name"] == "biggan"
    assert settings["backbone.width"] < described(*IMAGES[:3])["settings"]["backbone.width"]
    assert {"steps", "ema.decay", "evaluation.samples"} <= set(settings)


def test_an_override_is_shown_and_changes_the_recipe(harness, described) -> None:
    facts = described(*POINTS, "--set", "batch_size=7", "--set", "ema.decay=0.5")
    assert facts["recipe"] == "gan/mlp-nsgan+changed"
    assert facts["set"] == ["batch_size", "ema.decay"]
    assert facts["settings"]["batch_size"] == 7
    lines = harness("describe", *POINTS, "--set", "batch_size=7").out.splitlines()
    (line,) = [line for line in lines if line.startswith("batch_size ")]
    assert line.split() == ["batch_size", "7", "(set)"]


def test_networks_of_fully_connected_layers_are_counted_as_by_hand(described) -> None:
    options = ["generator_width=8", "generator_layers=2", "discriminator_width=6", "discriminator_layers=1"]
    options += ["latent_dim=3", "batch_norm=false", "discriminator_activation=relu"]
    words = [word for option in options for word in ("--set", f"backbone.{option}")]
    networks = described(*POINTS, *words)["networks"]
    macs = 3 * 8 + 8 * 8 + 8 * 2
    assert networks["generator"]["macs"] == macs
    assert networks["generator"]["parameters"] == macs + (8 + 8 + 2)
    assert networks["discriminator"]["macs"] == 2 * 6 + 6 * 1
    assert networks["discriminator"]["parameters"] == 2 * 6 + 6 * 1 + (6 + 1)


def test_an_image_costs_what_it_costs_whether_or_not_a_class_is_told(described) -> None:
    told = described(*IMAGES)["networks"]
    untold = described(*IMAGES, "--set", "conditional=false")["networks"]
    assert told["generator"]["parameters"] > untold["generator"]["parameters"]
    for network in ("generator", "discriminator"):
        assert told[network]["not_counted"] is untold[network]["not_counted"] is None
        assert 0 < untold[network]["macs"] <= told[network]["macs"] < 1.1 * untold[network]["macs"]


def test_images_are_fitted_as_the_data_set_asks(described) -> None:
    assert described("gan/biggan-hinge", "--dataset", "mnist", "--scale", "tiny")["shape"] == [1, 32, 32]


def test_the_largest_recipe_is_described_without_its_memory(described) -> None:
    facts = described("gan/biggan-hinge", "--dataset", "cifar10", "--set", "backbone.width=1024")
    assert facts["networks"]["generator"]["parameters"] > 9 * 10**8


@pytest.mark.parametrize(
    ("given", "recipe", "dataset"),
    [
        ("gan", "gan/biggan-hinge", "digits"),
        ("lcsa", "lcsa/biggan-d512", "cifar10"),
        ("pgmgan", "pgmgan/sngan", "cifar10"),
    ],
)
def test_a_method_or_its_plugin_stands_for_its_default_recipe(described, given: str, recipe: str, dataset: str) -> None:
    facts = described(given, "--scale", "tiny")
    assert (facts["recipe"], facts["dataset"]) == (recipe, dataset)


def test_a_plugin_of_several_methods_stands_for_none(refused) -> None:
    assert "gan, pacgan, mgan" in refused("describe", "baselines")


def test_a_method_takes_the_recipe_that_suits_the_data(described) -> None:
    assert described("gan", "--dataset", "ring2d")["recipe"] == "gan/mlp-nsgan"


def test_the_table_says_what_json_says(harness, described) -> None:
    facts, out = described(*POINTS), harness("describe", *POINTS).out
    for key in facts["settings"]:
        assert f"\n{key} " in out
    for network, cost in facts["networks"].items():
        (row,) = [line for line in out.splitlines() if line.startswith(f"{network} ")]
        assert row.split()[1:] == [f"{cost['parameters']:,}", f"{cost['adapters']:,}", f"{cost['macs']:,}"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gam"], "unknown recipe, method, data set or metric 'gam'; did you mean 'gan'?"),
        (["mnst"], "unknown recipe, method, data set or metric 'mnst'; did you mean 'mnist'"),
        (["mlp-nsgan"], "unknown recipe, method, data set or metric 'mlp-nsgan'; did you mean 'gan/mlp-nsgan' or"),
        (["gan", "--dataset", "mnst"], "unknown data set 'mnst'"),
        (["gan", "--scale", "tinny"], "unknown scale of recipe 'gan/biggan-hinge' 'tinny'; did you mean 'tiny'?"),
        (["gan", "--set", "ema.deacy=1"], "method 'gan' has no setting 'ema.deacy'; did you mean 'ema.decay'?"),
        (["gan", "--set", "steps"], "--set needs key=value, not 'steps'"),
        (["gan", "--dataset", "folder:x"], "the shape of data set 'folder:x' depends on its files"),
        (["gan", "--set", "backbone=mlp"], "backbone 'mlp' makes points, but data set 'digits' holds images"),
        (["kernell"], "unknown recipe, method, data set or metric 'kernell'; did you mean 'kernel'"),
        (["kernel", "--scale", "tiny"], "'kernel' is a metric: --dataset, --scale and --set do not apply to it"),
        (["digits", "--scale", "tiny"], "'digits' is a data set: --dataset, --scale and --set do not apply to it"),
        (["builtin"], "plugin 'builtin' offers 0 methods"),
    ],
)
def test_a_mistake_is_one_line(refused, words: list[str], said: str) -> None:
    assert refused("describe", *words).startswith(f"error: {said}")


# -- data sets -------------------------------------------------------------------------------------------


def test_a_data_set_is_described_from_its_spec(described) -> None:
    facts = described("mnist")
    assert (facts["shape"], facts["range"], facts["splits"]) == ([1, 28, 28], [-1, 1], {"train": 60000, "test": 10000})
    assert len(facts["classes"]) == 10
    assert facts["licence"]
    assert all(file["sha256"] or file["md5"] or file["contents"] for file in facts["files"])


def test_files_inside_an_archive_are_shown_with_their_checksums(harness, described) -> None:
    archive = described("mnist")["files"][0]
    inner = archive["contents"][0]
    (row,) = [line for line in harness("describe", "mnist").out.splitlines() if f": {inner['name']} " in line]
    assert row.startswith(f"{archive['name']}: ")
    assert (inner["sha256"] or inner["md5"]) in row


@pytest.mark.parametrize("name", ["folder", "folder:/some/where"])
def test_a_data_set_that_depends_on_its_files_says_so(harness, name: str) -> None:
    code, out, _ = harness("describe", name)
    assert code == 0
    assert "shape       depends on the files" in out


def test_points_have_no_range(described) -> None:
    facts = described("ring2d")
    assert (facts["kind"], facts["range"], facts["known_modes"]) == ("points", None, True)


# -- metrics ---------------------------------------------------------------------------------------------


def test_a_metric_or_one_of_its_values_is_described_with_all_that_it_can_be_told(described) -> None:
    facts = described("kernel")
    assert (facts["metric"], facts["plugin"], facts["needs"]) == ("kernel", "builtin", "sample")
    assert facts["settings"]["evaluation.of.kernel.subsets"] == {"default": 100, "about": "how many subsets"}
    assert described("kid_x1e3") == facts
    assert described("fd")["settings"] == {}


def test_the_table_of_a_metric_shows_each_setting_with_its_default(harness) -> None:
    out = harness("describe", "neighbours").out
    assert "precision (higher), recall (higher)" in out
    (row,) = [line for line in out.splitlines() if line.startswith("evaluation.of.neighbours.density_coverage_k ")]
    assert row.split()[1] == "5"
