"""What Dagster sees: assets, groups, partitions, checks, jobs. A change here is a change for users of the UI."""

from __future__ import annotations

import dagster as dg
import pytest

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.loading import load_settings
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets_tests.assets import definitions_snapshot

RECONCILED = ("contract", "reconciliation")
CONTRACT = ("contract",)

JUDGED = ("model_usable", "calibration", "minimum_quality")
WARNING = {
    **dict.fromkeys(("raw/order_lines", "raw/customers", "raw/products", "raw/engagement_events"), ("files_read",)),
    "raw/quarantine": ("nothing_lost",),
    **{f"clusters/{name}": ("fitted",) for name in ALGORITHMS},
    "gold/customer_segments": ("smallest_segment", "coverage"),
    "gold/segment_migration": ("size_changes",),
    "models/churn": ("model_usable", "no_leak", "calibration", "minimum_quality"),
    "models/lifetime_value": JUDGED,
    "models/segment_classifier": JUDGED,
    "models/newcomer_classifier": JUDGED,
    "gold/customer_scores": ("model_usable", "score_drift"),
}
"""Checks that warn and let the result be stored."""

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
    "silver/training_features": CONTRACT,
    "models/churn": CONTRACT,
    "models/lifetime_value": CONTRACT,
    "models/segment_classifier": CONTRACT,
    "models/newcomer_classifier": CONTRACT,
    "gold/customer_scores": CONTRACT,
    **dict.fromkeys((f"clusters/{name}" for name in ALGORITHMS), RECONCILED),
    "clusters/leaderboard": CONTRACT,
    "clusters/usefulness": CONTRACT,
    "gold/rfm_segments": CONTRACT,
    "gold/champion": CONTRACT,
    "gold/segment_events": CONTRACT,
    "gold/customer_segments": RECONCILED,
    "gold/segment_migration": CONTRACT,
    "gold/segment_flows": RECONCILED,
    "gold/segment_profiles": CONTRACT,
    "gold/segment_rules": CONTRACT,
    "gold/segment_strategies": CONTRACT,
    "monitoring/data_quality": RECONCILED,
    "exports/customer_segments": ("reconciliation",),
    "exports/segment_moves": (),
    "exports/workbook": (),
    "reports/dashboard": (),
    "reports/eda": (),
    "reports/feature_report": (),
    "reports/business_report": (),
    "reports/figures": (),
    "reports/clusterings": (),
    "reports/models": (),
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


def test_checks_are_those_declared_and_block_unless_they_only_warn(assets):
    specs = {key: {spec.name: spec.blocking for spec in asset.check_specs} for key, asset in assets.items()}
    expected = {
        key: dict.fromkeys(names, True) | dict.fromkeys(WARNING.get(key, ()), False)
        for key, names in (UNPARTITIONED | MONTHLY).items()
    }
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
    assert backwards == {
        "silver/customer_history",
        "clusters/leaderboard",
        "gold/champion",
        "gold/customer_segments",
        "gold/segment_profiles",
        "gold/rfm_segments",
        "models/churn",
        "models/lifetime_value",
        "models/segment_classifier",
        "models/newcomer_classifier",
        "gold/customer_scores",
    }


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


def test_definitions_are_those_that_were_agreed_on():
    """After a change that is meant: python -m segmentation_assets_tests.assets.definitions_snapshot."""
    assert definitions_snapshot.describe() == definitions_snapshot.STORED.read_text(encoding="utf-8")


def test_months_to_come_have_a_day_by_which_they_must_be_made():
    settings = load_settings(
        profile="demo",
        overrides={"calendar.last_month": None, "automation.fresh_by_day": 4, "automation.schedule_hour": 7},
    ).settings
    by_key = {asset.key.to_user_string(): asset for asset in build_defs(settings).assets}
    policies = {key: next(iter(asset.specs)).freshness_policy for key, asset in by_key.items()}
    assert {key.split("/")[0] for key, policy in policies.items() if policy} == {
        "gold",
        "exports",
        "reports",
        "serving",
    }
    policy = policies["reports/dashboard"]
    assert (policy.deadline_cron, policy.lower_bound_delta.days) == ("0 7 4 * *", 3)


def test_historical_file_has_no_deadline(assets):
    assert {next(iter(asset.specs)).freshness_policy for asset in assets.values()} == {None}


def test_columns_name_what_they_are_made_from(assets):
    schema = assets["silver/customer_features"].metadata_by_key[assets["silver/customer_features"].key]
    described = {column.name: column.description for column in schema["dagster/column_schema"].columns}
    assert "Made from silver/order_lines: line_type, order_at." in described["recency_days"]


def test_schedule_and_sensors_are_on_unless_automation_is_off(definitions):
    off = build_defs(load_settings(profile="demo", overrides={"automation.enabled": False}).settings)
    for found, status in ((definitions, "RUNNING"), (off, "STOPPED")):
        repository = found.get_repository_def()
        sensors = {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs}
        assert sensors.pop("killed_runs_sensor") == "RUNNING"
        assert set(sensors.values()) == {status}
        assert {schedule.default_status.value for schedule in repository.schedule_defs} == {status}
