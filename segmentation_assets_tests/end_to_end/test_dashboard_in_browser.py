"""The dashboard as a reader sees it in headless Chromium: on a screen, on a phone, in the dark and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segmentation_assets.config.settings import DashboardSettings
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets_tests.end_to_end.browser import NAMES, Page, find_chromium, start_chromium
from segmentation_assets_tests.end_to_end.dashboard_snapshots import MARKUP, SEGMENTS, SNAPSHOTS, with_charts

PAPER_WIDTH = 704
"""A4 less its margins, in pixels of a page."""

CHARTS = """
() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  return [...document.querySelectorAll(".chart")].map(chart => ({
    id: chart.id,
    wanted: figures[chart.id].data.map(trace => trace.type === "sankey" ? trace.link.value.length : trace.x.length),
    drawn: chart.querySelector(".sankey") ? [chart.querySelectorAll(".sankey-link").length] :
      [...chart.querySelectorAll("svg.main-svg .trace")].map(
        trace => trace.querySelectorAll("path.point, .point path").length
      ),
  }));
}
"""

CONTRAST = """
(selector) => {
  const channel = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => channel(v / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "white";
  };
  return [...document.querySelectorAll(selector)].map(element => {
    const [low, high] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
}
"""


@pytest.fixture(scope="module")
def open_file() -> Iterator[Callable[[Path], Page]]:
    """Open a file in a tab of one browser; tests are skipped where there is none."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip(f"no browser found: none of {', '.join(NAMES)} is on the path; install chromium to run this test")
    with start_chromium(chromium) as opener:
        yield opener


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """Tabs that are open already, by the name of their snapshot."""
    return {}


@pytest.fixture
def open_dashboard(
    open_file: Callable[[Path], Page], pages: dict[str, Page], tmp_path: Path
) -> Iterator[Callable[[str], Page]]:
    """Show the dashboard of a snapshot by its name; a page must neither complain nor ask for anything but itself."""

    def open_named(name: str) -> Page:
        if name not in pages:
            path = tmp_path / f"{name}.html"
            path.write_text(render_dashboard(SNAPSHOTS[name](), DashboardSettings()), encoding="utf-8")
            pages[name] = open_file(path)
        pages[name].show(1280)
        return pages[name]

    yield open_named
    for page in pages.values():
        assert page.complaints == []
        assert page.requests == [page.url]


@pytest.fixture
def charted(open_file: Callable[[Path], Page], pages: dict[str, Page], tmp_path: Path) -> Page:
    """The dashboard of a month whose clusterings have every chart there is; looked over like the others."""
    if "charted" not in pages:
        snapshot, charts = with_charts()
        path = tmp_path / "charted.html"
        path.write_text(render_dashboard(snapshot, DashboardSettings(), charts=charts), encoding="utf-8")
        pages["charted"] = open_file(path)
    pages["charted"].show(1280)
    return pages["charted"]


def test_complaints_and_requests_of_a_page_are_noticed(open_file: Callable[[Path], Page], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<img src='http://example.invalid/x.png'><script>console.error('bad'); throw 1</script>")
    page = open_file(path)
    assert any("bad" in text for text in page.complaints)
    assert any("Uncaught" in text for text in page.complaints)
    assert "http://example.invalid/x.png" in page.requests


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_all_charts_are_drawn_whole(open_dashboard: Callable[[str], Page], name: str) -> None:
    charts = open_dashboard(name).evaluate(f"({CHARTS})()")
    assert [chart["id"] for chart in charts] == ["figure-map", "figure-customers", "figure-money", "figure-flows"]
    for chart in charts:
        assert min(chart["wanted"]) > 0
        assert chart["drawn"] == chart["wanted"]


def test_every_segment_is_named_on_its_card_and_in_the_tables(open_dashboard: Callable[[str], Page]) -> None:
    page = open_dashboard("many_segments")
    for place in (".card h3", "#profiles thead th", "#movement thead th", "#map .legend"):
        text = page.evaluate(f"[...document.querySelectorAll('{place}')].map(e => e.innerText).join(' ')")
        assert [name for name in SEGMENTS.values() if name not in " ".join(text.split())] == []


@pytest.mark.parametrize("name", SNAPSHOTS)
@pytest.mark.parametrize(("width", "media"), [(360, ""), (420, ""), (1280, ""), (PAPER_WIDTH, "print")])
def test_nothing_sticks_out_sideways(open_dashboard: Callable[[str], Page], name: str, width: int, media: str) -> None:
    page = open_dashboard(name)
    page.show(width, media=media)
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    sticking_out = page.evaluate(
        "[...document.querySelectorAll('.card, .card *, button, .facts *, .intro, figure')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className || e.tagName)"
    )
    assert sticking_out == []


@pytest.mark.parametrize("width", [420, 1280])
def test_charts_follow_the_width_of_the_window(open_dashboard: Callable[[str], Page], width: int) -> None:
    page = open_dashboard("small")
    page.show(width)
    fits = (
        "() => [...document.querySelectorAll('.chart')].every(chart =>"
        " Math.abs(chart.querySelector('svg').getBoundingClientRect().width - chart.clientWidth) < 2)"
    )
    assert page.wait_until(fits)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_dashboard: Callable[[str], Page], scheme: str) -> None:
    page = open_dashboard("many_segments")
    page.show(1280, scheme=scheme)
    ratios = page.evaluate(
        f"({CONTRAST})('h1, h2, h3, p, dt, dd, small, td, td b, td span, th, a, button, .badge, .note, .key')"
    )
    assert len(ratios) > 100
    assert min(ratios) >= 4.5


def test_dark_scheme_changes_page_and_charts(open_dashboard: Callable[[str], Page]) -> None:
    page = open_dashboard("small")
    look = "['body', '.card'].map(s => getComputedStyle(document.querySelector(s)).backgroundColor)"
    ticks = "getComputedStyle(document.querySelector('#figure-map .xtick text')).fill"
    light = (page.evaluate(look), page.evaluate(ticks))
    page.show(1280, scheme="dark")
    dark = (page.evaluate(look), page.evaluate(ticks))
    assert all(one != other for one, other in zip([*light[0], light[1]], [*dark[0], dark[1]], strict=True))


def test_choosing_a_segment_dims_the_others_until_it_is_chosen_again(
    open_dashboard: Callable[[str], Page],
) -> None:
    page = open_dashboard("small")
    state = (
        "({pressed: [...document.querySelectorAll('[data-focus]')].map(b => b.getAttribute('aria-pressed')),"
        " dim: [...document.querySelectorAll('.card')].map(card => card.classList.contains('dim')),"
        " opacity: document.getElementById('figure-map').data.map(trace => [trace.meta.segment, trace.opacity])})"
    )
    choose = "document.querySelector('[data-focus=S001]').click()"
    page.evaluate(choose)
    chosen = page.evaluate(state)
    assert (chosen["pressed"], chosen["dim"]) == (["true", "false"], [False, True])
    assert dict(chosen["opacity"]) == {"S001": 1, "S002": 0.1}
    page.evaluate(choose)
    assert page.evaluate(state)["dim"] == [False, False]


def test_markup_in_data_does_not_run(open_dashboard: Callable[[str], Page]) -> None:
    page = open_dashboard("with_markup")
    page.evaluate(
        "document.querySelectorAll('#figure-map .point').forEach(p => p.dispatchEvent(new MouseEvent('mouseover')))"
    )
    assert page.evaluate("document.title").startswith("Shop </script>")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert MARKUP in page.evaluate("document.body.textContent")


def test_printing_draws_charts_for_paper_and_then_for_the_screen_again(open_dashboard: Callable[[str], Page]) -> None:
    page = open_dashboard("small")
    width = "document.querySelector('#figure-map svg.main-svg').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {width}; }})")
    assert page.print_pdf().startswith(b"%PDF")
    assert page.evaluate("window.printed") == 950
    assert before != 950
    assert page.wait_until(f"() => {width} === {before}")


CHOOSE = """
(name) => {
  const list = document.getElementById("algorithm");
  list.value = name;
  list.dispatchEvent(new Event("change"));
}
"""

READ_ON = """
async () => {
  for (const chart of document.querySelectorAll("#algorithms .chart")) {
    chart.scrollIntoView();
    const isDone = () => chart.offsetParent === null || chart.querySelector("svg.main-svg") !== null;
    for (let left = 120; left > 0 && !isDone(); left--) await new Promise(done => requestAnimationFrame(done));
  }
}
"""

OVERLAPS = """
() => [...document.querySelectorAll(".chart")].filter(chart => chart.offsetParent !== null).flatMap(chart => {
  const ticks = [...chart.querySelectorAll(".ytick text, .xtick text")].map(text => text.getBoundingClientRect());
  const whole = chart.getBoundingClientRect();
  const outside = ticks.filter(box => box.left < whole.left - 1 || box.right > whole.right + 1);
  const names = [...chart.querySelectorAll(".ytick text")].map(text => text.getBoundingClientRect());
  const close = names.filter((box, place) =>
    names.slice(place + 1).some(other => box.bottom > other.top + 2 && other.bottom > box.top + 2));
  return outside.length + close.length ? [[chart.id, outside.length, close.length]] : [];
})
"""


def test_only_the_charts_of_the_chosen_algorithm_are_drawn_and_only_when_read(charted: Page) -> None:
    look = """
    (() => [...document.querySelectorAll("[data-algorithm]")].map(part => [
      part.dataset.algorithm, part.offsetParent !== null,
      [...part.querySelectorAll(".chart")].every(chart => chart.querySelector("svg.main-svg") !== null),
    ]))()
    """
    assert charted.evaluate(look)[1] == ["kmeans", True, False]
    charted.evaluate(f"({READ_ON})()")
    assert charted.evaluate(look) == [
        ["gaussian_mixture", False, False],
        ["kmeans", True, True],
        ["ward", False, False],
    ]
    charted.evaluate(f"({CHOOSE})('ward')")
    charted.evaluate(f"({READ_ON})()")
    assert charted.evaluate(look)[1:] == [["kmeans", False, True], ["ward", True, True]]
    drawn = charted.evaluate(
        "['map', 'silhouettes', 'dendrogram', 'k-distance', 'training', 'reliability'].map(name => document"
        ".querySelectorAll('#figure-ward-' + name + ' .trace').length)"
    )
    assert drawn == [3, 3, 1, 1, 2, 2]
    charted.evaluate(f"({CHOOSE})('kmeans')")


@pytest.mark.parametrize("name", ["kmeans", "gaussian_mixture", "ward"])
@pytest.mark.parametrize("width", [390, 1280])
def test_labels_of_charts_stand_apart_and_whole(charted: Page, name: str, width: int) -> None:
    charted.show(width)
    charted.evaluate(f"({CHOOSE})('{name}')")
    charted.evaluate(f"({READ_ON})()")
    assert charted.wait_until(f"() => ({OVERLAPS})().length === 0"), charted.evaluate(f"({OVERLAPS})()")
    assert charted.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]


def test_the_comparison_prints_and_survives_a_change_of_colours(charted: Page) -> None:
    assert charted.print_pdf().startswith(b"%PDF")
    shades = "document.getElementById('figure-agreement').data[0].colorscale[0][1]"
    light = charted.evaluate(shades)
    charted.show(1280, scheme="dark")
    assert charted.evaluate(shades) != light
