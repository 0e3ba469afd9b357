from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from image_files import write_images
from PIL import Image
from sklearn.datasets import load_digits

from harness.builtin.datasets.digits import as_uint8
from harness.errors import EvaluationError
from harness.results.evaluation_record import json_schema, schema_path

DIGITS = load_digits()
GREY, LABELS = as_uint8(DIGITS.images)[:, None], DIGITS.target.astype(np.int64)
CNN = ("--extractor", "digits-cnn")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    """60 and 90 digits as folders a/ and b/, as npz files and in class folders."""
    for name, part in (("a", slice(60)), ("b", slice(60, 150))):
        write_images(tmp_path / name, GREY[part])
        np.savez(tmp_path / f"{name}.npz", arr_0=GREY[part].transpose(0, 2, 3, 1), arr_1=LABELS[part])
    write_images(tmp_path / "classed", GREY[150:250], LABELS[150:250] % 3, ("ant", "bee", "cow"))


def scored(harness: Any, *words: Any) -> dict[str, Any]:
    code, out, err = harness("evaluate", *words, "--json")
    assert code == 0, err
    record: dict[str, Any] = json.loads(out)
    jsonschema.validate(record, json.loads(schema_path().read_text()))
    return record


def numbers(record: dict[str, Any]) -> dict[str, float]:
    return {entry["protocol_id"]: entry["value"] for entry in record["metrics"]}


# -------------------------------------------------------------------------------------------------
# two folders
# -------------------------------------------------------------------------------------------------


def test_two_folders_are_scored_and_the_table_says_what_was_held_against_what(harness: Any, tmp_path: Path) -> None:
    code, out, err = harness("evaluate", "--generated", "a", "--real", "b", *CNN, "--metrics", "fd,is,precision")
    assert code == 0, err
    assert "fd[digits-cnn,native,train,90x60,uint8-stored]" in out
    assert "precision[digits-cnn,native,train,90x60,k3,closed,uint8-stored]" in out
    assert f"folder:{tmp_path}/a train: 60 images 1x8x8, sha256" in out
    assert f"folder:{tmp_path}/b train: 90 images 1x8x8, sha256" in out
    assert not list(tmp_path.glob("**/evaluation.json"))


def test_the_record_says_all_and_is_valid_by_the_schema(harness: Any, tmp_path: Path) -> None:
    assert json.loads(schema_path().read_text()) == json_schema()
    record = scored(harness, "--generated", "a", "--real", "b", *CNN, "--metrics", "fd")
    assert record["generated"]["source"] == f"folder:{tmp_path}/a"
    assert (record["generated"]["items"], record["generated"]["shape"]) == (60, [1, 8, 8])
    assert [real["items"] for real in record["real"]] == [90]
    assert record["statistics"] is None
    assert record["settings"]["metrics"] == ["fd"]
    assert record["settings"]["extractors"] == ["digits-cnn"]
    assert record["environment"]["packages"]
    (entry,) = record["metrics"]
    assert entry["counts"] == {"real": 90, "generated": 60}
    assert entry["subject"] == {"generated": f"folder:{tmp_path}/a"}
    assert entry["protocol"]["real_checksum"] == record["real"][0]["checksum"]


def test_a_folder_for_the_record_gets_what_is_printed(harness: Any, tmp_path: Path) -> None:
    record = scored(harness, "--generated", "a", "--real", "b", *CNN, "--metrics", "fd", "--out", "new/out")
    assert json.loads((tmp_path / "new/out/evaluation.json").read_text()) == record


def test_the_same_pixels_give_the_same_numbers_however_they_are_stored(harness: Any) -> None:
    metrics = ("--metrics", "fd,is,coverage", *CNN)
    folders = numbers(scored(harness, "--generated", "a", "--real", "b", *metrics))
    assert numbers(scored(harness, "--generated", "a.npz", "--real", "b", *metrics)) == folders
    files = scored(harness, "--generated", "a.npz", "--real", "b.npz", *metrics)
    # labels belong to the checksum of the real side, not to the numbers
    assert numbers(files) == folders


