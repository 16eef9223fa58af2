"""Pictures of a search: their size, their titles, and that they are the same every time."""

import io

import pytest
from PIL import Image

from segmentation_assets.prediction.tuning_patch import TuningBasis
from segmentation_assets.prediction.tuning_scores import FoldScores, Tried, judge_trials
from segmentation_assets.prediction.tuning_space import Draw
from segmentation_assets.reporting import tuning_figures
from segmentation_assets.reporting.tuning_figures import draw_history, draw_importance

BASIS = TuningBasis("kmeans", "2025-08", "silhouette × agreement", "240 customers", 2, 40, 7)


def trial(number, score, reason=""):
    facts = {"coverage": 0.97}
    return Tried(number, Draw({"k": number}, {}), FoldScores((score - 0.01, score + 0.01), facts, reason))


MIXED = [trial(1, 0.5), trial(2, 0.62), trial(3, 0.9, "coverage 2.0%"), *[trial(n, 0.4) for n in range(4, 40)]]
MIXED += [trial(40, -3.0)]
REFUSED = [trial(1, 0.5, "one cluster"), trial(2, 0.5, "a reason that goes on and on " * 20)]


@pytest.fixture
def titles(monkeypatch):
    """Titles, subtitles and feet of the pages that are drawn."""
    told = []
    frame = tuning_figures.draw_frame
    monkeypatch.setattr(
        tuning_figures, "draw_frame", lambda canvas, *texts: (told.append(texts), frame(canvas, *texts))[1]
    )
    return told


@pytest.mark.parametrize(
    ("tried", "title", "foot"),
    [
        (MIXED, "Trial 2 beats the settings in force: 0.6200 against 0.5000", "40 trials, 1 of them not usable. "),
        (MIXED[:1], "No trial beats the settings in force, 0.5000", "1 trial. Bars and band: "),
        (
            [trial(1, 0.5), trial(2, 0.505)],
            "No trial is clearly better than the settings in force: 0.5050",
            "2 trials.",
        ),
        (REFUSED, "No settings that were tried can be used", "2 trials, with the most frequent reasons"),
        ([*REFUSED, trial(3, 0.2)], "Trial 3 reaches 0.2000; the settings in force cannot be used", "3 trials, 2 of"),
    ],
)
def test_the_title_of_the_history_says_the_finding(tried, title, foot, titles):
    png = draw_history(tried, judge_trials(tried), BASIS)
    with Image.open(io.BytesIO(png)) as page:
        assert page.size == (1920, 1080)
    ((shown, subtitle, below),) = titles
    assert shown.startswith(title)
    assert subtitle == "kmeans, 2025-08: silhouette × agreement by 2 folds on 240 customers"
    assert below.startswith(foot)


def test_coverage_stands_beside_the_scores(titles):
    draw_history(MIXED, judge_trials(MIXED), BASIS)
    assert "Coverage of the best 97.0%." in titles[0][2]


@pytest.mark.parametrize(
    ("importance", "title"),
    [
        (
            {"random_forest.max_depth": 0.8, "max_features": 0.2},
            "max_depth mattered most, 80% of what settings explain",
        ),
        ({"k": 1.0}, "k mattered most, 100% of what settings explain"),
        ({"a": 0.4, "b": 0.35, "c": 0.25}, "No setting stands out"),
        ({}, "Too few trials to say which setting matters"),
    ],
)
def test_the_title_of_the_importance_says_the_finding(importance, title, titles):
    png = draw_importance(importance, MIXED if importance else [], BASIS)
    assert titles[0][0] == title
    assert png == draw_importance(importance, MIXED if importance else [], BASIS)
