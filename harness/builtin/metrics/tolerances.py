"""What counts as the same as a printed number where the paper prints no spread, metric by metric.

Few papers print how a number varies from training to training. Where one does, the tolerance follows it; the others are
judged from the metric's own scatter at the usual sample counts, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness import Tolerance

_FIVE_PERCENT = Tolerance(
    relative=0.05, why="trainings of one setting spread by 4 to 5 % (Armandpour et al. 2021, Table 4)"
)
_SHARE = Tolerance(
    absolute=0.02, why="judged: twice the sampling error of a share of 10,000, and the training's on top"
)
_PARTITION = Tolerance(absolute=0.02, why="judged: agreement of partitions moves by a hundredth from seed to seed")
_POINT = Tolerance(absolute=0.01, why="judged: one point, the step in which papers discuss it")
_TEN_PERCENT = Tolerance(relative=0.1, why="judged: an average over heavy tails")

TOLERANCES: Mapping[str, Tolerance] = {
    "fd": _FIVE_PERCENT,
    "fid": _FIVE_PERCENT,
    "fd_inf": _FIVE_PERCENT,
    "fid_inf": _FIVE_PERCENT,
    "ifd": _FIVE_PERCENT,
    "ifid": _FIVE_PERCENT,
    "kid_x1e3": Tolerance(relative=0.1, why="judged: twice the spread of the Fréchet distance"),
    "kd_x1e3": Tolerance(relative=0.1, why="judged: twice the spread of the Fréchet distance"),
    "is": Tolerance(
        relative=0.015, why="trainings of one setting spread by about 1 % (Armandpour et al. 2021, Table 4)"
    ),
    "precision": _SHARE,
    "recall": _SHARE,
    "density": Tolerance(relative=0.05, why="judged: it is no share, and may exceed 1"),
    "coverage": _SHARE,
    "psnr": Tolerance(absolute=0.5, why="judged: half a decibel is not seen"),
    "ssim": _SHARE,
    "auroc": _POINT,
    "aupr_in": _POINT,
    "aupr_out": _POINT,
    "fpr_at_95_tpr": Tolerance(absolute=0.03, why="judged: one threshold scatters more than their average"),
    "nmi": _PARTITION,
    "ari": _PARTITION,
    "cluster_accuracy": _PARTITION,
    "purity": _PARTITION,
    "modes": Tolerance(relative=0.01, why="judged: ten of a thousand modes"),
    "high_quality_pct": Tolerance(absolute=1.0, why="judged: one point"),
    "reverse_kl": Tolerance(
        relative=0.25, absolute=0.005, why="judged: its spread is of its own size where it is small"
    ),
    "ppl": _TEN_PERCENT,
    "mc": _TEN_PERCENT,
    "ttmc": _TEN_PERCENT,
    "encoder_loss": _TEN_PERCENT,
    "jacobian_rank": Tolerance(relative=0.05, why="judged: it depends on a threshold"),
    "intrinsic_dimension": _TEN_PERCENT,
    "latent_entropy": Tolerance(absolute=0.05, why="judged: in nats"),
}


def tolerances(*names: str) -> dict[str, Tolerance]:
    """Those of some values, by name."""
    return {name: TOLERANCES[name] for name in names if name in TOLERANCES}