def test_a_set_against_itself_scores_as_it_must(harness: Any) -> None:
    found = numbers(scored(harness, "--generated", "a", "--real", "a", *CNN, "--metrics", "fd,precision,coverage"))
    assert found.pop("fd[digits-cnn,native,train,60x60,uint8-stored]") == pytest.approx(0.0, abs=1e-6)
    assert set(found.values()) == {1.0}


def test_a_data_set_stands_for_real_images_and_brings_its_networks(harness: Any) -> None:
    found = numbers(scored(harness, "--generated", "a.npz", "--real", "digits", "--metrics", "fd", "--split", "both"))
    assert list(found) == [
        f"fd[{network},native,{split},uint8-stored]"
        for network in ("digits-cnn", "pixels")
        for split in ("train,1437x60", "test,360x60")
    ]


def test_the_first_images_of_the_fixed_order_are_taken_where_fewer_are_asked_for(harness: Any) -> None:
    record = scored(harness, "--generated", "a", "--real", "b", *CNN, "--metrics", "fd", "--samples", 30)
    assert list(numbers(record)) == ["fd[digits-cnn,native,train,90x30,uint8-stored]"]
    assert record["generated"]["items"] == 60


def test_without_real_images_what_needs_none_is_measured(harness: Any, refused: Any) -> None:
    record = scored(harness, "--generated", "a", *CNN)
    assert {entry["metric"] for entry in record["metrics"]} == {"is"}
    assert record["real"] == []
    line = refused("evaluate", "--generated", "a", *CNN, "--metrics", "fd")
    assert "metric 'fd' cannot be measured here: no real images are given" in line


def test_a_reference_batch_brings_statistics_and_images(harness: Any, tmp_path: Path) -> None:
    # ADM's layout; statistics of other images show which of the two a number is from
    rows = GREY[200:400].reshape(200, 64) / 255.0
    np.savez(
        tmp_path / "ref.npz", mu=rows.mean(0), sigma=np.cov(rows, rowvar=False), mu_s=np.zeros(3), sigma_s=np.eye(3),
        arr_0=GREY[60:150].transpose(0, 2, 3, 1),
    )  # fmt: skip
    chosen = ("--extractor", "pixels", "--metrics", "fd,recall")
    record = scored(harness, "--generated", "a", "--real", "ref.npz", *chosen)
    found = numbers(record)
    (fd,) = (key for key in found if key.startswith("fd"))
    assert fd == f"fd[pixels,native,stats-{record['statistics']['sha256'][:12]},?x60,uint8-stored]"
    images = numbers(scored(harness, "--generated", "a", "--real", "b", *chosen))
    recalls = {key: value for key, value in images.items() if key.startswith("recall")}
    assert {key: found[key] for key in recalls} == recalls
    assert [real["items"] for real in record["real"]] == [90]


@pytest.mark.parametrize(("names", "classes"), [(("bee", "cow"), 3), (("x", "y"), 0)])
def test_labels_are_taken_over_by_name_or_left_out(
    harness: Any, tmp_path: Path, names: tuple[str, ...], classes: int
) -> None:
    write_images(tmp_path / "made", GREY[:40], LABELS[:40] % 2, names)
    record = scored(harness, "--generated", "made", "--real", "classed", "--extractor", "pixels", "--metrics", "fd")
    assert record["generated"]["classes"] == classes
    assert ("labels" in record["generated"]["notes"]) == (classes == 0)


def test_lossy_files_are_said_to_be(harness: Any, tmp_path: Path) -> None:
    (tmp_path / "lossy").mkdir()
    for number, image in enumerate(GREY[:20]):
        Image.fromarray(image[0]).save(tmp_path / "lossy" / f"{number}.jpg")
    code, out, _ = harness("evaluate", "--generated", "lossy", "--real", "b", *CNN, "--metrics", "fd")
    assert code == 0
    assert "is stored in a lossy format: no number of it compares with a paper's" in out


