"""When Dagster makes an asset by itself: its data or settings changed, not merely that something ran.

What the conditions cannot see, such as older months, failed runs and changes made while Dagster was down, is the work
of `catch_up`.
"""

import datetime as dt
from typing import Any

import dagster as dg

from segmentation_assets.config.settings import AutomationSettings, Settings
from segmentation_assets.graph.build import Graph
from segmentation_assets.graph.node import Node
from segmentation_assets.orchestration.run_tags import AUTOMATION, STARTED_BY_TAG

_FEATURES = (
    "clusters/usefulness",
    "silver/snapshot_input",
    "silver/customer_history",
    "models/lifetime_value",
    "silver/training_features",
    "silver/customer_features",
)
"""Assets made from lines, which are made, and looked at, before anything else that reads them is asked for."""

_CAUSES = _FEATURES[3:]
"""Those of them whose change makes what rests on them; the others come with a change of the features."""


def on_data_change(graph: Graph, node: Node) -> Any:
    """Return the condition under which Dagster makes an asset by itself.

    It holds for the newest month once the content of an input, or the asset's own settings or code, has changed since
    the asset was last made or asked for, and no input is missing or in the making. The features of a month are made
    first, so that equal features end the chain; what rests on them then runs together in one run, and the database is
    published once after that. The asset's own month before does not count: `catch_up` makes the months in order.

    What is due has to be so for two looks: while a run is at work, a look can see that an asset is no longer being made
    and not yet that it has been.
    """
    condition: Any = dg.AutomationCondition
    is_newest, requested = condition.in_latest_time_window(), condition.will_be_requested()
    upstream = {graph.node(item.key) for item in node.inputs if item.key != node.key}
    companions = _selection({other for other in upstream if _runs_together(node, other)})
    others = _selection({other for other in upstream if not _runs_together(node, other)})
    causes = _selection({other for other in upstream if _is_cause(node, other)})
    changed, waiting = condition.code_version_changed() & ~condition.missing(), condition.in_progress()
    if upstream:
        is_lacking = condition.missing() & is_newest
        changed = condition.code_version_changed() | condition.newly_missing()
        changed |= condition.any_deps_match(condition.data_version_changed() & is_newest).allow(causes)
        waiting |= condition.any_deps_match(condition.in_progress() | is_lacking | requested).allow(others)
        waiting |= condition.any_deps_match(condition.in_progress() | (is_lacking & ~requested)).allow(companions)
    has_changed = changed.with_label("its data or settings changed").since_last_handled()
    may_run = ~waiting.with_label("it or an input is missing or being made")
    is_settled = has_changed & ~(is_newest & has_changed & may_run).newly_true()
    joins = condition.any_deps_match(requested).allow(companions)
    asked = is_settled.with_label("due for two looks") | joins.with_label("an input is asked for")
    return (is_newest & asked & may_run).with_label("on_data_change")


def _is_cause(node: Node, upstream: Node) -> bool:
    """Whether a change of the upstream asset makes this one, rather than leaving it to the catch-up.

    What rests on the features waits for them, not for the lines they are made from; the database is published when the
    segments have changed. So each is made once. A delivery is taken in by `ingest_job` as a whole.
    """
    if node.key in _FEATURES or (node.layer == "silver" and not node.is_partitioned):
        return True
    if node.layer in ("source", "raw"):
        return upstream.layer == "raw"
    if not node.is_partitioned:
        return upstream.layer in ("gold", "models", "monitoring")
    return upstream.is_partitioned and (upstream.key not in _FEATURES or upstream.key in _CAUSES)


def _runs_together(node: Node, upstream: Node) -> bool:
    """Whether one run may make both, the upstream one first."""
    is_same_part = (node.key in _FEATURES) == (upstream.key in _FEATURES)
    return is_same_part and node.is_partitioned == upstream.is_partitioned


def _selection(nodes: set[Node]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(
        *(dg.AssetKey.from_user_string(node.key) for node in sorted(nodes, key=lambda n: n.key))
    )


def freshness_policy(settings: Settings, node: Node) -> dg.FreshnessPolicy | None:
    """Return by when a month has to be made; ``None`` for steps between, and where no further month will come."""
    if settings.calendar.last_month is not None or node.layer not in _AWAITED_LAYERS:
        return None
    automation = settings.automation
    deadline = f"0 {automation.schedule_hour} {automation.fresh_by_day} * *"
    return dg.FreshnessPolicy.cron(deadline, lower_bound_delta=dt.timedelta(days=automation.fresh_by_day - 1))


_AWAITED_LAYERS = ("gold", "exports", "reports", "serving")


def automation_sensor(settings: AutomationSettings) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the conditions."""
    return dg.AutomationConditionSensorDefinition(
        "on_data_change_sensor",
        target=dg.AssetSelection.all(),
        default_status=default_sensor_status(settings),
        minimum_interval_seconds=settings.interval_seconds,
        run_tags={STARTED_BY_TAG: AUTOMATION},
        emit_backfills=False,
        description="Makes what rests on changed data or settings, for the newest month; catch_up_sensor does others.",
    )


def default_sensor_status(settings: AutomationSettings) -> dg.DefaultSensorStatus:
    """Return whether sensors are on when Dagster first sees them."""
    return dg.DefaultSensorStatus.RUNNING if settings.enabled else dg.DefaultSensorStatus.STOPPED
