"""A file that vanishes or gets shorter is told of until its rows are back; one that only changed its name is not."""

from __future__ import annotations

import pytest

from segmentation_assets.ingestion.lost_rows import (
    FileRecord,
    Loss,
    changed_files,
    count_lost_rows,
    count_reverted_rows,
    describe_losses,
    kept_files,
    losses_now,
    not_withdrawn,
    record_files,
)
from segmentation_assets.storage.engine import Connection

BEFORE = {"a.csv": FileRecord("aa", 3), "b.csv": FileRecord("bb", 5)}


def test_file_has_the_rows_of_its_sheets() -> None:
    parts = {"a.xlsx[x]": 2, "a.xlsx[y]": 3, "a.xlsx.csv": 7}
    found = record_files({"a.xlsx": "aa", "a.xlsx[1].csv": "bb", "a.xlsx.csv": "cc"}, parts)
    assert (found["a.xlsx"], found["a.xlsx.csv"]) == (FileRecord("aa", 5), FileRecord("cc", 7))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (BEFORE, set()),
        ({"a.csv": FileRecord("aa", 3)}, {"b.csv"}),
        ({"a.csv": FileRecord("aa", 3), "moved.csv": FileRecord("bb", 5)}, set()),
        ({"a.csv": FileRecord("bb", 5), "b.csv": FileRecord("aa", 3)}, set()),
        ({"a.csv": FileRecord("a2", 4), "b.csv": FileRecord("b2", 5)}, {"a.csv", "b.csv"}),
        ({"a.csv": FileRecord("a2", 2), "b.csv": FileRecord("bb", 5)}, {"a.csv"}),
    ],
)
def test_only_files_whose_content_is_gone_count(now: dict[str, FileRecord], expected: set[str]) -> None:
    assert set(changed_files(BEFORE, now)) == expected


OLD = """(SELECT * FROM (VALUES ('a.csv', 'o1'), ('a.csv', 'o1'), ('a.csv', 'o2'), ('a.xlsx[s]', 'o3'), ('b.csv', 'o4'))
    AS t(source_file, order_id))"""


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("('c.csv', 'o1'), ('c.csv', 'o1'), ('d.csv', 'o2'), ('e.csv', 'o3')", {"a.csv": 0, "a.xlsx": 0}),
        ("('a.csv', 'o1'), ('e.csv', 'o3'), ('e.csv', 'o9')", {"a.csv": 2, "a.xlsx": 0}),
        ("('b.csv', 'o4')", {"a.csv": 3, "a.xlsx": 1}),
    ],
)
def test_rows_are_lost_where_no_file_holds_their_order(
    connection: Connection, now: str, expected: dict[str, int]
) -> None:
    relation = f"(SELECT * FROM (VALUES {now}) AS t(source_file, order_id))"
    assert count_lost_rows(connection, "order_lines", OLD, relation, {"a.csv": True, "a.xlsx": True}) == expected


def test_of_a_file_that_is_not_shorter_an_order_is_lost_as_a_whole(connection: Connection) -> None:
    relation = "(SELECT * FROM (VALUES ('a.csv', 'o1'), ('a.csv', 'o8'), ('a.csv', 'o9')) AS t(source_file, order_id))"
    assert count_lost_rows(connection, "order_lines", OLD, relation, {"a.csv": False}) == {"a.csv": 1}


def test_event_of_another_type_at_the_same_time_is_another_one(connection: Connection) -> None:
    events = "(SELECT * FROM (VALUES {}) AS t(source_file, customer_id, event_at, event_type))"
    visit, mail, plain = (
        "('a', 'C1', '2025-03-01', 'visit')",
        "('b', 'C1', '2025-03-01', 'mail')",
        "('b', 'C2', '', NULL)",
    )
    before = events.format(f"{visit}, {mail}, {plain}")
    kept = events.format(f"{visit}, {plain}")
    assert count_lost_rows(connection, "engagement_events", before, kept, {"b": True}) == {"b": 1}


VERSIONS = "(SELECT * FROM (VALUES {}) AS t(source_file, source_row, order_id, quantity))"


