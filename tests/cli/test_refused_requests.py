"""A request that is refused leaves every byte of a run's folder as it was, whichever command and option it was."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.cli.evaluate import evaluate
from harness.cli.run import run
from harness.cli.sample import sample
from harness.cli.train import train
from harness.cli.verify import verify
from harness.training.checkpoints import checkpoints_in

#: a data set in a file, so that its folder can be named wrongly
PLUGIN = """
from harness import DatasetSpec, hookimpl
from harness.contracts import Split
from harness.errors import DataError

@hookimpl
def harness_register_datasets(register):
    register(DatasetSpec(name="noise", summary="-", load="noise_plugin:load", kind="images", shape=(1, 8, 8),
                         classes=(), splits={"train": 60}, licence="-", source="-"))

def load(request):
    import numpy
    path = request.root / "noise.npy"
    if not path.is_file():
        raise DataError(f"no {path}")
    return Split(numpy.load(path), None, ())
"""

ON_NOISE = ("--plugin", "gan", "--dataset", "noise", "--scale", "tiny", "--set", "conditional=false")
#: as the runs below were started; what follows it overrides it
AS_STARTED = (
    *(*ON_NOISE, "--steps", "4", "--set", "batch_size=6", "--set", "checkpoint_every=2", "--set", "backbone.width=2"),
    *("--set", "evaluation.samples=60", "--set", "sample_every=0"),
)

#: options by the word that refuses the command with them; {run} is the run's folder
STARTING = {
    "--plugin": (*ON_NOISE[2:], "--plugin", "nonsense"),
    "--dataset": ("--plugin", "gan", "--dataset", "nonsense"),
    "--recipe": (*AS_STARTED, "--recipe", "nonsense"),
    "--scale": (*ON_NOISE, "--scale", "nonsense"),
    "--set": (*AS_STARTED, "--set", "nonsense=1"),
    "--config": (*AS_STARTED, "--config", "nowhere.toml"),
    "--fraction": (*AS_STARTED, "--fraction", "2"),
    "--seed": (*AS_STARTED, "--seed", "-1"),
    "--seeds": (*AS_STARTED, "--seeds", "2..1"),
    "--fold": (*AS_STARTED, "--fold", "3/2"),
    "--folds": (*AS_STARTED, "--folds", "1"),
    "--steps": (*AS_STARTED, "--steps", "0"),
    "--evaluate-every": (*AS_STARTED, "--evaluate-every", "-1"),
    "--device": (*AS_STARTED, "--device", "nonsense"),
    "--devices": (*AS_STARTED, "--devices", "0"),
    "--data-root": (*AS_STARTED, "--data-root", "elsewhere"),
    "--without": (*AS_STARTED, "--without", "baselines"),
    "--resume": (*AS_STARTED, "--resume", "--overwrite"),
    "--overwrite": (*AS_STARTED, "--overwrite", "--set", "evaluation.best=is", "--evaluate-every", "2"),
    "--out": AS_STARTED,  # a run is there already
}
AGAIN = {
    "run": ("nowhere",),
    "--extractor": ("{run}", "--extractor", "nonsense"),
    "--checkpoint": ("{run}", "--checkpoint", "999"),
    "--metrics": ("{run}", "--metrics", "fid"),
    "--samples": ("{run}", "--samples", "0"),
    "--split": ("{run}", "--split", "nonsense"),
    "--set": ("{run}", "--set", "evaluation.block=0"),
    "--device": ("{run}", "--device", "nonsense"),
    "--data-root": ("{run}", "--data-root", "elsewhere"),
    "--without": ("{run}", "--without", "baselines"),
    # these are for images in files
    "--generated": ("{run}", "--generated", "{run}"),
    "--real": ("{run}", "--real", "digits"),
    "--generated-split": ("{run}", "--generated-split", "train"),
    "--fit": ("{run}", "--fit", "pad"),
    "--out": ("{run}", "--out", "there"),
}
DRAWING = {
    "run": ("nowhere",),
    "--out": ("{run}", "--out", "{run}/a.gif"),
    "--count": ("{run}", "--count", "0"),
    "--seed": ("{run}", "--seed", "x"),
    "--classes": ("{run}", "--classes", "0"),
    "--checkpoint": ("{run}", "--checkpoint", "best"),
    "--device": ("{run}", "--device", "nonsense"),
    "--without": ("{run}", "--without", "baselines"),
}
VERIFYING = {
    "run": ("nowhere",),
    "--data-root": ("{run}", "--data-root", "elsewhere"),
    "--device": ("{run}", "--device", "nonsense"),
    "--without": ("{run}", "--without", "baselines"),
}
COMMANDS = {
    run: ("run", STARTING),
    train: ("train", STARTING),
    evaluate: ("evaluate", AGAIN),
    sample: ("sample", DRAWING),
    verify: ("verify", VERIFYING),
}


def test_every_option_that_can_be_refused_is_tried() -> None:
    for command, (_, cases) in COMMANDS.items():
        named = {"--" + name.strip("_").replace("_", "-") for name in inspect.signature(command).parameters}
        options = (named - {"--as-json", "--run"}) | ({"run"} if "--run" in named else set())
        assert options == set(cases)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the data, a finished run with its badge, and one that was stopped half way."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "noise_plugin.py").write_text(PLUGIN, encoding="utf-8")
    (folder / "data").mkdir()
    (folder / "elsewhere").mkdir()
    np.save(folder / "data" / "noise.npy", np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), np.uint8))
    points = [*entry_points(group="harness"), EntryPoint("noise", "noise_plugin", "harness")]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr("harness.plugins.entry_points", lambda group: points)
        patch.chdir(folder)
        patch.setenv("HARNESS_DATA", str(folder / "data"))
        for name in ("finished", "unfinished"):
            assert main(["train", *AS_STARTED, "--out", name]) == 0
        assert main(["evaluate", "finished", "--metrics", "precision,recall"]) == 0
        assert main(["verify", "finished"]) == 0
        (folder / "unfinished" / "results.json").unlink()
        checkpoints_in(folder / "unfinished" / "checkpoints")[-1].unlink()
        yield folder
    sys.modules.pop("noise_plugin", None)


def state(folder: Path) -> dict[str, str]:
    """Every path below a folder, and what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


