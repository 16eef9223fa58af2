"""What Dagster shows of an asset: figures of a materialisation, files, pictures, check results."""

import base64
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg

from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.tracked import customers_of, parameters_of
from segmentation_assets.monitoring.making import noted_making
from segmentation_assets.monitoring.tracked_steps import data_hash, is_tracked, seed_of
from segmentation_assets.orchestration.assets.outputs import THUMBNAILS
from segmentation_assets.orchestration.columns import lineage_metadata
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.preview import as_table, table_preview
from segmentation_assets.storage.manifest import CheckRecord, Manifest

MOST_LINKS = 12
"""Files that are linked one by one; of more, only their folder is."""

Metadata = dict[str, Any]


def materialize_result(platform: Platform, node: Node, outcome: StepOutcome) -> dg.MaterializeResult[Any]:
    """Tell Dagster of a step that ended well: data version, figures and check results.

    All but `kept` and `why_computed` comes from what is stored, so a kept step shows what the computed one did: its
    seconds and versions too.
    """
    manifest = outcome.manifest
    return dg.MaterializeResult(
        asset_key=node.key.split("/"),
        metadata={
            **_size(platform, node, manifest),
            **_shown(manifest.metadata),
            **_links(platform.store.root.absolute(), node, manifest),
            "kept": outcome.kept,
            "why_computed": "; ".join(outcome.reasons[:10]) or "nothing it rests on changed",
            **_shown(_making(platform, node, manifest)),
            **lineage_metadata(platform, node, manifest.metadata.get("columns", ())),
            **_shown({"made_by_hand": manifest.by_hand or None}),
        },
        check_results=[check_result(node, check) for check in manifest.checks],
        data_version=dg.DataVersion(manifest.content_hash),
    )


def _size(platform: Platform, node: Node, manifest: Manifest) -> Metadata:
    """Rows, columns and first rows of a table; number of files for people."""
    if node.storage == "files":
        files = [file for file in manifest.files if not _is_thumbnail(file.path)]
        return {"file_count": len(files), "megabytes": round(sum(file.size_bytes for file in files) / 1e6, 3)}
    table = declared_table(platform, node)
    figures: Metadata = {"dagster/row_count": manifest.row_count}
    if node.is_partitioned:
        figures["dagster/partition_row_count"] = manifest.row_count
    if table.primary_key == ("customer_id",):
        figures["customers"] = manifest.row_count
    delivered = manifest.metadata.get("delivered_rows")
    if delivered:
        figures["quarantined_share"] = round(manifest.metadata["quarantined_rows"] / delivered, 6)
    return figures | table_preview(platform.store, manifest, table)


def _making(platform: Platform, node: Node, manifest: Manifest) -> Metadata:
    """What the computation took; of a model or a clustering also what it was made with and from."""
    making = noted_making(platform.data_dir, manifest)
    spent: Metadata = {} if making is None else asdict(making.cost)
    spent = {name: value if value is None else round(value, 3) for name, value in spent.items()}
    if not is_tracked(node.key):
        return spent
    parameters = parameters_of(platform, node, manifest)
    return spent | {
        "customer_count": customers_of(platform, node, manifest),
        "seed": seed_of(parameters),
        "parameters": parameters or None,
        "data_hash": data_hash(manifest.inputs),
        "data_hashes": manifest.inputs,
        "packages": None if making is None else making.packages,
    }


def _shown(figures: Metadata) -> Metadata:
    """Make figures showable; what is not known is left out, as a gap in a plot says more than a zero."""
    return {name: _metadata_value(value) for name, value in figures.items() if _is_known(value)}


def _is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _metadata_value(value: Any) -> Any:
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else value


def _links(root: Path, node: Node, manifest: Manifest) -> Metadata:
    """Where the files lie: each file for people by its name; of a table its folder, and that of its model."""
    if node.storage != "files":
        return _table_links(root, manifest)
    files = [root / file.path for file in manifest.files]
    shown = [path for path in files if not _is_thumbnail(str(path))]
    if len(shown) > MOST_LINKS:
        return {f"folder {name}": dg.MetadataValue.path(name) for name in sorted({str(path.parent) for path in shown})}
    pages = {f"{path.name} as address": dg.MetadataValue.url(path.as_uri()) for path in shown if path.suffix == ".html"}
    pictures = {f"picture of {path.stem}": picture(path) for path in files if _is_thumbnail(str(path))}
    return {path.name: dg.MetadataValue.path(path) for path in shown} | pages | _shown(pictures)


def _table_links(root: Path, manifest: Manifest) -> Metadata:
    own = f"tables/{manifest.key}/"
    folders = {"/".join(file.path.split("/")[:-1]) for file in manifest.files if not file.path.startswith(own)}
    models = {f"model {Path(folder).parent.name}": dg.MetadataValue.path(root / folder) for folder in sorted(folders)}
    first = next((file.path for file in manifest.files if file.path.startswith(own)), f"{own}x")
    return {"folder": dg.MetadataValue.path((root / first).parent), **models}


def _is_thumbnail(path: str) -> bool:
    return Path(path).parent.name == THUMBNAILS


def picture(path: Path) -> dg.MarkdownMetadataValue | None:
    """Show a stored PNG inside the UI; None where it is gone."""
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return None
    return dg.MetadataValue.md(f"![{path.stem}](data:image/png;base64,{content})")


def check_result(node: Node, check: CheckRecord) -> dg.AssetCheckResult:
    """Tell Dagster of one check."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR if check.is_blocking else dg.AssetCheckSeverity.WARN,
        asset_key=node.key.split("/"),
        description=check.description,
        metadata=_check_metadata(check.metadata),
    )


def _check_metadata(found: Metadata) -> Metadata:
    """Show broken rules and comparisons as tables, everything else as it is."""
    figures = dict(found)
    shown: Metadata = {}
    if "rules" in figures:
        violations, samples = figures.pop("violations", {}), figures.pop("samples", {})
        shown = {
            "rows_checked": figures.pop("row_count", None),
            "rules_checked": len(figures["rules"]),
            "rules_broken": len(violations),
        }
        if violations:
            shown["broken_rules"] = _broken_rules(violations, samples)
    if "comparison" in figures:
        shown["comparison"] = _comparison(figures.pop("comparison"))
    return _shown(shown | figures)


def _broken_rules(violations: dict[str, int], samples: dict[str, list[str]]) -> dg.TableMetadataValue:
    rows = [
        {"rule": rule, "rows_that_break_it": count, "sample_ids": ", ".join(samples.get(rule, []))}
        for rule, count in violations.items()
    ]
    return as_table({"rule": "string", "rows_that_break_it": "int", "sample_ids": "string"}, rows, characters=200)


def _comparison(comparison: list[list[Any]]) -> dg.TableMetadataValue:
    rows = [
        {"measure": measure, "expected": expected, "found": found, "difference": round(found - expected, 4)}
        for measure, expected, found in comparison
    ]
    return as_table({"measure": "string", "expected": "float", "found": "float", "difference": "float"}, rows)
