"""Any few files with any overlap: what is stored is what a plain reading of the rules says, and everything adds up."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation_assets.config.source import EngagementEventsTable
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter

EVENTS = EngagementEventsTable(
    files=("*.csv",), columns={"customer_id": "id", "event_at": "at"}, date_format="%Y-%m-%d"
)
few = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Place = tuple[str, int]


class Line(NamedTuple):
    """An order line of a test; price x cannot be read."""

    order: str
    product: str
    price: str

    def text(self) -> str:
        """Write the line as in a CSV file."""
        return f"{self.order},2025-03-05 10:00:00,C1,{self.product},1,{self.price}"


lines = st.builds(Line, st.sampled_from(["O2", "O3"]), st.sampled_from(["P1", "P2"]), st.sampled_from(["1", "2", "x"]))
deliveries = st.lists(st.lists(lines, min_size=1, max_size=5), min_size=1, max_size=4)
days = st.lists(st.lists(st.sampled_from(["2025-03-05", "2025-04-06"]), min_size=1, max_size=4), min_size=1, max_size=4)


@pytest.fixture
def counters(counter: Counter) -> Iterator[Counter]:
    """Counters with folders of their own."""

    def make() -> Iterator[Counter]:
        for number in count():
            folder = counter.folder / str(number)
            folder.mkdir()
            yield replace(counter, folder=folder, staging=folder / "staging")

    return make()


def held_places(files: list[list[Line]], rule: str) -> set[Place]:
    """Where the lines that count stand, order by order and file by file."""
    held: dict[str, list[Place]] = {}
    latest: dict[str, Multiset[Line]] = {}
    for number, file in enumerate(files, start=1):
        for order in {line.order for line in file if line.price != "x"}:
            rows = [row for row, line in enumerate(file, start=1) if line.order == order and line.price != "x"]
            content = Multiset(file[row - 1] for row in rows)
            if order not in held or (rule == "replace" and content != latest[order]):
                held[order] = [(f"{number}.csv", row) for row in rows]
            latest[order] = content
    return {place for places in held.values() for place in places}


@few
@given(deliveries, st.sampled_from(["replace", "ignore"]))
def test_orders_are_held_by_the_rule_and_add_up(
    counters: Iterator[Counter], files: list[list[Line]], rule: str
) -> None:
    counter = next(counters)
    counter.hand_in("0.csv", LINE)
    for number, file in enumerate(files, start=1):
        counter.hand_in(f"{number}.csv", *(line.text() for line in file))

    outcome = counter.ingest(redelivery=rule)

    assert set(outcome.rows("source_file", "source_row")) == {("0.csv", 1)} | held_places(files, rule)
    assert reconcile_delivery(outcome.ingested).passed
    assert len(outcome.quarantine()) == sum(outcome.ingested.quarantine_counts.values())


@few
@given(days)
def test_as_many_equal_events_are_stored_as_the_file_with_most_of_them_has(
    counters: Iterator[Counter], files: list[list[str]]
) -> None:
    counter = next(counters)
    for number, file in enumerate(files, start=1):
        counter.hand_in(f"{number}.csv", *(f"A,{day}" for day in file), header="id,at")
    most: Multiset[str] = Multiset()
    for file in files:
        most |= Multiset(file)

    outcome = counter.ingest(EVENTS)

    assert Multiset(day for (day,) in outcome.rows("strftime(event_at, '%Y-%m-%d')")) == most
    assert reconcile_delivery(outcome.ingested).passed
