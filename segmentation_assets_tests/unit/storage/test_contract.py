import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.storage.contract import check_contract
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.declaration import Column, Table

TABLE = Table(
    key="gold/example",
    row="a customer",
    primary_key=("customer_id",),
    columns=(
        Column(name="customer_id", dtype="VARCHAR", meaning="Customer."),
        Column(name="return_rate", dtype="DOUBLE", minimum=0, maximum=1, meaning="Rate."),
        Column(name="state", dtype="VARCHAR", allowed=("assigned", "too_new"), meaning="State."),
    ),
)
GOOD = pd.DataFrame(
    {"customer_id": ["a", "b", "c"], "return_rate": [0.0, 0.5, 1.0], "state": ["assigned", "assigned", "too_new"]}
)


def check(tmp_path, frame):
    path = tmp_path / "part.parquet"
    with Engine(EngineSettings(), tmp_path).connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT * FROM frame) TO '{path}' (FORMAT parquet)")
        return check_contract(connection, [path], TABLE)


def test_rows_that_keep_every_rule_pass(tmp_path):
    result = check(tmp_path, GOOD)
    assert result.passed
    assert result.row_count == 3
    assert "customer_id is unique" in result.rules


@pytest.mark.parametrize(
    ("column", "values", "rule", "sample"),
    [
        ("customer_id", ["a", None, "c"], "customer_id is not null", ["None"]),
        ("customer_id", ["a", "b", "b"], "customer_id is unique", ["b"]),
        ("return_rate", [0.0, -0.5, 1.0], "return_rate >= 0", ["b"]),
        ("return_rate", [0.0, 0.5, 1.5], "return_rate <= 1", ["c"]),
        ("state", ["assigned", "lost", "too_new"], "state is one of assigned, too_new", ["b"]),
    ],
)
def test_broken_rule_is_counted_with_a_sample(tmp_path, column, values, rule, sample):
    result = check(tmp_path, GOOD.assign(**{column: values}))
    assert result.violations == {rule: 1}
    assert result.samples == {rule: sample}
    assert f"{rule}: 1 row" in result.sentence("gold/example")


def test_infinite_number_breaks_the_contract(tmp_path):
    result = check(tmp_path, GOOD.assign(return_rate=[0.0, 0.5, float("inf")]))
    assert result.violations["return_rate is finite"] == 1


@pytest.mark.parametrize(
    "frame",
    [
        GOOD.drop(columns="state"),
        GOOD[["return_rate", "customer_id", "state"]],
        GOOD.assign(return_rate=["0", "1", "1"]),
    ],
)
def test_missing_swapped_or_retyped_column_breaks_the_schema(tmp_path, frame):
    assert list(check(tmp_path, frame).violations) == ["schema"]