@pytest.mark.parametrize(
    ("now", "kept", "expected"),
    [
        ("('a.csv', 1, 'o1', 5)", ("a.csv",), {"fix.csv": 2}),
        ("('a.csv', 1, 'o1', 7), ('a.csv', 2, 'o1', 8)", ("a.csv",), {}),
        ("('new.csv', 1, 'o1', 5)", ("a.csv",), {}),
        ("('a.csv[s]', 1, 'o1', 5)", ("a.csv",), {"fix.csv": 2}),
        ("('a.csv', 1, 'o2', 5)", ("a.csv",), {}),
        ("('a.csv', 1, 'o1', 5)", (), {}),
    ],
)
def test_earlier_version_that_holds_again_is_counted(
    connection: Connection, now: str, kept: tuple[str, ...], expected: dict[str, int]
) -> None:
    before = VERSIONS.format("('fix.csv', 3, 'o1', 7), ('fix.csv', 4, 'o1', 8), ('other.csv', 5, 'o1', 9)")
    found = count_reverted_rows(connection, "order_lines", before, VERSIONS.format(now), ["fix.csv"], kept)
    assert found == expected


def test_files_are_kept_under_whatever_name() -> None:
    now = {"a2.csv": FileRecord("aa", 3), "b.csv": FileRecord("b2", 5)}
    assert kept_files(BEFORE, now) == ("a2.csv",)


def test_undone_correction_is_a_loss_though_no_row_is() -> None:
    changed = {"b.csv": BEFORE["b.csv"]}
    assert losses_now({}, changed, {"b.csv": 0}, {"b.csv": 2}, {}) == {"b.csv": Loss("bb", 5, 0, 0, 2)}


def test_loss_stays_until_the_rows_are_back() -> None:
    gone = losses_now({}, {"b.csv": BEFORE["b.csv"]}, {"b.csv": 4}, {}, {"a.csv": BEFORE["a.csv"]})
    assert gone == {"b.csv": Loss("bb", 5, 0, 4)}
    assert losses_now(gone, {}, {}, {}, {"a.csv": BEFORE["a.csv"]}) == gone
    part_back = losses_now(gone, {}, {}, {}, {"b.csv": FileRecord("b2", 2)})
    assert part_back == {"b.csv": Loss("bb", 5, 2, 4)}
    shorter = losses_now(part_back, {"b.csv": FileRecord("b2", 2)}, {"b.csv": 1}, {}, {"b.csv": FileRecord("b3", 1)})
    assert shorter == {"b.csv": Loss("bb", 5, 1, 5)}


@pytest.mark.parametrize("now", [{"b.csv": FileRecord("b2", 5)}, {"other.csv": FileRecord("bb", 5)}])
def test_loss_ends_when_the_rows_are_back(now: dict[str, FileRecord]) -> None:
    assert losses_now({"b.csv": Loss("bb", 5, 0, 4)}, {}, {}, {}, now) == {}


def test_file_whose_rows_other_files_hold_is_no_loss() -> None:
    assert losses_now({}, {"b.csv": BEFORE["b.csv"]}, {"b.csv": 0}, {}, {}) == {}


def test_losses_are_told_with_rows_before_and_now() -> None:
    losses = {"order_lines": {"a.csv": Loss("aa", 1200, 1000, 200)}, "customers": {"b.csv": Loss("bb", 4, 0, 1, 3)}}
    assert describe_losses(losses, ()) == (
        "Files lack rows that were delivered before: a.csv (1,200 rows before, 1,000 now; of those in "
        "raw/order_lines, 200 are in no file); b.csv (4 rows before, none now; of those in raw/customers, 1 are in no "
        "file, 3 have an earlier version again). Deliver them again, or name the file in source.withdrawn if it is "
        "meant to be so."
    )


def test_patterns_leave_losses_out_and_those_that_fit_none_are_told() -> None:
    losses = {"order_lines": {"a.csv": Loss("aa", 2, 0, 2), "b.csv": Loss("bb", 1, 0, 1)}}
    assert not_withdrawn(losses["order_lines"], ["a*"]) == {"b.csv": Loss("bb", 1, 0, 1)}
    told = describe_losses(losses, ["a*", "x.csv"])
    assert "b.csv (" in told
    assert "a.csv" not in told
    assert told.endswith(" Of source.withdrawn, x.csv fits no file that lost rows.")
    assert describe_losses(losses, ["*.csv"]).startswith("No rows of earlier deliveries are lost")
