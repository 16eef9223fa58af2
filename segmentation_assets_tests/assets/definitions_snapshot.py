"""What Dagster is told, as text; `python -m segmentation_assets_tests.assets.definitions_snapshot` writes it anew.

Look at the difference before committing it: each line that changed is a change for users of the UI.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from segmentation_assets.config.loading import load_settings
from segmentation_assets.orchestration.build import build_defs

STORED = Path(__file__).with_name("definitions_snapshot.txt")


def describe() -> str:
    """Describe assets, jobs, schedules and sensors of the demo profile, a fact per line."""
    definitions = build_defs(load_settings(profile="demo").settings)
    graph = definitions.resolve_asset_graph()
    lines = [line for key in sorted(graph.get_all_asset_keys()) for line in _asset_lines(graph, key)]
    repository = definitions.get_repository_def()
    for job in sorted(repository.get_all_jobs(), key=lambda found: found.name):
        keys = sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys)
        lines.append(f"job {job.name}: {', '.join(keys) or 'no assets'}")
    for schedule in repository.schedule_defs:
        lines.append(f"schedule {schedule.name}: {schedule.cron_schedule} {schedule.job_name}")
    for sensor in sorted(repository.sensor_defs, key=lambda found: found.name):
        lines.append(f"sensor {sensor.name}: {sensor.default_status.value}")
    return "\n".join(lines) + "\n"


def _asset_lines(graph: dg.AssetGraph, key: dg.AssetKey) -> list[str]:
    node = graph.get(key)
    name = key.to_user_string()
    months = "by month" if node.is_partitioned else "whole"
    facts = [f"group {node.group_name}", months, *sorted(node.kinds), *sorted(node.owners)]
    facts += [f"{tag}={value}" for tag, value in sorted(node.tags.items()) if not tag.startswith("dagster/")]
    lines = [f"asset {name}: {', '.join(facts)}"]
    lines += [f"  from {_dependency(graph, key, parent)}" for parent in sorted(node.parent_keys)]
    lines += [f"  check {check.name}" for check in sorted(node.check_keys)]
    return lines


def _dependency(graph: dg.AssetGraph, key: dg.AssetKey, parent: dg.AssetKey) -> str:
    mapping = graph.get(key).partition_mappings.get(parent)
    return f"{parent.to_user_string()} {_months(mapping)}".rstrip()


def _months(mapping: dg.PartitionMapping | None) -> str:
    if isinstance(mapping, dg.TimeWindowPartitionMapping):
        return f"months {mapping.start_offset} to {mapping.end_offset}"
    return ""


if __name__ == "__main__":
    STORED.write_text(describe(), encoding="utf-8")
