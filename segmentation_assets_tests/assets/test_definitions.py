"""What Dagster sees: assets, groups, partitions, checks, jobs. A change here is a change for users of the UI."""

from __future__ import annotations

import dagster as dg
import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.orchestration.build import build_defs

RECONCILED = ("contract", "reconciliation")
CONTRACT = ("contract",)

UNPARTITIONED = {
    "source/synthetic_retail": (),
    "source/delivery": CONTRACT,
    "source/decisions": CONTRACT,
    "raw/order_lines": RECONCILED,
    "raw/customers": RECONCILED,
    "raw/products": RECONCILED,
    "raw/engagement_events": RECONCILED,
    "raw/quarantine": CONTRACT,
    "silver/order_lines": RECONCILED,
    "serving/warehouse": (),
}

MONTHLY = {
    "silver/snapshot_input": CONTRACT,
    "silver/customer_history": CONTRACT,
    "silver/customer_features": RECONCILED,
    "silver/imputed_features": CONTRACT,
    "silver/model_matrix": CONTRACT,
    "clusters/kmeans": RECONCILED,
    "clusters/leaderboard": CONTRACT,
    "gold/rfm_segments": CONTRACT,
    "gold/champion": CONTRACT,
    "gold/customer_segments": RECONCILED,
    "gold/segment_profiles": CONTRACT,
    "monitoring/data_quality": CONTRACT,
    "exports/customer_segments": ("reconciliation",),
    "exports/workbook": (),
    "reports/dashboard": (),
    "reports/business_report": (),
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(load_settings(profile="demo").settings)


@pytest.fixture(scope="module")
def assets(definitions: dg.Definitions) -> dict[str, dg.AssetsDefinition]:
    return {asset.key.to_user_string(): asset for asset in definitions.assets}


def test_assets_are_those_of_the_design(assets):
    assert set(assets) == set(UNPARTITIONED) | set(MONTHLY)


def test_monthly_assets_share_one_partitions_definition(assets):
    found = {key: asset.partitions_def for key, asset in assets.items()}
    assert {key for key, partitions in found.items() if partitions is None} == set(UNPARTITIONED)
    (shared,) = {found[key] for key in MONTHLY}
    assert shared.get_partition_keys() == ["2025-06-01", "2025-07-01", "2025-08-01"]


def test_checks_are_those_declared_and_block(assets):
    specs = {key: {spec.name: spec.blocking for spec in asset.check_specs} for key, asset in assets.items()}
    expected = {key: dict.fromkeys(names, True) for key, names in (UNPARTITIONED | MONTHLY).items()}
    assert specs == expected


def test_every_asset_has_group_owner_description_kinds_and_code_version(assets):
    for key, asset in assets.items():
        (spec,) = asset.specs
        assert spec.group_name == key.split("/")[0]
        assert list(spec.owners) == ["team:data-platform"]
        assert len(spec.description) > 40, key
        assert spec.kinds, key
        assert spec.code_version, key


def test_every_table_has_a_column_schema_with_meanings(assets):
    for key, asset in assets.items():
        schema = asset.metadata_by_key[asset.key]["dagster/column_schema"]
        assert schema.columns, key
        assert [column.name for column in schema.columns if not column.description] == [], key


def test_only_own_months_are_looked_back_at(definitions):
    graph = definitions.resolve_asset_graph()
    backwards = {key.to_user_string() for key in graph.get_all_asset_keys() if key in graph.get(key).parent_keys}
    assert backwards == {"silver/customer_history", "gold/champion", "gold/customer_segments"}


def test_open_calendar_gives_open_partitions():
    settings = load_settings(profile="demo", overrides={"calendar.last_month": None}).settings
    (partitions,) = {asset.partitions_def for asset in build_defs(settings).assets} - {None}
    assert partitions.end is None


def test_jobs_cover_the_month_and_the_delivery(definitions):
    months = definitions.resolve_job_def("monthly_snapshot_job")
    ingest = definitions.resolve_job_def("ingest_job")
    selected = {key.to_user_string() for key in ingest.asset_layer.selected_asset_keys}
    assert selected == set(UNPARTITIONED) - {"serving/warehouse"}
    assert len(months.asset_layer.selected_asset_keys) == len(UNPARTITIONED) + len(MONTHLY)


def test_definitions_load_without_a_problem(definitions):
    dg.Definitions.validate_loadable(definitions)
