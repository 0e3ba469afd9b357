"""A run from its experiment to its record: what the commands do, for programs to call."""

from harness.runs.files.score_images import evaluate_images
from harness.runs.sample import sample_run
from harness.runs.score_again import evaluate_run
from harness.runs.start import RunOptions, train_run

__all__ = ["RunOptions", "evaluate_images", "evaluate_run", "sample_run", "train_run"]
