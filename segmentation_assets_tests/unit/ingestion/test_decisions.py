import datetime as dt

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.decisions import read_decisions

HEADER = "decided_on,kind,segment_key,value,decided_by\n"


def read(tmp_path, text):
    path = tmp_path / "decisions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_decisions(path)


def test_file_that_does_not_exist_means_no_decision(tmp_path):
    assert read_decisions(tmp_path / "decisions.csv").empty


def test_decisions_are_numbered_in_the_order_of_the_file(tmp_path):
    frame = read(tmp_path, HEADER + "2025-07-01,rename,S002, Regulars ,Ana\n2025-06-15,rename,S001,Top,Ana\n")
    assert frame.to_dict("records") == [
        {
            "decision_number": 1,
            "decided_on": dt.date(2025, 7, 1),
            "kind": "rename",
            "segment_key": "S002",
            "value": "Regulars",
            "decided_by": "Ana",
        },
        {
            "decision_number": 2,
            "decided_on": dt.date(2025, 6, 15),
            "kind": "rename",
            "segment_key": "S001",
            "value": "Top",
            "decided_by": "Ana",
        },
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,what\n", "has the columns when, what"),
        ("", "has the columns none"),
        (HEADER + "2025-07-01,rename,,Top,Ana\n", "row 1: segment_key is empty"),
        (
            HEADER + "2025-07-01,rename,S001,Top,Ana\n2025-07-01,rename,S001,Top\n",
            "row 2: 4 fields where the first line has 5",
        ),
        (HEADER + "2025-07-01,renam,S001,Top,Ana\n", "row 1: kind 'renam' is not known\nHint: known kinds: rename"),
        (HEADER + "1.7.2025,rename,S001,Top,Ana\n", "row 1: decided_on '1.7.2025' is no date\nHint: write YYYY-MM-DD"),
        (HEADER.encode() + b"2025-07-01,rename,S001,\xe9,Ana\n", "is not UTF-8"),
        (HEADER + "2025-07-01,rename,S001,Top,Ana,more\n", "row 1: 6 fields where the first line has 5"),
    ],
)
def test_faulty_file_is_refused_with_row_column_and_value(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)
