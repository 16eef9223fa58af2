"""Who moved between segments since the month before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.reporting.segment_cards import previous_counts, previous_month

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

NEW = ""
"""The from-key of customers that had no segment a month earlier."""


@dataclass(frozen=True)
class Movement:
    """Customers by segment a month earlier and segment now.

    Parameters
    ----------
    month_before : str
        The month before, YYYY-MM.
    counts : DataFrame
        Index: segment keys a month earlier, with `NEW` last; columns: segment keys now; values: customers.
    left : mapping of str to int
        Customers of each earlier segment that have no segment now.
    """

    month_before: str
    counts: pd.DataFrame
    left: dict[str, int]

    @property
    def new_count(self) -> int:
        """Customers without a segment a month earlier."""
        return int(self.counts.loc[NEW].sum()) if NEW in self.counts.index else 0

    @property
    def stayed_count(self) -> int:
        """Customers in the same segment as a month earlier."""
        same = [key for key in self.counts.index if key in self.counts.columns]
        return int(sum(self.counts.loc[key, key] for key in same))

    @property
    def moved_count(self) -> int:
        """Customers in another segment than a month earlier."""
        return int(self.counts.to_numpy().sum()) - self.new_count - self.stayed_count

    @property
    def left_count(self) -> int:
        """Customers that had a segment a month earlier and have none now."""
        return sum(self.left.values())

    @property
    def moved_share(self) -> float:
        """Share of customers with a segment in both months that changed it."""
        both = self.moved_count + self.stayed_count
        return self.moved_count / both if both else 0.0

    def largest_moves(self, n_moves: int) -> list[tuple[str, str, int]]:
        """Return the largest changes of segment as (from key, to key, customers), ties by key."""
        moves = [
            (str(source), str(target), int(self.counts.loc[source, target]))
            for source in self.counts.index
            for target in self.counts.columns
            if NEW != source != target
        ]
        return sorted((move for move in moves if move[2]), key=lambda move: (-move[2], move[0], move[1]))[:n_moves]


CAUSES = {
    "restatement": "data of the month before that changed since",
    "behaviour": "an order or a return",
    "ageing": "nothing but time",
    "model": "another model in force",
}
"""What moves customers, in words."""


@dataclass(frozen=True)
class CausedMoves:
    """Customers whom one cause moved to another place, with their net revenue of this month."""

    cause: str
    words: str
    customer_count: int
    revenue_amount: float


def moves_by_cause(flows: pd.DataFrame) -> tuple[CausedMoves, ...]:
    """Sum the moves of each cause.

    Parameters
    ----------
    flows : DataFrame
        ``gold/segment_flows``; may be empty.
    """
    if not len(flows):
        return ()
    moved = flows[flows["from_place"] != flows["to_place"]]
    return tuple(
        CausedMoves(
            cause,
            words,
            int(moved.loc[moved["step"] == cause, "customer_count"].sum()),
            float(moved.loc[moved["step"] == cause, "after_revenue_amount"].astype("float64").sum()),
        )
        for cause, words in CAUSES.items()
    )


def list_moves(migration: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """List the customers whose place changed, the most money first.

    Parameters
    ----------
    migration : DataFrame
        ``gold/segment_migration``.
    names : mapping of str to str
        Segment names by key, of this month and the one before.

    Returns
    -------
    DataFrame
        customer_id, direction, the places before and after with their names, cause, and net revenue of both months.
    """
    moved = migration[migration["before_place"] != migration["after_place"]]
    rows = moved.assign(
        before_name=[names.get(place, "") for place in moved["before_place"]],
        after_name=[names.get(place, "") for place in moved["after_place"]],
    )
    columns = [
        "customer_id",
        "direction",
        "before_place",
        "before_name",
        "after_place",
        "after_name",
        "cause",
        "before_revenue_amount",
        "after_revenue_amount",
    ]
    ordered = rows.sort_values(
        ["direction", "after_revenue_amount", "customer_id"], ascending=[True, False, True], ignore_index=True
    )
    return ordered[columns]


def count_movement(snapshot: Snapshot) -> Movement | None:
    """Count customers by earlier and present segment.

    Parameters
    ----------
    snapshot : Snapshot
        The month.

    Returns
    -------
    Movement or None
        None where no customer had a segment a month earlier.
    """
    rows = snapshot.assigned
    if not len(rows) or not rows["previous_segment_key"].notna().any():
        return None
    import pandas as pd

    source = rows["previous_segment_key"].fillna(NEW).astype(str)
    target = rows["segment_key"].astype(str)
    counts = pd.crosstab(source.to_numpy(), target.to_numpy())
    before = previous_counts(snapshot)
    earlier = sorted((set(counts.index) | set(before)) - {NEW})
    now = sorted(set(counts.columns) | set(snapshot.champion["segment_key"].astype(str)))
    order = [*earlier, NEW] if NEW in counts.index else earlier
    filled = counts.reindex(index=order, columns=now, fill_value=0).astype("int64")
    left = {key: max(0, count - int(filled.loc[key].sum())) for key, count in sorted(before.items())}
    return Movement(month_before=previous_month(snapshot.month), counts=filled, left=left)
