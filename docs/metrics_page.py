"""Writes the generated parts of docs/metrics.md anew, from what is registered.

    python docs/metrics_page.py

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; everything else on the page is written by hand.
A test compares the page with what this makes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.catalog import Catalog, open_catalog
from harness.contracts.settings import EvaluationSettings
from harness.contracts.specs import ExtractorSpec, MetricSpec
from harness.doctor.cases import BASELINE, Cases
from harness.errors import EvaluationError
from harness.evaluation import check_evaluation
from harness.metric_settings import described
from harness.overrides import typed_value

PAGE = Path(__file__).with_name("metrics.md")
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)
ARROW = {True: "higher is better", False: "lower is better", None: "neither direction is better"}


def main() -> None:
    PAGE.write_text(rebuilt(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def rebuilt(page: str) -> str:
    """The page with every generated part made anew."""
    catalog = open_catalog()
    return BLOCK.sub(lambda match: match[1] + part(catalog, match[2]) + match[3], page)


def part(catalog: Catalog, name: str) -> str:
    """One generated part: the list of all metrics, that of the feature networks, or one metric."""
    if name == "metrics":
        return _table(("metric", "values", "needs", "measured"), [_row(spec) for spec in metrics(catalog)])
    if name == "extractors":
        return _table(("name", "takes", "weights", "summary"), [_extractor(s) for s in extractors(catalog)])
    return _metric(catalog, catalog.metric(name))


def metrics(catalog: Catalog) -> list[MetricSpec]:
    """Every metric that the harness itself offers."""
    found = [spec for spec in catalog.all("metric") if isinstance(spec, MetricSpec)]
    return [spec for spec in found if catalog.owner("metric", spec.name).name == "builtin"]


def extractors(catalog: Catalog) -> list[ExtractorSpec]:
    """Every feature network that the harness itself offers."""
    found = [spec for spec in catalog.all("extractor") if isinstance(spec, ExtractorSpec)]
    return [spec for spec in found if catalog.owner("extractor", spec.name).name == "builtin"]


def _row(spec: MetricSpec) -> tuple[str, ...]:
    values = ", ".join(f"`{name}`" for name in spec.names)
    link = f"[{spec.name}](#{spec.name})"
    return (link, values, f"`{spec.requires}`", "by default" if spec.by_default else "when it is named")


def _extractor(spec: ExtractorSpec) -> tuple[str, ...]:
    if spec.weights is None:
        weights = "no weights"
    else:
        names = [part.name for part in spec.weights.contents or (spec.weights,)]
        weights = ", ".join(f"`{name}`" for name in names) + (", ships with its package" if spec.packaged else "")
    extra = f" (extra `{spec.extra}`)" if spec.extra else ""
    return (f"`{spec.name}`{extra}", spec.accepts, weights, spec.summary)


def _metric(catalog: Catalog, spec: MetricSpec) -> str:
    lines = [f"{spec.summary[:1].upper()}{spec.summary[1:]}." + (f" Source: {spec.source}." if spec.source else "")]
    lines += ["", "| value | direction | the same as a printed number within |", "|---|---|---|"]
    lines += [f"| `{name}` | {ARROW[better]} | {_tolerance(spec, name)} |" for name, better in spec.names.items()]
    settings = described(catalog, spec)
    if settings:
        lines += ["", "| setting | default | what it is |", "|---|---|---|"]
        lines += [f"| `{s.key}` | `{typed_value(s.default)}` | {s.about} |" for s in settings]
    ids = _ids(catalog, spec)
    if ids:
        lines += ["", "Protocol ids, as measured of a method on the small sets that ship with the harness:", ""]
        lines += ["```text", *ids, "```"]
    return "\n".join(["", *lines, "", ""])


def _tolerance(spec: MetricSpec, name: str) -> str:
    tolerance = spec.tolerances.get(name)
    if tolerance is None:
        return "its rounding"
    parts = [f"{tolerance.relative * 100:g} %"] * bool(tolerance.relative)
    parts += [f"{tolerance.absolute:g}"] * bool(tolerance.absolute)
    return f"{' or '.join(parts)} ({tolerance.why})"


def _ids(catalog: Catalog, spec: MetricSpec) -> list[str]:
    """The protocols that the metric has on digits, or on points; none where its network's weights are not at hand."""
    ids: list[str] = []
    with TemporaryDirectory() as folder:
        cases = Cases(catalog, Path(folder))
        for kind in spec.kinds:
            found = cases.of(kind, spec.requires)
            if BASELINE not in found:
                continue
            case = found[BASELINE]()
            settings = EvaluationSettings(metrics=(spec.name,), outliers=case.outliers)
            try:
                ids += check_evaluation(case.trained, dataset=case.dataset, settings=settings, catalog=catalog)
            except EvaluationError:
                continue
    # where the examination keeps its outliers is of no interest here
    return [re.sub(r"npz:[^,\]]*", "npz:FILE", identifier) for identifier in dict.fromkeys(ids)]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return (
        "\n" + "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n\n"
    )


if __name__ == "__main__":
    main()
