"""Time of ``harness leaderboard`` on many files of results, from the first import to the last page.

    python benchmarks/leaderboard.py --files 300

Files are made from one real record in ``leaderboards/results``: its recipe is renamed and its numbers are moved, so
that every row has three seeds and the tables are as wide as real ones.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    source = min((ROOT / "leaderboards" / "results").glob("*/digits/*/results.json"))
    with tempfile.TemporaryDirectory() as folder:
        make(source.parent, Path(folder) / "results", arguments.files)
        seconds = [timed(Path(folder)) for _ in range(arguments.repeats)]
    print(f"{arguments.files} files: " + ", ".join(f"{each:.2f} s" for each in seconds))


def make(source: Path, results: Path, count: int) -> None:
    """Folders of results on three data sets, three seeds a recipe, with curves and samples."""
    draw = random.Random(0)
    record = json.loads((source / "results.json").read_text(encoding="utf-8"))
    for number in range(count):
        recipe, seed = divmod(number, 3)
        dataset = ("digits", "mnist", "cifar10")[recipe % 3]
        one = json.loads(json.dumps(record))
        one |= {"recipe": f"made/recipe-{recipe}", "method": "made", "dataset": dataset, "seed": seed}
        one["coordinates"] |= {"dataset": dataset, "seed": seed}
        for entry in one["metrics"]:
            entry["value"] *= draw.gauss(1 + recipe / count, 0.05)
        folder = results / str(number)
        folder.mkdir(parents=True)
        (folder / "results.json").write_text(json.dumps(one), encoding="utf-8")
        for name in ("curves.json", "samples.png"):
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)


def timed(folder: Path) -> float:
    """Seconds of one build."""
    command = [sys.executable, "-m", "harness", "leaderboard", "--results", str(folder / "results")]
    began = time.perf_counter()
    subprocess.run([*command, "--out", str(folder / "board")], check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
