"""Pages: what they show, that they load nothing, and that whatever a file says is text."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog
from harness.experiment import file_name
from harness.leaderboard.artefacts import collect
from harness.leaderboard.board import gather
from harness.leaderboard.page import write_pages
from harness.results.verdicts import Outcome

NASTY = "<script>window.ran = true</script>\"'&"

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """The elements of a page, with what may go wrong in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.said: list[tuple[str, dict[str, str], list[str]]] = []
        self._within: list[list[str]] = []
        self.unbalanced: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            self.said.append((*self.elements[-1], []))
            self._within.append(self.said[-1][2])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)
        if self._within:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        for texts in self._within:
            texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def texts(self, tag: str, of: str = "") -> list[str]:
        """What stands in each element of that tag and class, white space made one."""
        found = [(" ".join("".join(t).split()), attrs) for name, attrs, t in self.said if name == tag]
        return [text for text, attrs in found if not of or of in attrs.get("class", "").split()]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of the pages, with results in it."""
    folder = tmp_path / "board"
    folder.mkdir()
    return folder


def result(out: Path, name: str, record: dict[str, Any], curve: dict[str, Any] | None = None) -> Path:
    """A result with samples and curves below the pages."""
    folder = out / "results" / name
    save(record, folder / "results.json")
    (folder / "samples.png").write_bytes(name.encode())
    (folder / "curves.json").write_text(json.dumps(curve or {"fd[toy]": [[1, 3.0], [2, 2.0]]}), encoding="utf-8")
    return folder


def pages(out: Path, catalog: Catalog, *places: Path) -> dict[str, Page]:
    written = write_pages(gather(places or [out / "results"], catalog), out)
    return {path.name: Page(path) for path in written}


def test_an_index_and_a_page_for_each_data_set_with_results(out: Path, catalog: Catalog) -> None:
    result(out, "a", made_record())
    result(out, "b", made_record(dataset="folder:some place/x"))
    made = pages(out, catalog)
    assert set(made) == {"index.html", "digits.html", f"{file_name('folder:some place/x')}.html"}
    links = [unquote(a["href"]) for a in made["index.html"].all("a")]
    assert {"digits.html", f"{file_name('folder:some place/x')}.html"} <= set(links)


def nasty_record() -> dict[str, Any]:
    entries = [made_entry(NASTY, 1.0, protocol={NASTY: NASTY}, subject={NASTY: NASTY}, remark=NASTY)]
    return made_record(
        entries,
        recipe=f"{NASTY}/{NASTY}",
        method=NASTY,
        dataset=f"folder:{NASTY}",
        scale=NASTY,
        overrides={NASTY: NASTY},
        settings={NASTY: NASTY},
        environment={"device": NASTY, "device_name": NASTY, "date": NASTY, "commit": NASTY, "packages": {NASTY: NASTY}},
    )


def test_whatever_a_file_says_is_text(out: Path, catalog: Catalog) -> None:
    result(out, "a", nasty_record(), {f"{NASTY}[{NASTY}]": [[1, 3.0], [2, 2.0]]})
    (out / "results" / "<img src=x>.json").write_text("{", encoding="utf-8")
    save({**nasty_record(), "exit_state": "diverged", "metrics": []}, out / "results" / "b" / "results.json")
    for name, page in pages(out, catalog).items():
        assert len(page.all("script")) == 1, name  # the page's own
        assert all("onerror" not in attributes and attributes.get("src") != "x" for _, attributes in page.elements)
        assert page.unbalanced == []
        assert page.open == []
        assert NASTY in "".join(page.text) or name == "index.html"
    assert "results/<img src=x>.json" in "".join(Page(out / "index.html").text)


def test_pages_load_nothing_from_elsewhere(out: Path, catalog: Catalog) -> None:
    result(out, "a", made_record())
    for page in pages(out, catalog).values():
        for tag, attributes in page.elements:
            for name in ("src", "href", "action", "data", "poster", "srcset"):
                assert not attributes.get(name, "").startswith(("http", "//", "/", "data:")), (tag, attributes)
        assert page.all("link") == []
        (policy,) = [m for m in page.all("meta") if m.get("http-equiv")]
        assert policy["content"].startswith("default-src 'none'")


def test_pages_are_well_formed(out: Path, catalog: Catalog) -> None:
    for seed in range(2):
        result(out, f"a{seed}", made_record(seed=seed))
        result(out, f"b{seed}", made_record(recipe="made/other", seed=seed))
    for page in pages(out, catalog).values():
        assert (page.unbalanced, page.open) == ([], [])
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
        controlled = {attributes["aria-controls"] for attributes in page.all("button") if "aria-controls" in attributes}
        assert controlled <= set(ids)
        assert page.all("html") == [{"lang": "en"}]
        assert "width=device-width, initial-scale=1" in [meta.get("content") for meta in page.all("meta")]
        assert all(image["alt"] for image in page.all("img"))


def test_the_same_results_make_the_same_bytes(out: Path, tmp_path: Path, catalog: Catalog) -> None:
    result(out, "a", made_record())
    pages(out, catalog)
    first = {path.name: path.read_bytes() for path in out.glob("*.html")}
    moved = out.rename(tmp_path / "elsewhere")
    pages(moved, catalog)
    assert {path.name: path.read_bytes() for path in moved.glob("*.html")} == first


def test_samples_and_records_below_the_pages_are_linked_where_they_lie(out: Path, catalog: Catalog) -> None:
    folder = result(out, "a b", made_record())
    page = pages(out, catalog)["digits.html"]
    (image,) = page.all("img")
    assert (out / unquote(image["src"])).resolve() == (folder / "samples.png").resolve()
    records = [unquote(a["href"]) for a in page.all("a") if a["href"].endswith(".json")]
    assert [(out / record).resolve() for record in records] == [(folder / "results.json").resolve()]
    assert not (out / "samples").exists()


def test_samples_from_elsewhere_are_copied_and_records_are_not_linked(
    out: Path, tmp_path: Path, catalog: Catalog
) -> None:
    folder = result(tmp_path / "far", "a", made_record())
    page = pages(out, catalog, folder)["digits.html"]
    (image,) = page.all("img")
    assert image["src"].startswith("samples/")  # the pages may be moved with what they show
    assert (out / image["src"]).read_bytes() == b"a"
    assert not [a for a in page.all("a") if a["href"].endswith(".json")]


def test_a_printed_number_stands_beside_ours_with_its_verdict(out: Path, catalog: Catalog) -> None:
    entry = made_entry("fid", 3.52, protocol=PRINTED_FID)
    record = made_record([entry], recipe="lcsa/biggan-d1024", method="lcsa", dataset="cifar10")
    result(out, "a", record)
    text = " ".join(" ".join(pages(out, catalog)["cifar10.html"].text).split())
    assert "3.52" in text
    assert "3.51 printed: REPRODUCED" in text
    assert "7.55 printed" not in text  # the vFID is another number
    assert "lcsa/table-07/15" in text  # which the row's details and the paper's list do name


def test_badges_commands_and_curves_are_there(out: Path, tmp_path: Path, catalog: Catalog) -> None:
    for seed in range(2):
        run = tmp_path / "run"
        save(made_record(seed=seed), run / "results.json")
        collect(run, out / "results")
        result(out, f"b{seed}", made_record(recipe="made/other", seed=seed))
    page = pages(out, catalog)["digits.html"]
    text = " ".join(page.text)
    assert "OMP_NUM_THREADS=1 harness run --plugin made --recipe made/plain --dataset digits" in text
    assert "self-reported" in text
    titles = [svg["aria-label"] for svg in page.all("svg")]
    assert [title.partition(":")[0] for title in titles] == ["fd ↓ against steps", "fd ↓ against CPU hours of training"]
    assert "made/plain" not in titles[0]  # it has no curve
    assert "made/plain" in titles[1]


def test_a_curve_is_the_mean_of_seeds_that_all_measured_the_step(out: Path, catalog: Catalog) -> None:
    result(out, "a0", made_record(seed=0), {"fd[toy]": [[1, 4.0], [2, 2.0], [3, 9.0]]})
    result(out, "a1", made_record(seed=1), {"fd[toy]": [[1, 6.0], [2, 3.0]]})
    text = " ".join(pages(out, catalog)["digits.html"].text)
    assert "made/plain: 5 at 1" in text
    assert "made/plain: 2.5 at 2" in text
    assert "at 3" not in text


def test_the_index_counts_and_names_what_was_left_out(out: Path, catalog: Catalog) -> None:
    result(out, "a", made_record())
    (out / "results" / "broken.json").write_text("{", encoding="utf-8")
    text = " ".join(" ".join(pages(out, catalog)["index.html"].text).split())
    assert "1 result on 1 data set," in text
    assert "results/broken.json : is not the record of a run" in text


def test_a_file_that_was_left_out_is_told_from_others_on_every_machine(
    out: Path, tmp_path: Path, catalog: Catalog
) -> None:
    for name in ("a", "b"):
        result(out, name, made_record())
    far = save(made_record(), tmp_path / "far" / "c" / "results.json")
    text = " ".join(pages(out, catalog, out / "results", far)["index.html"].text)
    told = "results.json : the same experiment and seed as results/a/results.json"
    assert f"results/b/{told}" in text
    assert f"far/c/{told}" in text
    assert str(tmp_path) not in text


def test_charts_say_how_many_rows_they_leave_out(out: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.leaderboard.page.DRAWN", 2)
    for rank, name in enumerate(("one", "two", "three")):
        result(out, name, made_record([made_entry(value=float(rank))], recipe=f"made/{name}"))
        page = pages(out, catalog)["digits.html"]
        assert ("The charts show the first 2 of 3 rows." in "".join(page.text)) is (rank == 2)
    titles = [svg["aria-label"] for svg in page.all("svg")]
    assert len(titles) == 2
    assert all("made/two" in title and "made/three" not in title for title in titles)


@pytest.mark.parametrize("most", [0, 10_000])
def test_many_printed_numbers_stay_folded(
    out: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("harness.leaderboard.page.MANY", most)
    result(out, "a", made_record(dataset="cifar10"))
    page = pages(out, catalog)["cifar10.html"]
    section = next(n for n, (_, attributes) in enumerate(page.elements) if attributes.get("id") == "printed")
    folded = next(attributes for tag, attributes in page.elements[section:] if tag == "details")
    assert ("open" in folded) is (most > 0)


def test_ranks_stand_beside_numbers_and_the_first_is_emphasised(out: Path, catalog: Catalog) -> None:
    for name, middle in (("good", 1.0), ("bad", 50.0)):
        for seed in range(3):
            record = made_record([made_entry(value=middle + seed - 1)], recipe=f"made/{name}", seed=seed)
            result(out, f"{name}{seed}", record)
    page = pages(out, catalog)["digits.html"]
    numbers = [text for text in page.texts("td", "n") if "±" in text]
    assert numbers == ["1 ± 0.58 #1", "50 ± 0.58 #2"]
    assert [text for text in page.texts("td", "first")] == ["1 ± 0.58 #1"]
    assert len([line for line in page.all("line") if line.get("class") == "bar"]) == 2  # quality against cost
    told = [cell["title"] for cell in page.all("td") if "title" in cell]
    assert told == ["fd[toy]; seeds 0, 1, 2"] * 2
    assert "metric=fd, extractor=toy" in page.texts("td")
    assert "fd ↓ 1" in pages(out, catalog)["index.html"].texts("td")


def test_a_row_says_how_it_was_made(out: Path, catalog: Catalog) -> None:
    for seed in range(2):
        record = made_record(
            [made_entry(value=2.25 + seed, remark="fewer images than usual")],
            seed=seed,
            recipe="made/plain+changed",
            overrides={"rate": 0.5},
            settings={"rate": 0.5, "network": {"depth": 9}},
            environment={
                "device": "cpu",
                "device_name": "a slow one",
                "date": f"2026-01-0{seed + 1}",
                "commit": "c0ffee",
            },
        )
        result(out, f"a{seed}", record)
    page = pages(out, catalog)["digits.html"]
    cells = page.texts("td")
    assert {"2.25", "3.25", "2026-01-01", "2026-01-02", "a slow one", "c0ffee"} <= set(cells)
    assert "rate=0.5" in page.texts("code")
    assert dict(zip(page.texts("dt"), page.texts("dd"), strict=True)) == {"rate": "0.5", "network.depth": "9"}
    assert "fewer images than usual" in page.texts("li")
    assert [command for command in page.texts("pre") if "--set rate=0.5" in command and "--seeds 0..1" in command]
    assert {"12", "640", "0.01 CPU"} <= set(cells)  # parameters, images seen, hours


def test_a_verified_result_says_so(out: Path, catalog: Catalog) -> None:
    for name in ("plain", "checked"):
        folder = result(out, name, made_record(recipe=f"made/{name}"))
    said = {"results_sha256": hashlib.sha256((folder / "results.json").read_bytes()).hexdigest(), "date": "a Monday"}
    (folder / "verified.json").write_text(json.dumps(said), encoding="utf-8")
    page = pages(out, catalog)["digits.html"]
    assert sorted(page.texts("span", "badge")) == ["self-reported", "verified"]
    assert {body["data-badge"] for body in page.all("tbody") if "data-badge" in body} == {"self-reported", "verified"}
    assert "results.json verified a Monday" in page.texts("td")


def test_samples_are_loaded_late_and_copied_by_their_content(out: Path, tmp_path: Path, catalog: Catalog) -> None:
    folder = result(tmp_path / "far", "a", made_record())
    (image,) = pages(out, catalog, folder)["digits.html"].all("img")
    assert image["src"] == f"samples/{hashlib.sha256(b'a').hexdigest()[:16]}.png"
    assert image["loading"] == "lazy"


def test_a_diverged_training_stands_with_its_command(out: Path, catalog: Catalog) -> None:
    result(out, "a", made_record([], exit_state="diverged"))
    page = pages(out, catalog)["digits.html"]
    assert "Diverged" in page.texts("h2")
    (item,) = [text for text in page.texts("li") if text.startswith("made/plain")]
    assert "harness run --plugin made --recipe made/plain" in item


def test_every_printed_number_is_listed_with_what_became_of_it(out: Path, catalog: Catalog) -> None:
    record = made_record([made_entry("fid", 3.52, protocol=PRINTED_FID)], recipe="lcsa/biggan-d1024", dataset="cifar10")
    result(out, "a", record | {"method": "lcsa"})
    board = gather([out / "results"], catalog)
    made = pages(out, catalog)
    cells = made["cifar10.html"].texts("td")
    (cifar10,) = [dataset for dataset in board.datasets if dataset.dataset == "cifar10"]
    assert set(made["cifar10.html"].texts("th")) >= {number.reference.id for number in cifar10.printed}
    for number in cifar10.printed:
        said = [number.reference.quoted_from, number.outcome.value, number.why]
        assert any(cells[n : n + 3] == said for n in range(len(cells))), said
    assert any(number.reference.quoted_from for number in cifar10.printed)
    (verdict,) = [text for text in made["cifar10.html"].texts("li") if text.startswith("lcsa/table-07/15 ")]
    assert verdict.endswith(next(n.why for n in cifar10.printed if n.reference.id == "lcsa/table-07/15"))
    counts = made["index.html"].texts("td", "n")
    for paper in sorted({number.reference.paper for number in board.printed}):
        own = [number for number in board.printed if number.reference.paper == paper]
        kinds = Counter(number.outcome for number in own)
        quoted, bound = (
            sum(map(bool, column))
            for column in zip(*((n.reference.quoted_from, n.reference.recipe) for n in own), strict=True)
        )
        line = [str(n) for n in (len(own), quoted, bound, *(kinds[outcome] for outcome in Outcome))]
        assert any(counts[n : n + len(line)] == line for n in range(len(counts))), paper


def test_papers_that_could_not_be_read_are_named(out: Path, catalog: Catalog) -> None:
    result(out, "a", made_record())
    board = replace(gather([out / "results"], catalog), problems=("references of <b>x</b> are left out",))
    page = Page(write_pages(board, out)[0])
    assert "references of <b>x</b> are left out" in page.texts("li")


def test_text_stands_out_from_what_lies_behind_it_in_both_themes() -> None:
    style = (files("harness.leaderboard") / "templates" / "style.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for block in re.findall(r"\{[^{}]*--page: #[^{}]{7,}\}", style)
    ]
    light, by_system, by_button = (theme for theme in themes if "s7" in theme)
    assert by_system == by_button
    for theme in (light, by_button):
        for name in ("ink", "soft", "link", "good", "bad", "plain", "focus"):
            for behind in ("page", "panel"):
                assert contrast(theme[name], theme[behind]) >= 4.5, (name, behind)  # WCAG 2.2, level AA
        assert all(contrast(theme[f"s{n}"], theme["page"]) >= 3.0 for n in range(8))  # of graphics


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 defines it."""
    lights = []
    for colour in (one, other):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        lights.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(lights) + 0.05) / (min(lights) + 0.05)
