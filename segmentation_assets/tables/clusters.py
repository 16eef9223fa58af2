"""Tables of the clusters layer: what each algorithm found, and how the candidates compare."""

from dataclasses import replace

from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table

_CUSTOMERS = ("model_matrix.customer_id",)
_FITTED_PARTITIONS = ("clusters/*.cluster",)
_PARTITIONS = (*_FITTED_PARTITIONS, "rfm_segments.rfm_segment")
_SCORED = ("model_matrix.*", *_PARTITIONS)


def assignments_table(algorithm: str) -> Table:
    """Declare the table of one algorithm's clusters."""
    return Table(
        key=f"clusters/{algorithm}",
        row="a customer with its cluster",
        primary_key=("customer_id",),
        columns=(
            replace(CUSTOMER_ID, reads=("model_matrix.customer_id",)),
            Column(
                name="cluster",
                dtype="INTEGER",
                minimum=-1,
                meaning="Cluster number by descending mean net revenue; -1 is noise.",
                reads=("model_matrix.*", "customer_features.net_revenue_amount"),
            ),
            Column(
                name="runner_up_cluster",
                dtype="INTEGER",
                minimum=0,
                nullable=True,
                null_rule="no second cluster competes, as with noise and density clusters",
                meaning="The second nearest cluster.",
                reads=("model_matrix.*", "customer_features.net_revenue_amount"),
            ),
            Column(
                name="centre_distance",
                dtype="DOUBLE",
                unit="standard deviations",
                minimum=0,
                nullable=True,
                null_rule="nothing could be fitted",
                meaning="Distance to the cluster's centre in the model matrix, with density clusters to the nearest "
                "customer of a dense region.",
                reads=("model_matrix.*",),
            ),
            Column(
                name="confidence",
                dtype="DOUBLE",
                minimum=0,
                maximum=1,
                nullable=True,
                null_rule="nothing could be fitted, or not fitted again",
                meaning="Probability that an independent refit, matched, puts the customer into the same cluster.",
                reads=("model_matrix.*",),
            ),
            Column(
                name="membership",
                dtype="DOUBLE",
                minimum=0,
                maximum=1,
                nullable=True,
                null_rule="the algorithm knows no degrees of membership",
                meaning="Degree to which the customer belongs to the cluster; a posterior is no confidence.",
                reads=("model_matrix.*",),
            ),
            Column(
                name="outlier_score",
                dtype="DOUBLE",
                minimum=0,
                nullable=True,
                null_rule="the algorithm does not look for outliers, or found no dense region",
                meaning="Distance to the nearest dense region in units of its radius; an outlier is above 1.",
                reads=("model_matrix.*",),
            ),
            Column(
                name="is_outlier",
                dtype="BOOLEAN",
                nullable=True,
                null_rule="the algorithm does not look for outliers, or found no dense region",
                meaning="Whether the customer lies outside of every dense region, whatever cluster it was put to.",
                reads=("model_matrix.*",),
            ),
        ),
    )


SEPARATE_GROUPS, CONTINUUM = "separate groups", "useful cut through a continuum"
STRUCTURES = (SEPARATE_GROUPS, CONTINUUM)
"""What the comparison with data without clusters says of a candidate."""

