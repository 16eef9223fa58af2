import dataclasses
import datetime as dt
import hashlib

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.decisions import (
    Decision,
    append_decision,
    erased_hashes,
    erasure_subject,
    hash_erasures,
    read_decisions,
    suppressed_customers,
)

HEADER = "decided_on,kind,from_month,subject,value,decided_by\n"


def read(tmp_path, text):
    path = tmp_path / "decisions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_decisions(path)


def test_file_that_does_not_exist_means_no_decision(tmp_path):
    assert read_decisions(tmp_path / "decisions.csv").empty


def test_decisions_are_numbered_in_the_order_of_the_file(tmp_path):
    frame = read(
        tmp_path, HEADER + "2025-07-01,rename,2025-07,S002, Regulars ,Ana\n2025-06-15,rename,2025-06,S001,Top,Ana\n"
    )
    assert frame.to_dict("records") == [
        {
            "decision_number": 1,
            "decided_on": dt.date(2025, 7, 1),
            "kind": "rename",
            "from_month": "2025-07",
            "subject": "S002",
            "value": "Regulars",
            "decided_by": "Ana",
        },
        {
            "decision_number": 2,
            "decided_on": dt.date(2025, 6, 15),
            "kind": "rename",
            "from_month": "2025-06",
            "subject": "S001",
            "value": "Top",
            "decided_by": "Ana",
        },
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,what\n", "has the columns when, what"),
        ("", "has the columns none"),
        (HEADER + "2025-07-01,rename,2025-07,,Top,Ana\n", "row 1: subject is empty"),
        (
            HEADER + "2025-07-01,rename,2025-07,S001,Top,Ana\n2025-07-01,rename,2025-07,S001,Top\n",
            "row 2: 5 fields where the first line has 6",
        ),
        (
            HEADER + "2025-07-01,renam,2025-07,S001,Top,Ana\n",
            "row 1: kind 'renam' is not known\nHint: known kinds: promote",
        ),
        (
            HEADER + "1.7.2025,rename,2025-07,S001,Top,Ana\n",
            "row 1: decided_on '1.7.2025' is no date\nHint: write YYYY-MM-DD",
        ),
        (HEADER + "2025-07-01,rename,July,S001,Top,Ana\n", "row 1: from_month 'July' is no month\nHint: write YYYY-MM"),
        (HEADER.encode() + b"2025-07-01,rename,2025-07,S001,\xe9,Ana\n", "is not UTF-8"),
        (HEADER + "2025-07-01,rename,2025-07,S001,Top,Ana,more\n", "row 1: 7 fields where the first line has 6"),
    ],
)
def test_faulty_file_is_refused_with_row_column_and_value(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_erasures_name_customers_by_hash_and_their_order_does_not_matter(tmp_path):
    path = tmp_path / "decisions.csv"
    for customer in ("c1", "c2", "c1"):
        append_decision(path, dataclasses.replace(MADE, kind="erase", subject=erasure_subject(customer)))
    frame = read_decisions(path)
    assert erased_hashes(frame) == {hashlib.sha256(customer.encode()).hexdigest() for customer in ("c1", "c2")}
    assert hash_erasures(frame) == hash_erasures(frame[::-1]) != hash_erasures(frame[:1])
    assert "c1" not in path.read_text(encoding="utf-8").replace(erasure_subject("c1"), "")
    with pytest.raises(DataError, match="row 4: subject 'c3' of an erasure is no SHA-256"):
        append_decision(path, dataclasses.replace(MADE, kind="erase", subject="c3"))


MADE = Decision("2025-07-02", "suppress", "2025-06", "c,1", 'asked "not" to be written to', "Ana")


def test_a_decision_is_added_below_the_others_and_read_back(tmp_path):
    path = tmp_path / "decisions.csv"
    assert append_decision(path, MADE) == 1
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    assert append_decision(path, dataclasses.replace(MADE, subject="c2", from_month="2025-07")) == 2
    assert path.read_text(encoding="utf-8").startswith(HEADER)
    frame = read_decisions(path)
    assert frame[["subject", "value"]].to_numpy().tolist() == [["c,1", MADE.value], ["c2", MADE.value]]
    assert suppressed_customers(frame, "2025-06-01") == {"c,1"}
    assert suppressed_customers(frame, "2025-07-01") == {"c,1", "c2"}


def test_a_file_with_its_columns_in_another_order_is_added_to(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text("decided_by,value,subject,from_month,kind,decided_on\n", encoding="utf-8")
    append_decision(path, MADE)
    assert read_decisions(path).loc[0, "decided_by"] == "Ana"


@pytest.mark.parametrize("change", [{"value": " "}, {"kind": "forget"}, {"from_month": "2025"}])
def test_a_faulty_decision_is_refused_and_the_file_stays(tmp_path, change):
    path = tmp_path / "decisions.csv"
    append_decision(path, MADE)
    before = path.read_bytes()
    with pytest.raises(DataError, match="row 2"):
        append_decision(path, dataclasses.replace(MADE, **change))
    assert path.read_bytes() == before
