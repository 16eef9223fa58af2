from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.figures import build_map_figure
from segmentation_assets.reporting.projection import MapFacts, project_customers, project_rows
from segmentation_assets.reporting.snapshot import Snapshot


def test_coordinates_equal_scikit_learns_up_to_sign(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    values = snapshot.matrix.sort_values("customer_id").drop(columns="customer_id").to_numpy()
    model = PCA(n_components=2).fit(values)
    np.testing.assert_allclose(np.abs(customer_map.points[["x", "y"]]), np.abs(model.transform(values)), atol=1e-3)
    np.testing.assert_allclose(customer_map.facts.variance_shares, model.explained_variance_ratio_)


def test_the_largest_weight_of_each_axis_is_positive(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    assert [axis[0][1] > 0 for axis in customer_map.loadings] == [True, True]
    assert customer_map.loadings[0][0][0] == "Orders"


def test_an_axis_tells_each_story_once(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    matrix = snapshot.matrix.assign(order_count_90d=snapshot.matrix["order_count"] * 0.9)
    customer_map = project_customers(change(matrix=matrix), n_points=100)
    assert customer_map is not None
    assert [label for label, _ in customer_map.loadings[0]] == ["Orders", "Days since last order"]


def test_points_carry_no_customer_id(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    assert sorted(customer_map.points.columns) == ["rfm_segment", "segment_key", "segment_name", "x", "y"]


def test_the_map_does_not_depend_on_the_order_of_rows(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    turned = change(
        matrix=snapshot.matrix.iloc[::-1], customer_segments=snapshot.customer_segments.sample(frac=1, random_state=0)
    )
    first, second = (project_customers(each, n_points=3) for each in (snapshot, turned))
    assert first is not None
    assert second is not None
    assert len(first.points) == 3
    assert first.facts.customer_count == 6
    pd.testing.assert_frame_equal(first.points, second.points)


@pytest.mark.parametrize(
    "matrix",
    [
        pd.DataFrame(),
        pd.DataFrame({"customer_id": ["C1", "C2"], "a": [1.0, 2.0], "b": [2.0, 1.0]}),
        pd.DataFrame({"customer_id": ["C1", "C2", "C3"], "a": [1.0, 2.0, 3.0]}),
        pd.DataFrame({"customer_id": ["C1", "C2", "C3"], "a": 1.0, "b": 2.0}),
    ],
    ids=["empty", "two customers", "one column", "no variance"],
)
def test_there_is_no_map_without_a_plane(change: Callable[..., Snapshot], matrix: pd.DataFrame) -> None:
    assert project_customers(change(matrix=matrix), n_points=100) is None


TSNE = MapSettings(method="tsne", tsne_customers=100, tsne_perplexity=5)


@pytest.fixture(scope="module")
def two_groups() -> np.ndarray:
    """Twenty rows around each of two points that lie 20 standard deviations apart."""
    rows = np.random.default_rng(3).normal(size=(40, 5))
    rows[20:] += 20 / np.sqrt(5)
    return rows


def test_t_sne_lays_out_a_seeded_sample_and_keeps_neighbours_together(two_groups: np.ndarray) -> None:
    plane = project_rows(two_groups, n_points=30, seed=7, settings=TSNE)
    assert plane is not None
    assert plane.facts == MapFacts(method="tsne", drawn_count=30, customer_count=40, seed=7, perplexity=5.0)
    assert len(set(plane.rows.tolist())) == 30
    group = plane.rows >= 20
    distances = np.linalg.norm(plane.points[:, None] - plane.points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (group[distances.argmin(axis=1)] == group).all()


def test_t_sne_is_the_same_by_the_same_seed_and_not_the_components(two_groups: np.ndarray) -> None:
    first, again, linear = (
        project_rows(two_groups, n_points=30, seed=7, settings=settings) for settings in (TSNE, TSNE, MapSettings())
    )
    assert first is not None
    assert again is not None
    assert linear is not None
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.rows, linear.rows)
    assert not np.allclose(first.points, linear.points, atol=0.1)


def test_t_sne_has_a_cap_of_its_own() -> None:
    rows = np.random.default_rng(3).normal(size=(101, 2))
    plane = project_rows(rows, n_points=5_000, seed=7, settings=TSNE)
    assert plane is not None
    assert (plane.facts.drawn_count, plane.points.shape) == (100, (100, 2))


def test_captions_say_what_a_map_is_and_what_it_is_not() -> None:
    linear = MapFacts(method="pca", drawn_count=1500, customer_count=15000, seed=7, variance_shares=(0.2, 0.1))
    assert (linear.sample, linear.method_words) == (
        "A random sample of 1,500 of 15,000 customers (seed 7)",
        "principal components (PCA) of 15,000 customers",
    )
    assert linear.title == "Map of 1,500 of 15,000 customers, PCA, seed 7"
    assert linear.reading.startswith("The two axes keep 30% of the differences between customers")
    embedded = MapFacts(method="tsne", drawn_count=8, customer_count=8, seed=7, perplexity=7 / 3)
    assert (embedded.sample, embedded.method_words) == (
        "All 8 customers",
        "t-SNE of 8 customers, perplexity 2.33, seed 7",
    )
    assert embedded.title == "Map of 8 customers, t-SNE, seed 7"
    assert "distances between groups, their sizes and the axes do not" in embedded.reading
    assert embedded.axis_titles[0] == "t-SNE: distances between groups and directions mean nothing"


def test_a_map_by_t_sne_has_no_words_for_its_axes(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100, settings=TSNE)
    assert customer_map is not None
    assert customer_map.loadings == ()
    layout = build_map_figure(customer_map)["layout"]
    assert layout["xaxis"]["title"]["text"] == "t-SNE: distances between groups and directions mean nothing"
