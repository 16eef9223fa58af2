"""The snapshot months as a partitions definition, and how inputs map onto them."""

import dagster as dg

from segmentation_assets.config.settings import CalendarSettings
from segmentation_assets.graph.months import next_month
from segmentation_assets.graph.node import Input, Node


def snapshot_partitions(calendar: CalendarSettings) -> dg.MonthlyPartitionsDefinition:
    """Make the months from the first snapshot on; open-ended unless the calendar names a last month."""
    last = calendar.last_month
    return dg.MonthlyPartitionsDefinition(
        start_date=f"{calendar.first_snapshot}-01", end_date=next_month(f"{last}-01") if last else None
    )


def dependency(node: Node, item: Input, *, is_partitioned_input: bool) -> dg.AssetDep:
    """Make the Dagster dependency of a node on one input."""
    key = dg.AssetKey.from_user_string(item.key)
    if not is_partitioned_input or not node.is_partitioned or item.window == "same":
        return dg.AssetDep(key)
    first, last = -item.months_back, 0 if item.window == "recent" else -item.months_back
    return dg.AssetDep(key, partition_mapping=dg.TimeWindowPartitionMapping(start_offset=first, end_offset=last))
