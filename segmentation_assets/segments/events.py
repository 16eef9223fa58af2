"""What a promotion meant for the segments, as rows with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.segments.identity import BORN, KEPT, MERGED, RETIRED, SPLIT, SegmentEvent
from segmentation_assets.tables.gold import SEGMENT_EVENTS
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import pandas as pd


def describe_events(
    events: Sequence[SegmentEvent], names_before: Mapping[str, str], names_after: Mapping[str, str]
) -> pd.DataFrame:
    """Write events as rows.

    Parameters
    ----------
    events : sequence of SegmentEvent
    names_before, names_after : mapping of str to str
        Names by key, of the former and of the promoted model.

    Returns
    -------
    DataFrame
        Columns of ``gold/segment_events``, by key.
    """
    import pandas as pd

    names = {**names_before, **names_after}
    rows = [
        {
            "segment_key": event.segment_key,
            "event": event.event,
            "related_segment_key": event.related_key,
            "before_count": event.overlap.before,
            "after_count": event.overlap.after,
            "both_count": event.overlap.both,
            "share_of_before": round_number(event.overlap.share_of_before),
            "share_of_after": round_number(event.overlap.share_of_after),
            "centre_distance": event.overlap.distance,
            "explanation": _explain(event, names),
        }
        for event in events
    ]
    return pd.DataFrame(rows, columns=list(SEGMENT_EVENTS.column_names))


def _explain(event: SegmentEvent, names: Mapping[str, str]) -> str:
    overlap, name = event.overlap, _named(event.segment_key, names)
    if event.event == KEPT:
        return (
            f"{name} goes on: {overlap.both:,} of its {overlap.before:,} customers ({overlap.share_of_before:.0%}) are "
            f"in it again, of {overlap.after:,} ({overlap.share_of_after:.0%})."
        )
    related = _named(event.related_key, names) if event.related_key else ""
    before, after = f"{overlap.before:,} customers", f"{overlap.after:,} customers"
    told = {
        SPLIT: f"{name} is new: {overlap.both:,} of its {after} ({overlap.share_of_after:.0%}) were in {related}.",
        MERGED: f"{name} ended: {overlap.both:,} of its {before} ({overlap.share_of_before:.0%}) are in {related}.",
        BORN: f"{name} is new, with {after}, of whom no former segment had half.",
        RETIRED: f"{name} ended: its {before} went apart, half of them to no one segment.",
    }
    return told[event.event]


def _named(key: str, names: Mapping[str, str]) -> str:
    return f"{key} ({names[key]})" if key in names else key
