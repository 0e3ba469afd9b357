"""Pages: what they show, that they load nothing, and that whatever a file says is text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from made_records import PRINTED_FID, made_entry, made_record, save

from harness.catalog import Catalog
from harness.leaderboard.artefacts import collect
from harness.leaderboard.board import gather
from harness.leaderboard.page import write_pages

NASTY = "<script>window.ran = true</script>\"'&"

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """The elements of a page, with what may go wrong in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


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
    assert set(made) == {"index.html", "digits.html", "folder_some_place_x.html"}
    links = [unquote(a["href"]) for a in made["index.html"].all("a")]
    assert {"digits.html", "folder_some_place_x.html"} <= set(links)


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
        environment={"device": NASTY, "device_name": NASTY, "date": NASTY, "commit": NASTY, "threads": NASTY},
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
    assert "<img src=x>.json" in "".join(Page(out / "index.html").text)


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
    assert "broken.json : is not the record of a run" in text
