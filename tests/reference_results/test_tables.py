"""The papers' numbers: as many as are printed, all by one schema, and bound to what is there."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from harness.catalog import Catalog, open_catalog
from harness.contracts.specs import MetricSpec
from harness.results.printed_protocols import PrintedProtocol, read_protocols
from harness.results.references import Reference, open_references

ROOT = Path(__file__).parents[2]

#: printed cells: rows x columns, less the empty ones
PRINTED = {
    ("lcsa", "Table 7"): 5 * 6,
    ("lcsa", "Table 8"): 13 * 18,
    ("lcsa", "Table 9"): 4 * 3,
    ("lcsa", "Table 10"): 3 * 6,
    ("lcsa", "Table 11"): 2 * 6,
    ("lcsa", "Table 13"): 6 * 2 * 3,
    ("pgmgan", "Table 1"): 11 * 5,
    ("pgmgan", "Table 2"): 12 * 2 - 4,
    ("pgmgan", "Table 3"): 8 * 2,
    ("pgmgan", "Table 4"): 5 * 2,
    ("pgmgan", "Table 5"): 2 * 4 - 1,
    ("pgmgan", "Sec C.1"): 7,
    ("noise_injection", "Table 1"): 7 * 4,
    ("noise_injection", "Table 2"): 4 * 4,
    ("noise_injection", "Supp Table 1"): 8,
    ("noise_injection", "Supp Table 2"): 8,
    ("noise_injection", "Supp Table 3"): 8,
    ("noise_injection", "Supp Table 5"): 4 * 4,
    ("noise_injection", "Supp Table 6"): 5 * 2,
    ("kdd_gan", "Table 1"): 13 * 4,
    ("kdd_gan", "Table 2"): 11 * 4 - 8,
    ("kdd_gan", "Table 3"): 12 * 4 - 4,
    ("kdd_gan", "Table 4"): 13 * 4 - 2,
    ("kdd_gan", "Table 5"): 17 * 4 - 2,
    ("kdd_gan", "Table 6"): 16 * 4 - 4,
    ("cho_thesis", "Table 4"): 4 * 2,
    ("cho_thesis", "Table 5"): 24 * 15,
    ("cho_thesis", "Table 6"): 12,
    ("cho_thesis", "Table 8"): 16 * 15,
    ("cho_thesis", "Table 9"): 12,
    # four panels of probabilities, 4, 4, 3 and 2; all others: one caption's probabilities and FID, precision, recall
    ("cho_thesis", "Fig 41"): 13,
    ("cho_thesis", "Fig 43"): 19,
    ("cho_thesis", "Fig 44"): 15,
    ("cho_thesis", "Fig 45"): 11,
    **{("cho_thesis", f"Fig {number}"): 10 for number in (47, 48, 49)},
    **{("cho_thesis", f"Fig {number}"): 3 for number in range(51, 58)},
}

METRICS = {
    *("fid", "tfid", "vfid", "is", "precision", "recall", "density", "coverage", "modes", "reverse_kl"),
    *("high_quality_pct", "nmi", "ppl", "mc", "ttmc", "psnr", "ssim", "psnr_real", "ssim_real", "psnr_fake"),
    *("ssim_fake", "auroc", "accuracy", "mse", "perceptual_loss", "rank", "intrinsic_dim", "params_m", "flops_g"),
    *("train_time", "categorical_prob", "l_enc"),
}

#: fields of printed protocols that no record has, because nothing here measures so; a run then says "not stated"
ELSEWHERE = {"averaged"}


@cache
def printed() -> tuple[Reference, ...]:
    found, problems = open_references(open_catalog())
    assert problems == []
    return tuple(found)


@cache
def protocols() -> dict[str, PrintedProtocol]:
    """Every protocol of the five papers, by paper and key."""
    return {
        f"{folder.parent.name}/{key}": protocol
        for folder in sorted((ROOT / "reference_results").glob("*/protocols.toml"))
        for key, protocol in read_protocols(folder).items()
    }


def test_each_table_has_as_many_numbers_as_the_paper_prints() -> None:
    assert Counter((reference.paper, reference.table) for reference in printed()) == PRINTED
    assert len(printed()) == 1600


def test_file_names_follow_the_tables() -> None:
    for reference in printed():
        stem = reference.id.split("/")[1]
        words = reference.table.lower().replace(".", "").split()
        *front, last = words
        expected = "-".join([*front, last.zfill(2) if last.isdigit() else last])
        assert stem == expected, reference.id


def test_every_metric_is_one_of_the_collection() -> None:
    assert {reference.metric for reference in printed()} <= METRICS


def test_every_named_recipe_is_there_and_takes_the_data(catalog: Catalog) -> None:
    bound = [reference for reference in printed() if reference.recipe is not None]
    assert len(bound) >= 24
    for reference in bound:
        recipe = catalog.recipe(reference.recipe or "")
        assert reference.dataset in recipe.datasets, reference.id
        # what is quoted is another paper's: it is held against a rival, never against the paper's own method
        assert not (reference.quoted_from and recipe.method == reference.paper), reference.id


def test_every_protocol_is_used_and_says_where_it_is_known_from() -> None:
    used = {f"{reference.paper}/{reference.protocol.key}" for reference in printed()}
    assert used == set(protocols())
    assert [name for name, protocol in protocols().items() if not protocol.source] == []


def test_numbers_are_called_as_the_harness_calls_them_and_are_better_in_the_same_direction(catalog: Catalog) -> None:
    known = {
        name: better
        for spec in catalog.all("metric")
        if isinstance(spec, MetricSpec)
        for name, better in spec.names.items()
    }
    for name, protocol in protocols().items():
        if protocol.measured_as is None:
            continue
        assert protocol.measured_as in known, name
        if known[protocol.measured_as] is not None and protocol.higher_is_better is not None:
            assert protocol.higher_is_better is known[protocol.measured_as], name


def test_fields_are_called_as_records_call_them() -> None:
    recorded = {
        name
        for path in (ROOT / "harness").rglob("*.py")
        for name in re.findall(r'Term\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    recorded |= {"extractor_version", "output", "metric"}
    for name, protocol in protocols().items():
        unknown = {*protocol.fields, *protocol.per_row, *protocol.open} - recorded - ELSEWHERE
        assert unknown == set(), name


@pytest.mark.parametrize(
    ("identifier", "value", "std", "quoted"),
    [
        # read from the papers by eye, one from every corner of the large tables
        ("lcsa/table-08/1", "9.26", "", ""),
        ("lcsa/table-08/234", "14.87", "", ""),
        ("lcsa/table-07/30", "9.72", "", ""),
        ("pgmgan/table-01/1", "133.4", "17.70", "Liu et al. [46]"),
        ("kdd_gan/table-02/1", "8.065", "", "Kang and Park [19]"),
        ("kdd_gan/table-05/66", "0.889", "", ""),
        ("noise_injection/table-01/28", "6.86", "", ""),
        ("noise_injection/supp-table-06/10", "13.05", "", ""),
        ("cho_thesis/table-05/1", "50.68", "", ""),
        ("cho_thesis/table-05/360", "92.01", "", ""),
    ],
)
def test_corners_of_the_tables(identifier: str, value: str, std: str, quoted: str) -> None:
    (found,) = (reference for reference in printed() if reference.id == identifier)
    assert (found.printed, found.printed_std, found.quoted_from) == (value, std, quoted)


def test_quoted_numbers_are_marked() -> None:
    quoted = Counter(reference.paper for reference in printed() if reference.quoted_from)
    assert quoted == {"pgmgan": 74, "kdd_gan": 28}
    starred = [reference for reference in printed() if reference.paper == "kdd_gan" and reference.row.endswith("*")]
    assert starred
    assert all(reference.quoted_from for reference in starred)
    ours = [reference for reference in printed() if "PGMGAN" in reference.row]
    assert ours
    assert not any(reference.quoted_from for reference in ours)


def test_shares_in_per_cent_say_so() -> None:
    for reference in printed():
        if reference.metric == "auroc":
            assert reference.protocol.factor == 100
            assert 0 <= reference.value <= 100
        if reference.metric in ("precision", "recall", "coverage"):
            assert 0 <= reference.value <= 1, reference.id
