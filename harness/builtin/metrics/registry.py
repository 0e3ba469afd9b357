"""The built-in metrics: names, sources, where their code is, and how each moves under known disturbances."""

from __future__ import annotations

from harness import MetricSpec
from harness.builtin.metrics.tolerances import tolerances

_HERE = "harness.builtin.metrics"

#: what makes a distance between sets of images grow, and what leaves it alone
_DISTANCE = {
    "noise": "up",
    "blur": "up",
    "jpeg": "up",
    "mode_drop": "up",
    "memorise": "down",
    "label_shuffle": "same",
    "swap": "up",
}

#: the same for distances that are too uncertain on few samples for the milder disturbances
_MILDER = {"noise": "up", "blur": "up", "mode_drop": "up", "memorise": "down", "label_shuffle": "same"}

#: the same without bias, where copies of the training set can come out no better than fresh images
_EXTRAPOLATED = {"noise": "up", "blur": "up", "mode_drop": "up", "label_shuffle": "same"}

#: the same where samples are held against the images of their own class
_OF_CLASSES = {"noise": "up", "blur": "up", "memorise": "down", "label_shuffle": "up"}

#: what makes clusters agree less with labels
_CLUSTERS = {"label_shuffle": "down", "merge": "down"}

SPECS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="fd",
        summary="Frechet distance between Gaussians fitted to features of real and generated images (fid on Inception)",
        metric=f"{_HERE}.frechet:FrechetDistance",
        names={"fd": False, "fid": False},
        tolerances=tolerances("fd", "fid"),
        source="Dowson and Landau 1982; Heusel et al. 2017, eq. 6",
        moves={"fd": _DISTANCE, "fid": _DISTANCE},
    ),
    MetricSpec(
        name="fd-infinity",
        summary="Frechet distance that endless samples would have, by a line through 15 sample counts",
        metric=f"{_HERE}.frechet_infinity:FrechetInfinity",
        names={"fd_inf": False, "fid_inf": False},
        tolerances=tolerances("fd_inf", "fid_inf"),
        by_default=False,
        source="Chong and Forsyth 2020",
        moves={"fd_inf": _EXTRAPOLATED, "fid_inf": _EXTRAPOLATED},
    ),
    MetricSpec(
        name="class-fd",
        summary="Frechet distance between images of a class and samples told that class, averaged over classes",
        metric=f"{_HERE}.frechet_classes:ClassFrechetDistance",
        names={"ifd": False, "ifid": False},
        tolerances=tolerances("ifd", "ifid"),
        by_default=False,
        source="Murray 2019; DeVries et al. 2019",
        moves={"ifd": _OF_CLASSES, "ifid": _OF_CLASSES},
    ),
    MetricSpec(
        name="is",
        summary="inception-score form: exp of the mean KL divergence of a classifier's answers from their average",
        metric=f"{_HERE}.inception_score:InceptionScore",
        names={"is": True},
        tolerances=tolerances("is"),
        source="Salimans et al. 2016, section 4",
        moves={"is": {"noise": "down", "mode_drop": "down", "label_shuffle": "same"}},
    ),
    MetricSpec(
        name="kernel",
        summary="squared MMD of features under a cubic kernel, times 1000: over 100 subsets, and of all samples",
        metric=f"{_HERE}.kernel:KernelDistance",
        settings=f"{_HERE}.kernel_settings:KernelSettings",
        names={"kid_x1e3": False, "kd_x1e3": False},
        tolerances=tolerances("kid_x1e3", "kd_x1e3"),
        source="Bińkowski et al. 2018, section 4",
        moves={"kid_x1e3": _MILDER, "kd_x1e3": _MILDER},
    ),
    MetricSpec(
        name="neighbours",
        summary="k-nearest-neighbour manifolds: precision and recall (k = 3, 5), density and coverage (k = 5)",
        metric=f"{_HERE}.neighbours:Neighbours",
        settings=f"{_HERE}.neighbours_settings:NeighboursSettings",
        names={"precision": True, "recall": True, "density": True, "coverage": True},
        tolerances=tolerances("precision", "recall", "density", "coverage"),
        source="Kynkäänniemi et al. 2019, eq. 1-3; Naeem et al. 2020, eq. 3-4",
        moves={
            "precision": {"noise": "down", "blur": "down", "swap": "down", "memorise": "up", "label_shuffle": "same"},
            "recall": {"mode_drop": "down", "label_shuffle": "same"},
            "density": {"noise": "down", "blur": "down", "swap": "down", "label_shuffle": "same"},
            "coverage": {"noise": "down", "blur": "down", "mode_drop": "down", "label_shuffle": "same"},
        },
    ),
    MetricSpec(
        name="psnr",
        summary="peak signal-to-noise ratio in decibels of reconstructions of held-out images and of samples",
        metric=f"{_HERE}.image_quality:PeakSignalToNoise",
        names={"psnr": True},
        tolerances=tolerances("psnr"),
        requires="reconstruct",
        source="10 log10(range^2 / MSE), as Cho 2025 measures inversion and reconstruction",
        moves={"psnr": {"noise": "down", "blur": "down"}},
    ),
    MetricSpec(
        name="ssim",
        summary="structural similarity of reconstructions of held-out images and of samples",
        metric=f"{_HERE}.image_quality:StructuralSimilarity",
        names={"ssim": True},
        tolerances=tolerances("ssim"),
        requires="reconstruct",
        source="Wang et al. 2004, eq. 13",
        moves={"ssim": {"noise": "down", "blur": "down"}},
    ),
    MetricSpec(
        name="outliers",
        summary="how well outlier scores tell other data from held-out images: areas, and false alarms at 95 % flagged",
        metric=f"{_HERE}.outliers:OutlierDetection",
        names={"auroc": True, "fpr_at_95_tpr": False, "aupr_out": True, "aupr_in": True},
        tolerances=tolerances("auroc", "fpr_at_95_tpr", "aupr_out", "aupr_in"),
        requires="outlier_scores",
        source="DeLong et al. 1988 (standard error); Zhang et al. 2023, OpenOOD 1.5; Cho 2025, 4.3.2 (every10th)",
        moves={
            "auroc": {"separate": "up", "swap": "down"},
            "fpr_at_95_tpr": {"separate": "down", "swap": "up"},
            "aupr_out": {"separate": "up", "swap": "down"},
            "aupr_in": {"separate": "up", "swap": "down"},
        },
    ),
    MetricSpec(
        name="clusters",
        summary="clusters against labels: mutual information, Rand index, one-to-one accuracy, purity",
        metric=f"{_HERE}.clusters:Clusters",
        names={"nmi": True, "ari": True, "cluster_accuracy": True, "purity": True},
        tolerances=tolerances("nmi", "ari", "cluster_accuracy", "purity"),
        requires="assign",
        source="Strehl and Ghosh 2002; Vinh et al. 2010; Hubert and Arabie 1985; Kuhn 1955",
        moves={"nmi": _CLUSTERS, "ari": _CLUSTERS, "cluster_accuracy": _CLUSTERS, "purity": _CLUSTERS},
    ),
    MetricSpec(
        name="recovered-modes",
        summary="recovered modes, share of samples that are surely of one, reverse KL of their shares (nats, log10)",
        metric=f"{_HERE}.modes:RecoveredModes",
        names={"modes": True, "high_quality_pct": True, "reverse_kl": False},
        tolerances=tolerances("modes", "high_quality_pct", "reverse_kl"),
        kinds=("points", "images"),
        source="Srivastava et al. 2017; Metz et al. 2017; Lin et al. 2018; Liu et al. 2020",
        moves={
            "modes": {"mode_drop": "down"},
            "high_quality_pct": {"noise": "down"},
            "reverse_kl": {"mode_drop": "up"},
        },
    ),
    MetricSpec(
        name="memorisation",
        summary="whether samples are copies: distance from training over that from test images; authenticity",
        metric=f"{_HERE}.memorisation:Memorisation",
        names={"memorisation_ratio": None, "authenticity_pct": None},
        tolerances=tolerances("memorisation_ratio", "authenticity_pct"),
        by_default=False,
        source="Alaa et al. 2022 (authenticity)",
        moves={
            "memorisation_ratio": {"memorise": "down"},
            "authenticity_pct": {"memorise": "down", "noise": "up"},
        },
    ),
    MetricSpec(
        name="path-length",
        summary="perceptual path length in z and w: how far images move for a small step between latents",
        metric=f"{_HERE}.path_length:PathLength",
        names={"ppl": False},
        tolerances=tolerances("ppl"),
        requires="latents",
        by_default=False,
        source="Karras et al. 2019 (z, w), Karras et al. 2020 (end of paths), Zhang et al. 2018 (LPIPS)",
        moves={"ppl": {"stretch": "up", "collapse": "down"}},
    ),
    MetricSpec(
        name="conditioning",
        summary="condition numbers of the generator in z and w: their mean, and the mean of the largest 2 %",
        metric=f"{_HERE}.conditioning:Conditioning",
        names={"mc": False, "ttmc": False},
        tolerances=tolerances("mc", "ttmc"),
        requires="latents",
        by_default=False,
        source="Feng et al. 2021, eq. 19",
        moves={"mc": {"stretch": "up"}, "ttmc": {"stretch": "up", "collapse": "up"}},
    ),
    MetricSpec(
        name="jacobian-rank",
        summary="singular values of dG/dz whose square is above 1 % of the largest; compare with an untrained one",
        metric=f"{_HERE}.jacobian_rank:JacobianRank",
        names={"jacobian_rank": None},
        tolerances=tolerances("jacobian_rank"),
        requires="latents",
        by_default=False,
        source="Feng et al. 2021, supplement",
        moves={"jacobian_rank": {"stretch": "down", "collapse": "down"}},
    ),
    MetricSpec(
        name="intrinsic-dimension",
        summary="principal axes of generated images whose variance is above 1 % of the largest",
        metric=f"{_HERE}.dimension:IntrinsicDimension",
        names={"intrinsic_dimension": None},
        tolerances=tolerances("intrinsic_dimension"),
        by_default=False,
        source="Feng et al. 2021, supplement",
        moves={"intrinsic_dimension": {"noise": "up", "blur": "down", "mode_drop": "down", "label_shuffle": "same"}},
    ),
    MetricSpec(
        name="latent-entropy",
        summary="entropy in nats of latents times their learned scale; largest at scale 1",
        metric=f"{_HERE}.latents:LatentEntropy",
        names={"latent_entropy": None},
        tolerances=tolerances("latent_entropy"),
        kinds=("images", "points"),
        requires="latent_scale",
        source="Cho 2025",
        moves={"latent_entropy": {"collapse": "down", "stretch": "up"}},
    ),
    MetricSpec(
        name="encoder-loss",
        summary="mean squared error of latents that the encoder finds again, weighed by their scale where there is one",
        metric=f"{_HERE}.latents:EncoderLoss",
        names={"encoder_loss": False},
        tolerances=tolerances("encoder_loss"),
        requires="reconstruct",
        source="Cho 2025",
        moves={"encoder_loss": {"noise": "up", "blur": "up"}},
    ),
)
