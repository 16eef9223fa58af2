from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from segmentation_assets.reporting.projection import project_customers
from segmentation_assets.reporting.snapshot import Snapshot


def test_coordinates_equal_scikit_learns_up_to_sign(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    values = snapshot.matrix.sort_values("customer_id").drop(columns="customer_id").to_numpy()
    model = PCA(n_components=2).fit(values)
    np.testing.assert_allclose(np.abs(customer_map.points[["x", "y"]]), np.abs(model.transform(values)), atol=1e-3)
    np.testing.assert_allclose(customer_map.variance_shares, model.explained_variance_ratio_)


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
    assert first.customer_count == 6
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