# -------------------------------------------------------------------------------------------------
# refused
# -------------------------------------------------------------------------------------------------


def png(path: Path, mode: str = "L", size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def test_bad_folders_are_refused(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    png(tmp_path / "one/0.png")
    for number, (mode, size) in enumerate([("L", (8, 8)), ("L", (9, 8))]):
        png(tmp_path / f"sizes/{number}.png", mode, size)
    for number, mode in enumerate(("L", "RGB")):
        png(tmp_path / f"colours/{number}.png", mode)
    for number in range(2):
        png(tmp_path / f"rgb/{number}.png", "RGB")
        png(tmp_path / f"large/{number}.png", "L", (16, 16))
        png(tmp_path / f"broken/{number}.png")
    (tmp_path / "broken/1.png").write_bytes((tmp_path / "a/00001.png").read_bytes()[:60])
    for made, real, words in (
        ("empty", "b", "empty holds no images"),
        ("a", "empty", "empty holds no images"),
        ("one", "b", "at least 2 generated items are needed, not 1"),
        ("a", "one", "at least 2 real items are needed, not 1"),
        ("sizes", "b", "0.png has 8x8; make all images one size"),
        ("colours", "b", "0.png is grey; convert all images to one mode"),
        ("rgb", "b", "generated images in folder:"),
        ("a", "rgb", "are 1x8x8 (channels, height, width), real ones in folder:"),
        ("a", "large", "1x16x16; make the real ones fit with --fit pad"),
        ("broken", "b", "1.png is no image, or it is truncated or corrupt"),
        ("nowhere/x", "b", "there is no folder or file 'nowhere/x'"),
        ("a", "digit", "did you mean 'digits'"),
        ("ring2d", "b", "holds points"),
        ("a", "ring2d", "holds points"),
        ("large", "large", "takes 1x8x8 images, not 1x16x16"),
    ):
        assert words in refused("evaluate", "--generated", made, "--real", real, *CNN, "--metrics", "fd"), (made, real)


def test_bad_npz_files_are_refused(refused: Any, tmp_path: Path) -> None:
    pixels = GREY[:9].transpose(0, 2, 3, 1)
    for name, arrays in {
        "keys": {"images": pixels},
        "none": {"arr_0": pixels[:0]},
        "floats": {"arr_0": pixels / 255.0},
        "first": {"arr_0": GREY[:9]},
        "labels": {"arr_0": pixels, "arr_1": LABELS[:8]},
        "half": {"mu": np.zeros(3)},
        "odd": {"mu": np.zeros(64), "sigma": np.zeros((3, 3))},
        "nan": {"mu": np.full(64, np.nan), "sigma": np.eye(64)},
        "wide": {"mu": np.zeros(2048), "sigma": np.eye(2048)},
        "classes": {"arr_0": pixels, "arr_1": np.arange(9)},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)  # type: ignore[arg-type]
    (tmp_path / "cut.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-50])
    (tmp_path / "text.npz").write_text("text")
    for made, real, words in (
        ("keys.npz", "b", "no 'arr_0'"),
        ("none.npz", "b", "holds no images"),
        ("floats.npz", "b", "images are uint8"),
        ("first.npz", "b", "channels go last"),
        ("labels.npz", "b", "9 images to label"),
        ("cut.npz", "b", "truncated or corrupt"),
        ("text.npz", "b", "no npz file"),
        ("a", "cut.npz", "truncated or corrupt"),
        ("a", "text.npz", "no npz file"),
        ("a", "half.npz", "no 'arr_0'"),
        ("a", "odd.npz", "mu has shape (64,) and sigma (3, 3)"),
        ("a", "nan.npz", "NaN or infinite"),
        ("a", "wide.npz", "features of 2048 and of 64 dimensions cannot be compared"),
        ("classes.npz", "classed", "the generated images have 9 classes, the real ones 3"),
        ("wide.npz", "b", "no 'arr_0'"),
    ):
        assert words in refused("evaluate", "--generated", made, "--real", real, *CNN, "--metrics", "fd"), (made, real)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "nothing to evaluate"),
        (("--real", "b"), "nothing to evaluate; give a run's folder, or --generated and --real"),
        (("run", "--generated", "a"), "--generated does not apply to a run"),
        (("run", "--real", "b"), "--real does not apply to a run"),
        (("run", "--out", "x"), "--out does not apply to a run"),
        (("run", "--generated-split", "test"), "--generated-split does not apply to a run"),
        (("--generated", "a", "--real", "b", "--checkpoint", "best"), "--checkpoint does not apply to images"),
        (("--generated", "a", "--real", "b", "--out", "a.npz"), "cannot write to a.npz: File exists"),
        (("--generated", "a", "--real", "b", "--out", "b.npz/x"), "cannot write to b.npz/x"),
        (("--generated", "a", "--real", "b", "--fit", "bogus"), "there is no fit 'bogus'; choose none, pad"),
        (("--generated", "a", "--real", "b", "--fit", "crop:x"), "crop needs a size in pixels, not 'x'"),
        (("--generated", "a", "--fit", "pad"), "--fit is about real images, but nothing real is given"),
        (("--generated", "a"), "nothing can be measured"),
        (("--generated", "a", "--real", "b", "--metrics", ""), "a name is missing in the list of metrics"),
        (("--generated", "a", "--real", "b", "--extractor", "pixels,"), "a name is missing in the list of extractors"),
        (("--generated", "a", "--real", "b", "--metrics", "psnr"), "images in files have no capability 'reconstruct'"),
        (("--generated", "a", "--real", "b", "--metrics", "fdd"), "unknown metric 'fdd'"),
        (("--generated", "a", "--real", "b", "--metrics", "cluster_accuracy"), "no capability 'assign'"),
        (("--generated", "a", "--real", "b", "--metrics", "reverse_kl"), "no extractor in use (pixels) gives logits"),
        (("--generated", "a", "--real", "b", "--extractor", "digits-cn"), "did you mean 'digits-cnn'"),
        (("--generated", "a", "--real", "b", "--extractor", "mnist-cnn"), "takes 1x28x28 or 1x32x32 images"),
        (("--generated", "a", "--real", "b", "--split", "test"), "b has no test split"),
        (("--generated", "a", "--real", "b", "--split", "both"), "b has no test split"),
        (("--generated", "a", "--real", "b", "--split", "val"), "split"),
        (("--generated", "a", "--real", "b", "--generated-split", "test"), "a has no test split"),
        (("--generated", "a", "--real", "b", "--generated-split", "x"), "unknown split"),
        (("--generated", "a", "--real", "b", "--samples", "0"), "samples"),
        (("--generated", "a", "--real", "b", "--samples", "-3"), "samples"),
        (("--generated", "a", "--real", "b", "--samples", "1"), "at least 2 generated items are needed, not 1"),
        (("--generated", "a", "--real", "b", "--metrics", "recall", "--samples", "5"), "at least 6 generated items"),
        (("--generated", "a", "--real", "b", "--set", "evaluation.neighbours_samples=4"), "at least 6"),
        (("--generated", "a", "--real", "b", "--set", "steps=4"), "cannot change 'steps'"),
        (("--generated", "a", "--real", "b", "--set", "evaluation.sample=4"), "sample"),
        (("--generated", "a", "--real", "b", "--device", "cuda:9"), "cuda"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_words_that_contradict_or_name_nothing_are_refused(refused: Any, words: tuple[str, ...], line: str) -> None:
    assert line in refused("evaluate", *words)


def test_a_divided_folder_is_asked_for_its_split(harness: Any, refused: Any, tmp_path: Path) -> None:
    write_images(tmp_path / "made/train", GREY[:30])
    write_images(tmp_path / "made/test", GREY[30:50])
    words = ("--generated", "made", "--real", "b", *CNN, "--metrics", "fd")
    assert "name one of them with --generated-split" in refused("evaluate", *words)
    record = scored(harness, *words, "--generated-split", "test")
    assert (record["generated"]["items"], record["generated"]["split"]) == (20, "test")


def test_smaller_real_images_are_made_to_fit_only_where_that_is_asked_for(harness, folders, tmp_path):
    padded = np.zeros((30, 10, 10, 1), np.uint8)
    np.savez(tmp_path / "padded.npz", arr_0=padded)
    words = ("evaluate", "--generated", "padded.npz", "--real", "digits", "--extractor", "pixels", "--metrics", "fd")
    assert harness(*words).code == 2
    code, out, err = harness(*words, "--fit", "pad", "--json")
    assert code == 0, err
    (entry, *_) = json.loads(out)["metrics"]
    assert entry["protocol"]["fit"] == "pad 8x8 -> 10x10"


def test_statistics_alone_leave_nothing_to_say_of_splits(harness: Any, refused: Any) -> None:
    assert harness("stats", "export", "--real", "b", *CNN, "--out", "s.npz").code == 0
    words = ("evaluate", "--generated", "a", "--real", "s.npz", *CNN, "--metrics", "fd")
    assert "--split is about real images, but a file of statistics is given" in refused(*words, "--split", "test")
    code, out, _ = harness(*words, "--out", "made")
    assert code == 0
    assert "statistics s.npz, sha256" in out
    assert "digits-cnn of folder:" in out
    assert "made/evaluation.json" in out


def test_statistics_that_were_taken_over_are_named_in_the_protocol(
    harness: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "kept"))
    assert harness("stats", "export", "--real", "b", *CNN, "--out", "s.npz").code == 0
    words = ("--generated", "a", "--real", "b", *CNN, "--metrics", "fd", "--samples", "30")
    (before, *_) = scored(harness, *words)["metrics"]
    assert "real_statistics_sha256" not in before["protocol"]
    assert harness("stats", "import", "s.npz", "--real", "b").code == 0
    (after, *_) = scored(harness, *words)["metrics"]
    assert len(after["protocol"]["real_statistics_sha256"]) == 64
    assert after["value"] == pytest.approx(before["value"], rel=1e-9)


def test_a_number_that_nobody_named_and_that_cannot_be_had_does_not_cost_the_others(
    harness: Any, monkeypatch: Any
) -> None:
    def broken(**evidence: Any) -> Any:
        raise EvaluationError("no such luck")

    monkeypatch.setattr("harness.builtin.metrics.neighbours.neighbour_metrics", broken)
    words = ("evaluate", "--generated", "a", "--real", "b", *CNN)
    code, out, err = harness(*words)
    assert code == 0
    assert "not measured: precision[digits-cnn" in err
    assert "no such luck" in err
    assert "fd[digits-cnn" in out
    assert harness(*words, "--metrics", "recall").code == 2


def test_settings_of_one_metric_are_taken_and_kept_as_given(harness: Any, refused: Any) -> None:
    words = ("--generated", "a", "--real", "b", *CNN, "--metrics", "kd_x1e3")
    record = scored(harness, *words, "--set", "evaluation.of.kernel.subsets=3")
    assert record["settings"]["of"] == {"kernel": {"subsets": 3}}
    assert ",3x" in record["metrics"][0]["protocol_id"]
    wrong = ("--generated", "absent", "--set", "evaluation.of.kernel.subsets=0")  # looked at before any file
    line = refused("evaluate", *wrong)
    assert "setting 'evaluation.of.kernel.subsets' of metric 'kernel': Input should be greater than 0" in line
