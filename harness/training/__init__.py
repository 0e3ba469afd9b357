"""The training engine: the loop, its context, checkpoints, weight averaging, devices."""
