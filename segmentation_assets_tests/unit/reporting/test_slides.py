"""Figures for slides: what they say, that texts stay apart, and that the same month gives the same bytes."""

from __future__ import annotations

import dataclasses
import io
import itertools
import subprocess
import sys

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.palette import segment_colour
from segmentation_assets.reporting.projection import project_customers
from segmentation_assets.reporting.segment_cards import SegmentCard, describe_segments
from segmentation_assets.reporting.slide_candidates import FAILED, FIRST, candidates_title, draw_candidates
from segmentation_assets.reporting.slide_canvas import Canvas, Slide, drawable, new_canvas
from segmentation_assets.reporting.slides import draw_map, draw_segments, map_title, render_slides, segments_title
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets_tests.unit.reporting.conftest import base_snapshot

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MATH = r"$\frac{ and a_b^2 $x$"
LONG = "Extraordinarily loyal customers who buy everything everywhere, Returners of Household Goods and Furniture"


@pytest.fixture(scope="module")
def slides() -> dict[str, Slide]:
    """The figures of the base snapshot."""
    return {slide.name: slide for slide in render_slides(base_snapshot(), map_points=100)}


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue of every pixel, 0 to 255."""
    image = matplotlib.image.imread(io.BytesIO(png), format="png")
    return np.round(image[..., :3] * 255).astype(int)


def count_colour(image: np.ndarray, colour: str) -> int:
    wanted = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return int((image == wanted).all(axis=-1).sum())


def texts_on(canvas: Canvas) -> list[str]:
    return [text.get_text() for text in canvas.page.texts]


def crowded_texts(canvas: Canvas) -> list[str]:
    """Texts that leave the page or lie on each other."""
    width, height = canvas.figure.canvas.get_width_height()
    boxes = [(text.get_text(), text.get_window_extent(canvas.renderer)) for text in canvas.page.texts]
    outside = [
        text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width * 0.985 or box.y1 > height * 0.99
    ]
    pairs = itertools.combinations(((text, box.padded(-2)) for text, box in boxes if text), 2)
    return outside + [f"{one} / {other}" for (one, a), (other, b) in pairs if a.overlaps(b)]


def make_cards(shares: list[tuple[float, float | None]], name: str = "Segment", customers: int = 1_000):
    """Cards with the given shares of customers and of net revenue."""
    template = describe_segments(base_snapshot())[0]
    return [
        dataclasses.replace(
            template,
            key=f"S{number:03d}",
            name=f"{name} {number}",
            customer_count=round(share * customers),
            customer_share=share,
            net_revenue_amount=(money or 0.0) * 1e9,
            net_revenue_share=money,
        )
        for number, (share, money) in enumerate(shares, start=1)
    ]


def make_board(count: int) -> pd.DataFrame:
    """A leaderboard of several candidates, half of which pass, and the baseline."""
    best, baseline = (base_snapshot().leaderboard.iloc[place].to_dict() for place in (1, 0))
    rows = [
        best
        | {
            "candidate": f"candidate_number_{number}",
            "rank": number + 1 if number < count / 2 else None,
            "passed_gates": number < count / 2,
            "silhouette": 0.9 - 0.2 * number,
            "score_sample_count": 10_000_000,
            "stability": 1.0,
        }
        for number in range(count)
    ]
    return pd.DataFrame([*rows, baseline])


def test_every_figure_is_a_page_of_1920_by_1080_with_a_small_picture(slides):
    assert list(slides) == ["segments.png", "customer_map.png", "candidates.png"]
    for slide in slides.values():
        assert slide.png.startswith(SIGNATURE)
        assert slide.thumbnail.startswith(SIGNATURE)
        assert pixels(slide.png).shape == (1080, 1920, 3)
        assert pixels(slide.thumbnail).shape == (225, 400, 3)
        assert len(slide.thumbnail) <= 20_000


@pytest.mark.parametrize("name", ["segments.png", "customer_map.png"])
def test_segments_have_the_colours_of_the_dashboard(slides, name):
    image = pixels(slides[name].png)
    for key in ("S001", "S002"):
        assert count_colour(image, segment_colour(key)) > 100


def test_small_picture_keeps_the_colours(slides):
    image = pixels(slides["segments.png"].thumbnail)
    for key in ("S001", "S002"):
        wanted = np.array([int(segment_colour(key)[start : start + 2], 16) for start in (1, 3, 5)])
        assert (np.abs(image - wanted).max(axis=-1) < 25).sum() > 50


def test_candidates_are_coloured_by_their_rank(slides):
    image = pixels(slides["candidates.png"].png)
    assert count_colour(image, FIRST) > 1_000
    assert count_colour(image, FAILED) > 1_000


def test_same_month_gives_the_same_bytes(slides, snapshot: Snapshot):
    again = {slide.name: slide for slide in render_slides(snapshot, map_points=100)}
    assert again == slides


def test_settings_of_matplotlib_change_no_byte(slides, snapshot: Snapshot):
    import matplotlib as mpl

    with mpl.rc_context({"savefig.bbox": "tight", "font.size": 30, "axes.facecolor": "red", "figure.facecolor": "red"}):
        again = {slide.name: slide for slide in render_slides(snapshot, map_points=100)}
    assert again == slides


def test_png_holds_no_version_and_no_time(slides):
    for slide in slides.values():
        assert b"Software" not in slide.png
        assert b"tEXt" not in slide.png + slide.thumbnail
        assert b"tIME" not in slide.png + slide.thumbnail


def test_title_names_the_largest_segment_and_the_one_that_brings_most(snapshot: Snapshot):
    title = segments_title(describe_segments(snapshot))
    assert title == "Lapsed is the largest segment with 67% of customers; Loyal brings most net revenue, 80%"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([(1.0, 1.0)], "All customers are in one segment: Segment 1"),
        (
            [(0.6, 0.7), (0.4, 0.3)],
            "Segment 1 is the largest segment with 60% of customers and brings most net revenue, 70%",
        ),
        (
            [(0.6, None), (0.4, None)],
            "Segment 1 is the largest segment with 60% of customers; there is no net revenue to share out",
        ),
        ([(0.0, 0.0)], "No customer has a segment"),
    ],
)
def test_title_says_what_there_is_to_say(shares, expected):
    assert segments_title(make_cards(shares)) == expected


def test_title_keeps_its_finding_when_names_are_long():
    title = segments_title(make_cards([(0.6, 0.3), (0.4, 0.7)], name=LONG))
    assert title == (
        "Extraordinarily loyal cus… is the largest segment with 60% of customers; Extraordinarily loyal cus… brings "
        "most net revenue, 70%"
    )


def test_page_of_segments_shows_shares_counts_and_money(snapshot: Snapshot):
    with new_canvas() as canvas:
        draw_segments(canvas, snapshot, describe_segments(snapshot))
        texts = texts_on(canvas)
    assert {"Loyal", "33.3%", "2", "80.0%", "EUR 1,200"} <= set(texts)
    assert "August 2025 · 6 customers · EUR 1,500 net revenue in the last 24 months" in texts
    assert "Data before 1 September 2025. Segments: K-means, fitted on the customers of July 2025." in texts
    assert crowded_texts(canvas) == []


@pytest.mark.parametrize(
    "cards",
    [
        make_cards([(1.0, 1.0)]),
        make_cards([(1.0, None)]),
        make_cards([(0.5, None), (0.5, None)]),
        make_cards([(0.5, -0.4), (0.3, 1.2), (0.2, 0.2)]),
        make_cards([(1 / 11, 1 / 11)] * 11, name=LONG, customers=90_000_000),
        make_cards([(1 / 30, 1 / 30)] * 30),
        make_cards([(0.99, 0.01), (0.01, 0.99)], name="W" * 80, customers=90_000_000),
        [],
    ],
    ids=["one", "one without money", "no money", "negative money", "long names", "many", "one long word", "none"],
)
def test_texts_of_the_segments_stay_apart_and_on_the_page(snapshot: Snapshot, cards: list[SegmentCard]):
    with new_canvas() as canvas:
        draw_segments(canvas, snapshot, cards)
        assert crowded_texts(canvas) == []


def test_segments_that_find_no_room_are_counted(snapshot: Snapshot):
    with new_canvas() as canvas:
        draw_segments(canvas, snapshot, make_cards([(1 / 30, 1 / 30)] * 30))
        assert "and 16 smaller segments" in texts_on(canvas)


def test_names_are_never_read_as_formulas(change, snapshot: Snapshot):
    renamed = {"Lapsed": MATH}
    hostile = change(
        champion=snapshot.champion.replace(renamed),
        customer_segments=snapshot.customer_segments.replace(renamed),
        segment_profiles=snapshot.segment_profiles.replace(renamed),
        shares=snapshot.shares.replace(renamed),
        leaderboard=snapshot.leaderboard.replace({"kmeans": MATH}),
    )
    assert len(render_slides(hostile, map_points=100)) == 3
    with new_canvas() as canvas:
        draw_segments(canvas, hostile, describe_segments(hostile))
        drawn = [text for text in canvas.page.texts if text.get_text() == MATH]
        assert [text.get_parse_math() for text in drawn] == [False]


def test_markup_in_names_is_drawn_as_it_is(hostile: Snapshot):
    assert len(render_slides(hostile, map_points=100)) == 3


def test_characters_the_font_lacks_become_question_marks_without_a_warning(change, snapshot: Snapshot):
    assert drawable("客户 €\x00") == "?? €"
    chinese = change(champion=snapshot.champion.replace({"Lapsed": "忠诚"}))
    assert len(render_slides(chinese, map_points=100)) == 3


def test_map_title_names_what_weighs_most_and_every_segment_is_listed(snapshot: Snapshot):
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    with new_canvas() as canvas:
        draw_map(canvas, snapshot, describe_segments(snapshot), customer_map)
        texts = texts_on(canvas)
        assert crowded_texts(canvas) == []
    assert map_title(customer_map).startswith("Customers differ most in ")
    assert {"Lapsed", "66.7%", "Loyal", "33.3%"} <= set(texts)


def test_a_map_by_t_sne_says_so_and_that_distances_mean_nothing(snapshot: Snapshot):
    customer_map = project_customers(snapshot, n_points=100, settings=MapSettings(method="tsne"))
    assert customer_map is not None
    with new_canvas() as canvas:
        draw_map(canvas, snapshot, describe_segments(snapshot), customer_map)
        texts = texts_on(canvas)
        assert crowded_texts(canvas) == []
    assert map_title(customer_map) == "Customers who behave alike lie close together"
    assert any("all 6 customers · t-SNE, perplexity 1.67, seed 0" in text for text in texts)
    assert "t-SNE: distances between groups and directions mean nothing" in texts


def test_map_says_when_it_is_a_sample(snapshot: Snapshot):
    customer_map = project_customers(snapshot, n_points=4)
    assert customer_map is not None
    with new_canvas() as canvas:
        draw_map(canvas, snapshot, describe_segments(snapshot), customer_map)
        assert any("a sample of 4 of 6 customers" in text for text in texts_on(canvas))


def test_texts_of_a_map_with_many_long_names_stay_apart(snapshot: Snapshot):
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    with new_canvas() as canvas:
        draw_map(canvas, snapshot, make_cards([(1 / 20, 1 / 20)] * 20, name=LONG), customer_map)
        assert crowded_texts(canvas) == []


def test_month_without_matrix_and_scores_has_the_segments_only(rfm_only: Snapshot):
    assert [slide.name for slide in render_slides(rfm_only, map_points=100)] == ["segments.png"]


def test_one_segment_gives_all_figures(one_segment: Snapshot):
    assert len(render_slides(one_segment, map_points=100)) == 3


def test_candidates_show_coverage_and_the_sample_they_were_scored_on(snapshot: Snapshot):
    board = snapshot.leaderboard.assign(score_sample_count=[6, 5], coverage=[1.0, 0.875])
    with new_canvas() as canvas:
        draw_candidates(canvas, dataclasses.replace(snapshot, leaderboard=board))
        texts = texts_on(canvas)
    assert {"K-means", "rank 1", "0.41", "0.90", "87.5%", "33.3%", "5", "RFM map", "−0.10", "–"} <= set(texts)


@pytest.mark.parametrize("count", [1, 4, 9])
def test_texts_of_the_candidates_stay_apart(snapshot: Snapshot, count: int):
    with new_canvas() as canvas:
        draw_candidates(canvas, dataclasses.replace(snapshot, leaderboard=make_board(count)))
        assert crowded_texts(canvas) == []


def test_candidates_title_says_who_ranks_first_or_that_nobody_does(snapshot: Snapshot):
    board = snapshot.leaderboard
    nobody = make_board(4).assign(passed_gates=False, rank=None)
    assert candidates_title(board) == ("K-means, the only algorithm tried, passes every gate with a silhouette of 0.41")
    assert candidates_title(make_board(4)) == "Candidate number 0 ranks first of 4 algorithms with a silhouette of 0.90"
    assert candidates_title(nobody) == "No candidate passed every gate: there is no usable clustering this month"
    assert candidates_title(board[board["is_baseline"]]) == (
        "No algorithm was tried this month; only the RFM map was scored"
    )


def test_importing_the_figures_does_not_import_matplotlib():
    program = "import sys, segmentation_assets.reporting.slides; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