LEADERBOARD = Table(
    key="clusters/leaderboard",
    row="a candidate segmentation",
    primary_key=("candidate",),
    columns=(
        Column(name="candidate", dtype="VARCHAR", meaning="Algorithm, or rfm_map for the baseline."),
        Column(
            name="rank",
            dtype="INTEGER",
            minimum=1,
            nullable=True,
            null_rule="not ranked: a gate failed, or the baseline",
            meaning="Place among the candidates that passed every gate.",
            reads=("model_matrix.*", *_FITTED_PARTITIONS),
        ),
        Column(
            name="compared_month",
            dtype="VARCHAR",
            meaning="Snapshot month of the comparison; an earlier one where no candidates were due.",
        ),
        Column(name="is_baseline", dtype="BOOLEAN", meaning="The RFM map, which stays in force when nothing passes."),
        Column(
            name="n_clusters",
            dtype="INTEGER",
            minimum=0,
            meaning="Clusters large enough to be segments, noise not counted.",
            reads=_PARTITIONS,
        ),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers assigned.",
            reads=_CUSTOMERS,
        ),
        Column(
            name="score_sample_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers the scores were computed on.",
            reads=_CUSTOMERS,
        ),
        Column(
            name="coverage",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of customers in a cluster that is large enough.",
            reads=_FITTED_PARTITIONS,
        ),
        Column(
            name="smallest_segment_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of customers of the smallest cluster.",
            reads=_PARTITIONS,
        ),
        Column(
            name="smallest_segment_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Its customers.",
            reads=_PARTITIONS,
        ),
        Column(
            name="silhouette",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Mean silhouette on the score sample, noise as a group of its own (Rousseeuw 1987).",
            reads=_SCORED,
        ),
        Column(
            name="covered_silhouette",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Mean silhouette of the customers in a cluster alone; it flatters what covers few.",
            reads=_SCORED,
        ),
        Column(
            name="davies_bouldin",
            dtype="DOUBLE",
            minimum=0,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Davies-Bouldin index on the score sample; smaller is better (1979).",
            reads=_SCORED,
        ),
        Column(
            name="calinski_harabasz",
            dtype="DOUBLE",
            minimum=0,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Calinski-Harabasz index on the score sample; larger is better (1974).",
            reads=_SCORED,
        ),
        Column(
            name="stability",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="a fixed rule, not fitted",
            meaning="Mean adjusted Rand index between refits on resampled customers and this partition.",
            reads=("model_matrix.*", *_FITTED_PARTITIONS),
        ),
        Column(
            name="smallest_jaccard",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="a fixed rule, not fitted",
            meaning="Of the least stable segment, the mean Jaccard index with the most similar cluster of each refit "
            "(Hennig 2007); below 0.6 it should not be trusted.",
            reads=("model_matrix.*", *_FITTED_PARTITIONS),
        ),
        Column(
            name="resampled_silhouette",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="not fitted again, or fewer than two clusters each time",
            meaning="Mean silhouette of the refits on resampled customers, to be compared with the reference.",
            reads=("model_matrix.*",),
        ),
        Column(
            name="reference_silhouette",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="not fitted again, or fewer than two clusters each time",
            meaning="The same on data with the same columns and rank correlations but without clusters.",
            reads=("model_matrix.*",),
        ),
        Column(
            name="reference_stability",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="not fitted again",
            meaning="Mean adjusted Rand index between refits on different draws of that data.",
            reads=("model_matrix.*",),
        ),
        Column(
            name="structure",
            dtype="VARCHAR",
            allowed=STRUCTURES,
            nullable=True,
            null_rule="not fitted again, fewer than two segments or 20 draws, or not above and refused",
            meaning="Whether the silhouette is above that of every draw of the reference data.",
            reads=("model_matrix.*",),
        ),
        Column(
            name="usefulness",
            dtype="DOUBLE",
            maximum=1,
            nullable=True,
            null_rule="no model is a whole horizon old",
            meaning="How well the algorithm's segments of an earlier month separated the money that followed.",
            reads=("usefulness.usefulness",),
        ),
        Column(
            name="rfm_usefulness",
            dtype="DOUBLE",
            maximum=1,
            nullable=True,
            null_rule="no model is a whole horizon old",
            meaning="The same of the RFM map, merged to as many groups unless `leaderboard.rfm_map` says otherwise.",
            reads=("usefulness.rfm_usefulness",),
        ),
        Column(
            name="exceptional_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers in no segment: noise, and clusters too small to be segments.",
            reads=_FITTED_PARTITIONS,
        ),
        Column(
            name="exceptional_revenue_share",
            dtype="DOUBLE",
            nullable=True,
            null_rule="all customers together have no net revenue",
            meaning="Their share of the net revenue of all.",
            reads=(*_FITTED_PARTITIONS, "customer_features.net_revenue_amount"),
        ),
        Column(name="passed_gates", dtype="BOOLEAN", meaning="Whether every gate was passed.", reads=_SCORED),
        Column(
            name="reason",
            dtype="VARCHAR",
            meaning="The decision in words, with numbers and thresholds.",
            reads=_SCORED,
        ),
        Column(
            name="failure",
            dtype="VARCHAR",
            nullable=True,
            null_rule="the algorithm raised no error",
            meaning="What the algorithm could not do and the error it raised.",
        ),
    ),
)

_FOLLOWED = (*_PARTITIONS, "order_lines.customer_id", "order_lines.order_at", "order_lines.amount")

USEFULNESS = Table(
    key="clusters/usefulness",
    row="a segmentation of an earlier month, looked at with what followed",
    primary_key=("candidate",),
    columns=(
        Column(name="candidate", dtype="VARCHAR", meaning="Algorithm, or rfm_map for the baseline."),
        Column(name="segmented_month", dtype="VARCHAR", meaning="Snapshot month of the segmentation, YYYY-MM."),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers measured, a seeded sample where there are many.",
            reads=_PARTITIONS,
        ),
        Column(
            name="segment_count",
            dtype="INTEGER",
            minimum=1,
            meaning="Groups; customers in no segment are one.",
            reads=_PARTITIONS,
        ),
        Column(
            name="usefulness",
            dtype="DOUBLE",
            maximum=1,
            meaning="Share of the variance of log(1 + net revenue) from then until now that segments explain, means "
            "learned on the other half of the customers, less that of the same groups dealt out by chance.",
            reads=_FOLLOWED,
        ),
        Column(
            name="rfm_segment_count",
            dtype="INTEGER",
            minimum=1,
            meaning="Groups of the RFM map beside it: as many, or all of them, as `leaderboard.rfm_map` says.",
            reads=_PARTITIONS,
        ),
        Column(
            name="rfm_usefulness",
            dtype="DOUBLE",
            maximum=1,
            meaning="The same of the RFM map of that month, of so many groups.",
            reads=_FOLLOWED,
        ),
        Column(
            name="margin_low",
            dtype="DOUBLE",
            meaning="Lower end of the 95 % bootstrap interval of usefulness less that of the RFM map.",
            reads=_FOLLOWED,
        ),
        Column(name="margin_high", dtype="DOUBLE", meaning="Its upper end.", reads=_FOLLOWED),
    ),
)

TABLES = (LEADERBOARD, USEFULNESS)