Typed = Callable[..., str | None]


@pytest.fixture
def typed(made: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command that must be refused in one line and change nothing; returns what is wrong, if anything."""

    def command(*words: str, saying: str = "") -> str | None:
        before = state(made)
        capsys.readouterr()
        code = main(list(words))
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        changed = sorted(path for path in {**before, **state(made)} if before.get(path) != state(made).get(path))
        if code == 2 and len(lines) == 1 and saying in lines[0] and not changed:
            return None
        return f"{' '.join(words)}: exit code {code}, {lines}, changed: {changed}"

    return command


def requests(command: str, options: Mapping[str, tuple[str, ...]], folder: str) -> Iterator[list[str]]:
    """A command with every option that refuses it; a run that is there may be resumed or trained anew."""
    for words in options.values():
        filled = [command, *(word.format(run=folder) for word in words)]
        if command not in ("run", "train"):
            yield filled
            continue
        filled += ["--out", folder]
        yield filled
        if command == "run" and words != AS_STARTED and not {"--resume", "--overwrite"} & set(words):
            yield [*filled, "--overwrite"]
            yield [*filled, "--resume"]


@pytest.mark.parametrize("folder", ["finished", "unfinished"])
@pytest.mark.parametrize(("command", "options"), COMMANDS.values(), ids=[name for name, _ in COMMANDS.values()])
def test_whatever_is_refused_leaves_the_folder_as_it_was(
    typed: Typed, command: str, options: Mapping[str, tuple[str, ...]], folder: str
) -> None:
    assert [wrong for words in requests(command, options, folder) if (wrong := typed(*words))] == []


def test_a_resumption_that_is_refused_can_be_asked_for_again_as_advised(made: Path, typed: Typed) -> None:
    """A wrong evaluation setting was once written before it was looked at, and then stood in every later way."""
    wrong = ("--set", 'evaluation.metrics=["fid"]', "--out", "unfinished", "--resume")
    assert typed("run", *AS_STARTED, *wrong, saying="fid") is None
    copy = Path(shutil.copytree(made / "unfinished", made.parent / "went-on"))
    assert main(["run", "--out", str(copy), "--resume"]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ("run", *AS_STARTED, "--set", "log_every=7", "--out", "{run}", "--resume"),
        ("run", *AS_STARTED, "--out", "{run}", "--overwrite"),
        ("run", *AS_STARTED, "--out", "{run}"),
        ("evaluate", "{run}", "--metrics", "precision"),
        ("verify", "{run}"),
    ],
    ids=lambda words: " ".join(words[:1] + words[-1:]),
)
def test_a_folder_that_another_process_holds_is_left_alone(made: Path, typed: Typed, words: tuple[str, ...]) -> None:
    folder = "unfinished" if words[0] == "run" else "finished"
    with (made / folder / "lock").open("r") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert typed(*(word.format(run=folder) for word in words), saying="is in use by process") is None
