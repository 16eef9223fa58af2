"""What Dagster shows of an asset: figures of a materialisation, check results, column schema."""

from typing import Any

import dagster as dg

from segmentation_assets.graph.node import Node
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.storage.manifest import CheckRecord, Manifest
from segmentation_assets.tables.declaration import Table


def materialize_result(node: Node, outcome: StepOutcome) -> dg.MaterializeResult[Any]:
    """Tell Dagster of a step that ended well: data version, figures and check results."""
    manifest = outcome.manifest
    return dg.MaterializeResult(
        asset_key=node.key.split("/"),
        metadata=_metadata(manifest, outcome),
        check_results=[check_result(node, check) for check in manifest.checks],
        data_version=dg.DataVersion(manifest.content_hash),
    )


def _metadata(manifest: Manifest, outcome: StepOutcome) -> dict[str, Any]:
    return {
        "dagster/row_count": manifest.row_count,
        **{name: _metadata_value(value) for name, value in manifest.metadata.items() if value is not None},
        "kept": outcome.kept,
        "why_computed": "; ".join(outcome.reasons[:10]) or "nothing it rests on changed",
        "files": [file.path for file in manifest.files][:50],
        "cpu_seconds": round(outcome.cost.cpu_seconds, 3),
    }


def _metadata_value(value: Any) -> Any:
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else value


def check_result(node: Node, check: CheckRecord) -> dg.AssetCheckResult:
    """Tell Dagster of one check."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR if check.is_blocking else dg.AssetCheckSeverity.WARN,
        asset_key=node.key.split("/"),
        description=check.description,
        metadata={name: _metadata_value(value) for name, value in check.metadata.items() if value is not None},
    )


def column_schema(table: Table) -> dg.TableSchema:
    """Show a declared table as a Dagster schema."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.dtype,
                description=f"{column.meaning}{f' [{column.unit}]' if column.unit else ''}",
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )
