"""Six customers with eight features, one for every reason for which a feature is not clustered on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from segmentation_assets.config.features import ImputationSettings, MatrixSettings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.dictionary import DictionaryEntry, DictionarySection
from segmentation_assets.features.preparation import fit_preparation
from segmentation_assets.reporting.feature_report import FeatureReport, FeatureTables, gather_facts
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.declaration import CUSTOMER_ID, Table
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE


def feature(
    name: str, dtype: Any = "DOUBLE", imputation: Any = "ordinary", *, offered: bool = True,
    meaning: str = "A feature.", **facts: Any,
) -> FeatureColumn:  # fmt: skip
    """Declare a feature; only core metrics are never null."""
    nullable = imputation != "core"
    return FeatureColumn(
        name=name, dtype=dtype, unit="orders", meaning=meaning, nullable=nullable, null_rule="not known" * nullable,
        imputation=imputation, is_clustering_feature=offered, **facts,
    )  # fmt: skip


COLUMNS = (
    feature("orders", imputation="core", reference="Hughes"),
    feature("twin"),
    feature("flat"),
    feature("empty"),
    feature("gappy"),
    feature("aside", offered=False),
    feature("town", "VARCHAR", offered=False, meaning=f"Town {HOSTILE}.", requires=("customers",)),
    feature("since", "DATE", "exempt", offered=False),
)
ROWS = [
    ("c1", 1, 2, 5, None, 1, 9, f"={HOSTILE}", "2025-01-01"),
    ("c2", 2, 4, 5, None, None, 9, "Ulm", "2025-01-02"),
    ("c3", 3, 6, 5, None, 7, 9, "Ulm", "2025-01-03"),
    ("c4", 4, 8, 5, None, 2, 9, None, None),
    ("c5", 5, 10, 5, None, 6, 9, None, "2025-01-05"),
    ("c6", None, 99, 5, None, 3, 9, "Bonn", "2025-01-06"),
]
TRACKING = [
    {"feature": "orders", "imputation_class": "core", "reason": "missing_core_metric", "filled_count": 1,
     "fill_value": None, "rule": "the row is set aside"},
    {"feature": "gappy", "imputation_class": "ordinary", "reason": "missing_filled_by_mean", "filled_count": 1,
     "fill_value": 4.0, "rule": "mean of the known values"},
    {"feature": "town", "imputation_class": None, "reason": None, "filled_count": None, "fill_value": None,
     "rule": None},
]  # fmt: skip


def toy_report(
    folder: Path, matrix: MatrixSettings | None = None, twin: Sequence[float] = (2, 4, 6, 8, 10)
) -> FeatureReport:
    """Report of the six customers; the folder is for the engine, `twin` holds values of the first five."""
    names = ["customer_id", *(column.name for column in COLUMNS)]
    frame = pd.DataFrame(ROWS, columns=names).astype({"empty": "float64"})
    frame["twin"] = [*twin, 99]
    table = Table(key="silver/customer_features", row="", columns=(CUSTOMER_ID, *COLUMNS), primary_key=("customer_id",))
    block = FeatureBlock(name="toy", columns=COLUMNS, select=lambda _: "")
    entries = tuple(DictionaryEntry("toy", column, column.requires) for column in COLUMNS)
    tables = FeatureTables(
        features="(SELECT * REPLACE (CAST(since AS DATE) AS since) FROM given)",
        tracking=TRACKING,
        preparation=fit_preparation(frame, table, ImputationSettings(), matrix or MatrixSettings()),
        matrix={"adjustments": [{"feature": "orders", "winsorised_high": 2, "rare": 0}]},
        offered=["orders", "twin", "flat", "empty", "gappy"],
        seed=7,
    )
    section = DictionarySection(block, "A toy.", entries)
    with Engine(EngineSettings(), folder / "spill").connect() as connection:
        connection.register("given", frame)
        facts, correlations = gather_facts(connection, [section], tables)
    return FeatureReport(
        month="2025-08",
        as_of_date=dt.date(2025, 9, 1),
        currency="EUR",
        sections=(section,),
        facts=facts,
        correlations=correlations,
        absent={"engagement": "the source delivers no <events>"},
    )
