"""The monthly assets from features to segments."""

from segmentation_assets.clustering.refits import months_to_earlier_fit
from segmentation_assets.clustering.registry import ALGORITHMS, enabled_algorithms
from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.node import Input, Node, same
from segmentation_assets.graph.sources import crosswalk_inputs, delivered_facts, profile_input, workbook_tables
from segmentation_assets.ingestion.decisions import SUPPRESSIONS
from segmentation_assets.segments.catalogue import CATALOGUE_FILE

_MODEL_KINDS = ("scikitlearn", "parquet")

HIDDEN_SHEETS = "hidden_sheets"
"""Entry of a raw table's metadata: the hidden sheets that were read, with their rows."""

LACKING_PARTS = "lacking_parts"
"""Entry of a raw table's metadata: mapped columns that files or sheets do not have, and how many do not."""

DELIVERED_PARTS = "delivered_parts"
"""Entry of a raw table's metadata: what became of the rows and the money of each file, sheet and database table."""

DELIVERED_FILES = "delivered_files"
"""Entry of a raw table's metadata: its files with SHA-256 and rows."""

SET_ASIDE = "set_aside"
"""Entry of the quarantine's metadata: rows by reason of each table but the order lines, without those delivered again.

Those would change with every full export, and with every copy of a file.
"""

RATE_CURRENCIES = "rate_currencies"
"""Entry of the metadata of the classified lines: the currencies that have an exchange rate."""


def snapshot_nodes(settings: Settings, optional_tables: tuple[str, ...]) -> tuple[Node, ...]:
    """List the monthly assets of the silver, clusters and gold layers."""
    clusters = tuple(_cluster_node(name) for name in enabled_algorithms(settings.clustering))
    crosswalk = crosswalk_inputs(settings)
    return (
        *_silver_nodes(settings, optional_tables, crosswalk),
        *clusters,
        *_gold_nodes(clusters, _months_to_earlier_models(settings), has_scores=settings.prediction.enabled),
        _data_quality_node(settings, crosswalk),
    )


def _months_to_earlier_models(settings: Settings) -> int:
    """Months between a comparison and the models that have seen a whole horizon since."""
    return months_to_earlier_fit(settings.leaderboard.horizon_months, settings.clustering.refit_every_months)


def _data_quality_node(settings: Settings, crosswalk: tuple[Input, ...]) -> Node:
    products = (profile_input("products"),) if settings.money.vat.reads_products else ()
    return Node(
        key="monitoring/data_quality",
        description="What the data page of the reports shows: the way of rows and money from the delivered files to "
        "the segments; rows, customers and money of each layer against the layer it was made from; the delivered rows "
        "that were set aside in the files this month reads and in those that cannot be used at all; rows of hidden "
        "sheets; entries of the settings that fit no order line; what the data of the lookback shows about its "
        "source, and the values that were changed in order to read them.",
        inputs=(
            Input(key="raw/order_lines", window="lookback"),
            Input(key="silver/order_lines", window="lookback"),
            Input(key="raw/quarantine", window="fact", slice_name=SET_ASIDE),
            *crosswalk,
            *products,
            *same("silver/snapshot_input", "silver/customer_features", "gold/customer_segments"),
            *(Input(key=f"raw/{name}", window="fact", slice_name=HIDDEN_SHEETS) for name in workbook_tables(settings)),
            Input(key="raw/order_lines", window="parts", slice_name=DELIVERED_PARTS),
            Input(key="silver/order_lines", window="fact", slice_name=RATE_CURRENCIES),
        ),
        settings=("money.vat.rates", "population.min_orders"),
        logic_version="4",
    )


