"""A run from its experiment to its record: what the commands do, for programs to call."""

from harness.runs.evaluating import evaluate_run
from harness.runs.evaluating_images import evaluate_images
from harness.runs.sampling import sample_run
from harness.runs.training import RunOptions, train_run

__all__ = ["RunOptions", "evaluate_images", "evaluate_run", "sample_run", "train_run"]
