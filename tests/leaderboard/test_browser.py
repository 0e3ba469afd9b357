"""The pages in a real browser: a headless chromium, from the file system, without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_records import made_entry, made_record, save

from harness.catalog import open_catalog
from harness.leaderboard.board import gather
from harness.leaderboard.page import write_pages

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra test)")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NASTY = "made/<script>window.ran = true</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of the module."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium on this machine (on Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of three methods on one data set, one of them with a name that wants to be a script."""
    folder = tmp_path_factory.mktemp("board")
    for name, base, precision in (("made/one", 30.0, 0.2), ("made/two", 4.0, 0.9), (NASTY, 100.0, 0.5)):
        for seed in range(2):
            entries = [
                made_entry(value=base + seed),
                made_entry(value=base + seed + 500, protocol={"extractor": "second"}),
                made_entry("precision", precision, better=True),
                *([made_entry("recall", precision, better=True)] if name != "made/two" else []),
            ]
            record = made_record(entries, recipe=name, method=name.partition("/")[2][:3], seed=seed)
            place = folder / "results" / f"{base:g}-{seed}"
            save(record, place / "results.json")
            (place / "curves.json").write_text(json.dumps({"fd[toy]": [[1, 9], [2, base]]}), encoding="utf-8")
    write_pages(gather([folder / "results"], open_catalog()), folder)
    return folder


