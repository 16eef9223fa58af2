"""Tables of the monitoring layer: how well the data of a month holds together."""

from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.raw import DELIVERED_TABLES, QUARANTINE_REASONS

DATA_QUALITY = Table(
    key="monitoring/data_quality",
    row="a comparison between layers, or a reason why rows were set aside or customers left out",
    primary_key=("kind", "subject", "measure"),
    columns=(
        Column(
            name="kind",
            dtype="VARCHAR",
            allowed=("reconciliation", "quarantine", "population", "crosswalk"),
            meaning="A comparison of a layer with what it was made from, delivered rows set aside, or what lies "
            "outside of the population, or lines that the crosswalk moves to another customer.",
        ),
        Column(
            name="subject",
            dtype="VARCHAR",
            meaning=f"Asset that is compared, or delivered table: {', '.join(DELIVERED_TABLES)}.",
        ),
        Column(
            name="measure",
            dtype="VARCHAR",
            meaning=f"What is compared, or the reason code: {', '.join(QUARANTINE_REASONS)}.",
        ),
        Column(name="explanation", dtype="VARCHAR", meaning="The row in words."),
        Column(
            name="expected",
            dtype="DOUBLE",
            nullable=True,
            null_rule="rows set aside or left out, for which nothing is expected",
            meaning="Value in the layer below.",
        ),
        Column(
            name="found",
            dtype="DOUBLE",
            meaning="Value in the layer, or number of rows set aside, lines or customers left out.",
        ),
        Column(
            name="is_equal",
            dtype="BOOLEAN",
            nullable=True,
            null_rule="rows set aside or left out",
            meaning="Whether the comparison adds up, to the rounding of amounts.",
        ),
    ),
)

TABLES = (DATA_QUALITY,)