def _silver_nodes(
    settings: Settings, optional_tables: tuple[str, ...], crosswalk: tuple[Input, ...]
) -> tuple[Node, ...]:
    lookback = tuple(
        Input(key=f"raw/{name}", window="lookback") if name == "engagement_events" else profile_input(name)
        for name in optional_tables
    )
    facts = delivered_facts(settings)
    return (
        Node(
            key="silver/snapshot_input",
            description="Exactly the slices this snapshot reads, with their hashes: month slices of order lines and "
            "events, and the customers and products that occur in them. A change elsewhere leaves the snapshot as it "
            "is. An unfinished newest month is marked partial and is as of the day after its last order.",
            inputs=(Input(key="silver/order_lines", window="lookback"), *lookback, *crosswalk),
            settings=("calendar.lookback_months", "calendar.partial_grace_days"),
            facts=facts,
        ),
        Node(
            key="silver/customer_history",
            description="Every customer ever seen: first and last order, orders and money over the whole history, and "
            "the summaries that buy-till-you-die models use. Built from the month before plus this month's lines, so "
            "months have to be made in order.",
            inputs=(*same("silver/snapshot_input"), Input(key="silver/customer_history", window="previous")),
            logic_version="2",
        ),
        Node(
            key="silver/customer_features",
            description="One row per customer with a sale or return in the lookback, as known on the as-of date. Null "
            "means undefined or unknown, never zero. Blocks whose input is not delivered are absent; the metadata "
            "says which and why.",
            inputs=same("silver/snapshot_input", "silver/customer_history"),
            settings=("features", "population.min_orders"),
            facts=facts,
            logic_version="3",
        ),
        Node(
            key="silver/imputed_features",
            description="The features without nulls, for fitting only. Each filled value is flagged "
            "(`was_imputed_…`) with its reason. Customers without a core metric are set aside and counted. A missing "
            "category is `unknown`.",
            inputs=same("silver/customer_features"),
            settings=("features", "imputation"),
            facts=facts,
            logic_version="2",
            kinds=("python", "parquet"),
        ),
        Node(
            key="silver/model_matrix",
            description="What clusterings are fitted on: selected columns, encoded, less skewed, centred and scaled as "
            "`matrix` in the settings says. The metadata lists every column left out and why, and how many values were "
            "moved. Never used to report or to score.",
            inputs=same("silver/customer_features"),
            settings=("features", "imputation", "matrix"),
            facts=facts,
            logic_version="2",
            kinds=("python", "parquet"),
        ),
    )


def _cluster_node(name: str) -> Node:
    entry = ALGORITHMS[name]
    return Node(
        key=f"clusters/{name}",
        description=entry.description,
        inputs=same("silver/model_matrix", "silver/customer_features"),
        settings=(
            entry.settings_path,
            "clustering.seed",
            "clustering.fit_sample",
            "clustering.score_sample",
            "clustering.evaluation",
            "clustering.refit_every_months",
            "calendar.first_snapshot",
            "leaderboard.min_segment_share",
            "leaderboard.min_segment_customers",
        ),
        logic_version="2",
        kinds=_MODEL_KINDS,
    )


