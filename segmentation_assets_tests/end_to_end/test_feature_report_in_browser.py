"""The page about the features in headless Chromium: sorted, searched, narrow, and without a complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets.reporting.feature_page import render_feature_report
from segmentation_assets_tests.end_to_end.browser import NAMES, Page, find_chromium, start_chromium
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE
from segmentation_assets_tests.unit.reporting.toy_features import COLUMNS, toy_report

HEADS = "[...document.querySelectorAll('#overview th')]"
NAMES_SHOWN = "[...document.querySelectorAll('#overview tbody tr:not([hidden]) td:first-child')].map(e => e.innerText)"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """The page of six customers; it must neither complain nor ask for anything but itself."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip(f"no browser found: none of {', '.join(NAMES)} is on the path; install chromium to run this test")
    path = tmp_path / "feature_report.html"
    path.write_text(render_feature_report(toy_report(tmp_path), HOSTILE), encoding="utf-8")
    with start_chromium(chromium) as opener:
        opened = opener(path)
        yield opened
        assert opened.complaints == []
        assert opened.requests == [opened.url]


def click_head(page: Page, name: str) -> tuple[str, list[str]]:
    head = f"{HEADS}.find(e => e.innerText.startsWith('{name}'))"
    page.evaluate(f"{head}.querySelector('button').click()")
    return page.evaluate(f"{head}.getAttribute('aria-sort')"), page.evaluate(NAMES_SHOWN)


def test_the_table_is_sorted_by_the_values_of_a_column(page: Page) -> None:
    order, names = click_head(page, "Missing")
    assert (order, names[0]) == ("descending", "empty")
    order, names = click_head(page, "Missing")
    assert (order, names[-1]) == ("ascending", "empty")
    assert click_head(page, "Missing")[0] == "descending"
    assert click_head(page, "Feature") == ("ascending", sorted(column.name for column in COLUMNS))
    assert click_head(page, "Imputed")[1][:3] == ["gappy", "orders", "town"]


def test_a_search_leaves_the_rows_and_cards_that_hold_all_its_words(page: Page) -> None:
    def search(text: str) -> None:
        page.evaluate(
            f"(() => {{ const i = document.getElementById('search'); i.value = '{text}';"
            " i.dispatchEvent(new Event('input')); })()"
        )

    search("TOWN toy")
    assert page.evaluate(NAMES_SHOWN) == ["town"]
    assert page.evaluate("document.querySelector('[role=status]').innerText") == "1 of 8"
    assert page.evaluate("[...document.querySelectorAll('.card:not([hidden])')].map(e => e.id)") == ["feature-town"]
    search("nowhere")
    assert page.evaluate("getComputedStyle(document.getElementById('block-toy')).display") == "none"
    search("")
    assert len(page.evaluate(NAMES_SHOWN)) == len(COLUMNS)
    assert page.evaluate("document.querySelectorAll('.card:not([hidden])').length") == len(COLUMNS)


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_sticks_out_sideways(page: Page, width: int) -> None:
    page.show(width, scheme="dark")
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    sticking_out = page.evaluate(
        "[...document.querySelectorAll('.card, .card *, .search *, .facts *, .intro')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className || e.tagName)"
    )
    assert sticking_out == []
