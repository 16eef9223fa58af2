"""Bodies of the source layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.closed_months import RESTATED_FROM
from segmentation_assets.graph.inputs import delivered_files, required_manifest
from segmentation_assets.ingestion.crosswalk import read_crosswalk
from segmentation_assets.ingestion.decisions import (
    DECISIONS_FILE,
    ERASURES,
    SUPPRESSIONS,
    hash_erasures,
    hash_suppressions,
    read_decisions,
)
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.mapping import copy_name
from segmentation_assets.ingestion.postgres import copy_tables
from segmentation_assets.orchestration.step import PART, Step
from segmentation_assets.storage.engine import write_frame
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.synthetic.delivery import write_delivery
from segmentation_assets.synthetic.people import faker_version
from segmentation_assets.synthetic.shop import open_business
from segmentation_assets.tables.raw import CROSSWALK, DECISIONS, DELIVERY, RAW_TABLES


def synthetic_retail(step: Step) -> None:
    """Make the shop month by month and deliver its files; the truth goes to a folder of its own."""
    settings = step.platform.settings
    written = write_delivery(
        step.connection, open_business(settings.synthetic, settings.currency), step.stage, step.stage
    )
    for folder, paths in (("delivery", written.delivered), ("ground_truth", written.truth)):
        for path in paths:
            step.deliver(path.name, f"synthetic/{folder}/{path.name}")
    step.metadata |= {
        **{table: written.row_counts[table] for table in ("customers", "products", "order_lines")},
        "customers_yet_to_register": settings.synthetic.customers - written.row_counts["customers"],
        "profile": settings.synthetic.profile,
        "seed": settings.synthetic.seed,
        **({"planted_faults": written.fault_counts} if written.fault_counts else {}),
        **({"faker_version": faker_version()} if settings.synthetic.personal_data else {}),
    }


def postgres(step: Step) -> None:
    """Copy the mapped tables of the server, all as of one moment."""
    settings = step.platform.settings
    mapped = {name: getattr(settings.source, name) for name in RAW_TABLES if getattr(settings.source, name) is not None}
    targets = {
        RAW_TABLES[name].key: step.deliver(copy_name(name), f"postgres/delivery/{copy_name(name)}") for name in mapped
    }
    rows = copy_tables(
        step.connection,
        settings.source.postgres,
        [(RAW_TABLES[name], mapping) for name, mapping in mapped.items()],
        targets,
        settings.source.time_zone,
    )
    step.metadata |= {"table_rows": rows}


def delivery(step: Step) -> None:
    """List the delivered files with their hashes; a file that was listed before stays the original of its copies."""
    import pandas as pd

    stored = step.platform.store.manifest(step.node.key)
    listed = sorted(stored.slices) if stored is not None and step.platform.store.is_intact(stored) else []
    files = delivered_files(step.platform, listed_files(step, listed) if listed else ())
    step.tables[""] = DELIVERY
    for table, rows in pd.DataFrame([asdict(file) for file in files]).groupby("table_name"):
        (step.stage / str(table)).mkdir()
        write_frame(step.connection, rows, DELIVERY, step.stage / str(table) / PART)
    step.metadata |= {"files": len(files), "megabytes": round(sum(file.size_bytes for file in files) / 1e6, 3)}


def listed_files(step: Step, tables: Sequence[str]) -> tuple[DeliveredFile, ...]:
    """Read the stored listing of some delivered tables, each in delivery order."""
    listed = step.connection.execute(
        "SELECT table_name, file_name, file_index, size_bytes, sha256 FROM "
        f"{step.slices_relation('source/delivery', tables)} ORDER BY table_name, file_index"
    ).fetchall()
    return tuple(DeliveredFile(*row) for row in listed)


def crosswalk(step: Step) -> None:
    """Read the crosswalk and check it against the delivered files."""
    path = step.platform.settings.population.crosswalk
    if path is None:
        raise SettingsError("population.crosswalk is not set", "name the file.")
    files = step.slices_relation(
        "source/delivery", sorted(required_manifest(step.platform, "source/delivery", WHOLE).slices)
    )
    step.write_sql(f"SELECT * FROM {read_crosswalk(step.connection, path, files)}", CROSSWALK)


def decisions(step: Step) -> None:
    """Read the decisions from outside."""
    frame = read_decisions(step.platform.data_dir / DECISIONS_FILE)
    step.write_frame(frame, DECISIONS)
    restated = frame.loc[frame["kind"] == "restate", "from_month"]
    step.metadata |= {"decisions": len(frame), RESTATED_FROM: [str(month) for month in restated]}
    step.metadata |= {SUPPRESSIONS: hash_suppressions(frame), ERASURES: hash_erasures(frame)}