def _gold_nodes(clusters: tuple[Node, ...], months_back: int, *, has_scores: bool) -> tuple[Node, ...]:
    return (
        Node(
            key="gold/rfm_segments",
            description="Recency, frequency and monetary scores (5 is best, ties share a score), the named cell of the "
            "RFM map, and whether a customer who is in another one than a month earlier moved, or the thresholds did; "
            "the metadata hold the points between the scores (`thresholds`). The baseline every clustering is "
            "compared with.",
            inputs=(*same("silver/customer_features"), Input(key="gold/rfm_segments", window="previous")),
            settings=("rfm",),
            resources=("segments/data/rfm_map.csv", "segments/data/rfm_grid.csv"),
            logic_version="2",
            kinds=("python", "parquet"),
        ),
        Node(
            key="clusters/usefulness",
            description="What the segmentations of an earlier month were worth: how well each separated the money that "
            "its customers spent until now, beside the RFM map of that month. The month lies "
            "`leaderboard.horizon_months` back, or at the refit before that. Empty until a model is that old.",
            inputs=(
                Input(key="silver/order_lines", window="lookback"),
                *(
                    Input(key=key, window="previous", months_back=months_back)
                    for key in (*(node.key for node in clusters), "gold/rfm_segments")
                ),
            ),
            settings=(
                "leaderboard.horizon_months",
                "leaderboard.rfm_map",
                "leaderboard.min_segment_share",
                "leaderboard.min_segment_customers",
                "clustering.refit_every_months",
                "clustering.seed",
                "clustering.score_sample",
                "calendar.first_snapshot",
            ),
            logic_version="2",
            kinds=_MODEL_KINDS,
        ),
        Node(
            key="clusters/leaderboard",
            description="All candidate segmentations on one common sample: scores, gates, rank and the decision in "
            "words. A candidate that fails a gate is never ranked. In a month in which no candidates are due it shows "
            "the last comparison. Silhouette, Davies-Bouldin and Calinski-Harabasz favour round clusters of equal "
            "size; read them beside coverage and stability.",
            inputs=(
                *same("silver/model_matrix", "silver/customer_features", "gold/rfm_segments", "clusters/usefulness"),
                *same(*(node.key for node in clusters)),
                Input(key="clusters/leaderboard", window="previous"),
            ),
            settings=("leaderboard", "clustering.seed", "clustering.score_sample"),
            logic_version="3",
            kinds=_MODEL_KINDS,
        ),
        Node(
            key="gold/champion",
            description="The segments of the model in force. It carries its own imputation, selection and scaling and "
            "stays until `champion.promotion` or a decision puts a candidate that passes the gates in its place; the "
            "segments that go on keep key and name. When no model is in force and no candidate passes, the RFM map "
            "is.",
            inputs=(
                *same("clusters/leaderboard", "silver/model_matrix", "silver/customer_features", "gold/rfm_segments"),
                *same(*(node.key for node in clusters)),
                Input(key="gold/champion", window="previous"),
                Input(key="source/decisions", window="whole"),
            ),
            settings=(
                "champion",
                "segment_catalogue",
                "leaderboard.min_segment_share",
                "leaderboard.min_segment_customers",
            ),
            resources=(CATALOGUE_FILE,),
            logic_version="4",
            kinds=_MODEL_KINDS,
        ),
        Node(
            key="gold/segment_events",
            description="What a promotion meant for every segment: kept, split, born, merged or retired, with the "
            "customers both models know. Empty in months in which the model stays; never written over.",
            inputs=same("gold/champion"),
            kinds=("python", "parquet"),
        ),
        Node(
            key="gold/customer_segments",
            description="One row per customer: segment key and name, runner-up, the segment a month earlier and since "
            "when the present one holds, and the confidence: how likely an independent refit says the same. Keys are "
            "stable from month to month. Customers without a sale in the lookback have the state `no_purchases` and "
            "no segment; those unlike every segment that is large enough are `exceptional`. `too_new` and "
            "`outside_known_range` have a segment that is not to be relied on.",
            inputs=(
                *same("gold/champion", "silver/customer_features", "gold/rfm_segments"),
                *same(*(node.key for node in clusters)),
                Input(key="gold/customer_segments", window="previous"),
                Input(key="source/decisions", window="fact", slice_name=SUPPRESSIONS),
            ),
            settings=(
                "champion.min_known_days",
                "leaderboard.min_coverage",
                "leaderboard.min_segment_share",
                "leaderboard.min_segment_customers",
            ),
            logic_version="2",
            kinds=_MODEL_KINDS,
        ),
        Node(
            key="gold/segment_migration",
            description="Where every customer of this month and the one before was and is, in three steps: the earlier "
            "month as it is known now, this month's data by the former model, this month's model. So moves that "
            "cancel each other stay visible, and each has its cause: restated data, behaviour, time, or the model.",
            inputs=(
                *(
                    Input(key=key, window="recent", months_back=1)
                    for key in (
                        "gold/customer_segments",
                        "gold/champion",
                        "silver/customer_features",
                        "silver/customer_history",
                    )
                ),
            ),
            settings=("champion.max_size_change",),
            kinds=("duckdb", "parquet"),
        ),
        Node(
            key="gold/segment_flows",
            description="The moves summed from place to place, in customers and money: in total, and the part that "
            "restated data, behaviour, time and the model explain.",
            inputs=same("gold/segment_migration"),
            kinds=("python", "parquet"),
        ),
        Node(
            key="gold/segment_rules",
            description="Who is in each segment in a few conditions, such as `recency_days <= 31 and order_count > 4`, "
            "from shallow trees, with recall and precision on customers held out. Below 0.8 there is no rule but the "
            "reason. Rules describe; the model assigns.",
            inputs=same("gold/customer_segments", "silver/customer_features"),
            settings=("clustering.seed",),
            kinds=_MODEL_KINDS,
        ),
        Node(
            key="gold/segment_strategies",
            description="What to do about each segment: goal, message, offer, channel, cadence and what to avoid, from "
            "the catalogue (`segment_catalogue`) by what the segment is this month, whatever it is called. "
            "Where most is expected comes first, or where most money is, if nothing is foretold.",
            inputs=(
                *same("gold/champion", "gold/customer_segments", "gold/rfm_segments", "silver/customer_features"),
                *(same("gold/customer_scores") if has_scores else ()),
            ),
            settings=("segment_catalogue",),
            resources=(CATALOGUE_FILE,),
            kinds=("python", "parquet"),
        ),
        Node(
            key="gold/segment_profiles",
            description="Each segment and feature: size, share of money, mean, median, quartiles and the effect size "
            "against everyone. Statistics rest on known values; `imputed_share` says how many were filled in for "
            "fitting, `change_size` what is another than a month earlier.",
            inputs=(
                *same("gold/customer_segments", "silver/customer_features", "silver/imputed_features"),
                Input(key="gold/segment_profiles", window="previous"),
            ),
            kinds=("python", "parquet"),
        ),
    )
