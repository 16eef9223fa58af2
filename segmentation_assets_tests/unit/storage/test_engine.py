import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError
from segmentation_assets.storage.engine import (
    Engine,
    content_hash,
    parquet_scan,
    quote_identifier,
    quote_text,
    read_frame,
    write_frame,
)
from segmentation_assets.tables.declaration import Column, Table

TABLE = Table(
    key="silver/example",
    row="a customer",
    primary_key=("customer_id",),
    columns=(
        Column(name="customer_id", dtype="VARCHAR", meaning="Customer."),
        Column(name="spend_amount", dtype="DECIMAL(18,2)", unit="currency", meaning="Money."),
        Column(name="note", dtype="VARCHAR", nullable=True, null_rule="none", meaning="A note."),
    ),
)

ROWS = pd.DataFrame({"note": [None, None, None], "customer_id": ["c", "a", "b"], "spend_amount": [1.5, 2.25, -3.0]})


@pytest.fixture
def connection(tmp_path):
    with Engine(EngineSettings(threads=1), tmp_path).connect() as opened:
        yield opened


def test_frame_is_stored_with_declared_types_order_and_sorting(connection, tmp_path):
    write_frame(connection, ROWS, TABLE, tmp_path / "part.parquet")
    described = connection.execute(f"DESCRIBE SELECT * FROM {parquet_scan([tmp_path / 'part.parquet'])}").fetchall()
    assert [row[:2] for row in described] == [
        ("customer_id", "VARCHAR"),
        ("spend_amount", "DECIMAL(18,2)"),
        ("note", "VARCHAR"),
    ]
    assert read_frame(connection, [tmp_path / "part.parquet"])["customer_id"].tolist() == ["a", "b", "c"]


def test_frame_without_a_declared_column_is_refused(connection, tmp_path):
    with pytest.raises(DataError, match="silver/example: the frame lacks the declared columns note"):
        write_frame(connection, ROWS.drop(columns="note"), TABLE, tmp_path / "part.parquet")


def test_content_hash_ignores_row_order_but_not_values(connection):
    rows = "(VALUES (1, 'a'), (2, 'b'), (2, 'b')) t(n, s)"
    shuffled = "(VALUES (2, 'b'), (1, 'a'), (2, 'b')) t(n, s)"
    assert content_hash(connection, rows) == content_hash(connection, shuffled)
    for other in (
        "(VALUES (1, 'a'), (2, 'b')) t(n, s)",
        "(VALUES (1, 'a'), (2, 'b'), (2, 'c')) t(n, s)",
        "(VALUES (1, 'a'), (2, 'b'), (2, NULL)) t(n, s)",
        "(VALUES (1, 'a'), (2, 'b'), (2, 'b')) t(n, other)",
        "(VALUES (1::BIGINT, 'a'), (2, 'b'), (2, 'b')) t(n, s)",
    ):
        assert content_hash(connection, other) != content_hash(connection, rows)


def test_content_hash_tells_null_from_text_and_columns_apart(connection):
    assert content_hash(connection, "(SELECT NULL::VARCHAR a, 'x' b)") != content_hash(
        connection, "(SELECT 'x' a, NULL::VARCHAR b)"
    )
    assert content_hash(connection, "(SELECT '' a)") != content_hash(connection, "(SELECT NULL::VARCHAR a)")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(SELECT 'a' || chr(31) || 'b' a, 'c' b)", "(SELECT 'a' a, 'b' || chr(31) || 'c' b)"),
        ("(SELECT 'a,1:b' a, 'c' b)", "(SELECT 'a' a, 'b,1:c' b)"),
        ("(SELECT 'null' a)", "(SELECT NULL::VARCHAR a)"),
        ("(SELECT chr(30) a)", "(SELECT NULL::VARCHAR a)"),
    ],
)
def test_content_hash_is_not_fooled_by_separators_inside_values(connection, one, other):
    assert content_hash(connection, one) != content_hash(connection, other)


def test_quoting_keeps_hostile_names_and_texts_inert(connection):
    name, text = 'a"; DROP TABLE t; --', "it's '; DROP TABLE t; --"
    found = connection.execute(f"SELECT {quote_text(text)} AS {quote_identifier(name)}").df()
    assert found.to_dict("list") == {name: [text]}


def test_reading_no_file_is_refused():
    with pytest.raises(DataError, match="at least one Parquet file"):
        parquet_scan([])


def test_connection_is_closed_and_leaves_no_spill_folder_when_the_block_raises(tmp_path):
    engine = Engine(EngineSettings(), tmp_path)
    with pytest.raises(ZeroDivisionError), engine.connect() as opened:
        raise ZeroDivisionError
    with pytest.raises(Exception, match="closed"):
        opened.execute("SELECT 1")
    assert list(tmp_path.iterdir()) == []
