from __future__ import annotations

import numpy as np
import pytest

from segmentation_assets.reporting.palette import (
    SEGMENT_COLOURS,
    UNKNOWN_COLOUR,
    segment_colour,
    segment_number,
    segment_symbol,
)

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def linear_rgb(colours: tuple[str, ...]) -> np.ndarray:
    values = np.array([[int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)] for colour in colours])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB, D65."""
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(rgb, 0, 1) @ matrix.T / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("count", "least"), [(8, 18), (12, 13)])
def test_all_colours_stay_apart_and_the_first_eight_clearly(vision: str, count: int, least: float) -> None:
    lab = to_lab(linear_rgb(SEGMENT_COLOURS[:count]) @ VISIONS[vision].T)
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 1e6 * np.eye(count)
    assert distances.min() > least


@pytest.mark.parametrize(("ground", "least"), [("#ffffff", 2.1), ("#171c23", 2.5)])
def test_every_colour_is_visible_on_light_and_dark(ground: str, least: float) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    colours = linear_rgb(SEGMENT_COLOURS) @ weights + 0.05
    behind = float(linear_rgb((ground,))[0] @ weights) + 0.05
    assert (np.maximum(colours, behind) / np.minimum(colours, behind)).min() >= least


def test_a_key_has_its_colour_by_its_number_alone() -> None:
    assert segment_colour("S003") == SEGMENT_COLOURS[2] == segment_colour("S3")


def test_keys_of_the_same_colour_differ_by_symbol() -> None:
    assert segment_colour("S001") == segment_colour("S013")
    assert segment_symbol("S001") != segment_symbol("S013")


def test_a_key_without_number_is_grey() -> None:
    assert segment_number("other") == 0
    assert segment_colour("other") == UNKNOWN_COLOUR
