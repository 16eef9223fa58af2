"""Tables of the clusters layer: what each algorithm found, and how the candidates compare."""

from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table


def assignments_table(algorithm: str) -> Table:
    """Declare the table of one algorithm's clusters."""
    return Table(
        key=f"clusters/{algorithm}",
        row="a customer with its cluster",
        primary_key=("customer_id",),
        columns=(
            CUSTOMER_ID,
            Column(
                name="cluster",
                dtype="INTEGER",
                minimum=-1,
                meaning="Cluster number by descending mean net revenue; -1 is noise.",
            ),
            Column(
                name="centre_distance",
                dtype="DOUBLE",
                unit="standard deviations",
                minimum=0,
                nullable=True,
                null_rule="nothing could be fitted",
                meaning="Distance to the cluster's centre in the model matrix.",
            ),
        ),
    )


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
        ),
        Column(name="is_baseline", dtype="BOOLEAN", meaning="The RFM map, which stays in force when nothing passes."),
        Column(name="n_clusters", dtype="INTEGER", minimum=0, meaning="Clusters found, noise not counted."),
        Column(name="customer_count", dtype="BIGINT", unit="customers", minimum=1, meaning="Customers assigned."),
        Column(
            name="score_sample_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers the scores were computed on.",
        ),
        Column(name="coverage", dtype="DOUBLE", minimum=0, maximum=1, meaning="Share of customers in a cluster."),
        Column(
            name="smallest_segment_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of customers of the smallest cluster.",
        ),
        Column(name="smallest_segment_count", dtype="BIGINT", unit="customers", minimum=0, meaning="Its customers."),
        Column(
            name="silhouette",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Mean silhouette on the score sample, noise as a group of its own (Rousseeuw 1987).",
        ),
        Column(
            name="davies_bouldin",
            dtype="DOUBLE",
            minimum=0,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Davies-Bouldin index on the score sample; smaller is better (1979).",
        ),
        Column(
            name="calinski_harabasz",
            dtype="DOUBLE",
            minimum=0,
            nullable=True,
            null_rule="fewer than two clusters",
            meaning="Calinski-Harabasz index on the score sample; larger is better (1974).",
        ),
        Column(
            name="stability",
            dtype="DOUBLE",
            minimum=-1,
            maximum=1,
            nullable=True,
            null_rule="a fixed rule, not fitted",
            meaning="Mean adjusted Rand index between refits on resampled customers and this partition.",
        ),
        Column(name="passed_gates", dtype="BOOLEAN", meaning="Whether every gate was passed."),
        Column(name="reason", dtype="VARCHAR", meaning="The decision in words, with numbers and thresholds."),
    ),
)

TABLES = (LEADERBOARD,)