@pytest.fixture
def show(browser: Any, out: Path) -> Iterator[Any]:
    """Opens a page; afterwards nothing may have gone wrong in it, and nothing may have been asked of a network."""
    contexts, troubles = [], []

    def opened(name: str = "digits", init: str = "", **given: Any) -> Any:
        context = browser.new_context(offline=True, **{"viewport": {"width": 1280, "height": 800}, **given})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(init)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or troubles.append(request.url))
        page.goto((out / f"{name}.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def names(page: Any) -> list[str]:
    """Methods in the order in which they are seen."""
    rows = page.locator("#table-1 tbody.row")
    return [row.locator(".opens").inner_text() for row in rows.all() if row.is_visible()]


def test_a_click_on_a_header_sorts_numbers_as_numbers(show: Any) -> None:
    page = show()
    assert names(page) == ["made/two", "made/one", NASTY]
    head = page.locator("#table-1 table.sortable > thead th", has_text="fd (toy)")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"  # the better direction first
    assert names(page) == ["made/two", "made/one", NASTY]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert names(page) == [NASTY, "made/one", "made/two"]
    precision = page.locator("#table-1 table.sortable > thead th", has_text="precision")
    precision.locator("button").click()
    assert precision.get_attribute("aria-sort") == "descending"
    assert head.get_attribute("aria-sort") is None
    assert names(page) == ["made/two", NASTY, "made/one"]


def test_a_row_without_the_number_stays_last(show: Any) -> None:
    page = show()
    head = page.locator("#table-1 table.sortable > thead th", has_text="recall")
    for order in ([NASTY, "made/one", "made/two"], ["made/one", NASTY, "made/two"]):
        head.locator("button").click()
        assert names(page) == order


def test_the_keyboard_sorts_and_opens(show: Any) -> None:
    page = show()
    page.locator("#table-1 table.sortable > thead th button", has_text="method").focus()
    page.keyboard.press("Enter")
    assert names(page) == sorted([NASTY, "made/one", "made/two"], key=str.lower)
    button = page.locator(".opens").first
    button.focus()
    page.keyboard.press("Space")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.locator("tr.detail").first.is_visible()


def test_a_filter_leaves_the_rows_that_fit(show: Any) -> None:
    page = show()
    board = page.locator("#table-1")
    board.locator(".filter").fill("TWO")
    assert names(page) == ["made/two"]
    assert board.locator(".shown").inner_text() == "1 of 3 rows"
    board.locator(".filter").fill("")
    board.locator(".by-method").select_option("one")
    assert names(page) == ["made/one"]
    board.locator(".by-method").select_option("")
    board.locator(".by-badge").select_option("verified")
    assert names(page) == []


def test_a_row_opens_and_shows_how_to_rebuild_it(show: Any) -> None:
    page = show()
    detail = page.locator("tr.detail").first
    assert not detail.is_visible()
    page.locator(".opens").first.click()
    assert "harness run --plugin two --recipe made/two" in detail.inner_text()
    page.locator(".opens").first.click()
    assert not detail.is_visible()


def test_other_protocols_are_shown_when_asked_for(show: Any) -> None:
    page = show()
    second = page.locator("#table-1 table.sortable > thead th", has_text="fd (second)")
    assert not second.is_visible()
    page.locator("#table-1 .all-protocols").check()
    assert second.is_visible()


def test_a_name_that_wants_to_be_a_script_is_shown(show: Any) -> None:
    page = show()
    assert NASTY in names(page)
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("name", ["index", "digits"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_never_scrolls_sideways(show: Any, name: str, width: int) -> None:
    page = show(name, viewport={"width": width, "height": 700})
    if name == "digits":
        page.locator("#table-1 .all-protocols").check()
        page.locator(".opens").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(background) == "rgb(251, 251, 249)"


def test_both_themes_and_the_button_between_them(show: Any) -> None:
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = show(color_scheme="light"), show(color_scheme="dark")
    day, night = light.evaluate(background), dark.evaluate(background)
    assert day != night
    dark.locator("#theme").click()
    assert dark.evaluate(background) == day
    light.locator("#theme").click()
    assert light.evaluate(background) == night
    light.reload()
    assert light.evaluate(background) == night  # it is kept


def test_a_page_that_may_keep_nothing_still_works(show: Any) -> None:
    page = show(init="Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(background)
    page.locator("#theme").click()
    assert page.evaluate(background) != before
    assert page.locator("#table-1 table.sortable > thead th button").count() > 0


@pytest.mark.parametrize("works", [True, False])
def test_a_command_is_copied_or_the_button_goes(show: Any, works: bool) -> None:
    answer = "window.copied = text; return Promise.resolve();" if works else "return Promise.reject();"
    board = f"{{value: {{writeText(text) {{ {answer} }}}}}}"
    page = show(init=f"Object.defineProperty(navigator, 'clipboard', {board})")
    page.locator(".opens").first.click()
    button = page.locator(".copies").first
    button.click()
    if works:
        button.get_by_text("Copied").wait_for()
        assert page.evaluate("copied") == page.locator("pre").first.inner_text()
    else:
        button.wait_for(state="hidden")


def test_a_copy_button_is_hidden_where_nothing_can_be_copied(show: Any) -> None:
    page = show(init="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator(".opens").first.click()
    assert page.locator("pre").first.is_visible()
    assert not page.locator(".copies").first.is_visible()


def test_header_and_methods_stay_in_sight(show: Any) -> None:
    page = show(viewport={"width": 360, "height": 150})
    box = page.locator("#table-1 > .scroll")
    box.evaluate("box => box.scrollTo(200, 60)")
    assert box.evaluate("box => [box.scrollLeft, box.scrollTop]") == [200, 60]
    place = box.bounding_box()
    head = page.locator("#table-1 table.sortable > thead th").first.bounding_box()
    method = page.locator("#table-1 tbody.row > tr:first-child > th").last.bounding_box()
    other = page.locator("#table-1 table.sortable > thead th").nth(1).bounding_box()
    assert head["y"] == other["y"] == pytest.approx(place["y"], abs=2)
    assert head["x"] == method["x"] == pytest.approx(place["x"], abs=2)


def test_the_first_is_bold_and_focus_is_seen(show: Any) -> None:
    page = show()
    best = page.locator("#table-1 td.first").first
    assert int(best.evaluate("cell => getComputedStyle(cell).fontWeight")) >= 700
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"
    assert page.evaluate(outline) == ["solid", "3px"]


def test_paper_has_the_table_and_no_controls(show: Any) -> None:
    page = show()
    page.emulate_media(media="print")
    assert not page.locator("#table-1 .controls").is_visible()
    assert not page.locator("#theme").is_visible()
    name = page.locator("#table-1 tbody.row .unscripted").first
    assert name.is_visible()
    assert name.inner_text() == "made/two"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#table-1 > .scroll").evaluate("box => getComputedStyle(box).overflow") == "visible"


def test_without_a_script_everything_can_be_read(show: Any) -> None:
    page = show(java_script_enabled=False)
    assert page.locator("tr.detail").first.is_visible()
    assert page.locator("#table-1 table.sortable > thead th", has_text="fd (second)").is_visible()
    assert not page.locator("#table-1 .controls").is_visible()
    assert page.locator("#table-1 .unscripted").first.inner_text() == "made/two"
