"""Tables of the monitoring layer: how well the data of a month holds together."""

from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.raw import DELIVERED_TABLES, QUARANTINE_REASONS

WITHOUT_CURRENCY = "none"
"""Stands for the currency of lines that were delivered without one."""

DATA_QUALITY = Table(
    key="monitoring/data_quality",
    row="a comparison between layers, or a reason why rows were set aside or customers left out",
    primary_key=("kind", "subject", "measure"),
    columns=(
        Column(
            name="kind",
            dtype="VARCHAR",
            allowed=(
                "reconciliation",
                "quarantine",
                "population",
                "crosswalk",
                "currency",
                "hidden_sheet",
                "unused_setting",
            ),
            meaning="A comparison of a layer with what it was made from, delivered rows set aside, what lies outside "
            "of the population, lines that the crosswalk moves to another customer, the currency of delivered lines, "
            "rows of hidden sheets, or entries of a setting that fit no order line.",
        ),
        Column(
            name="subject",
            dtype="VARCHAR",
            meaning=f"Asset that is compared, delivered table ({', '.join(DELIVERED_TABLES)}), or setting.",
        ),
        Column(
            name="measure",
            dtype="VARCHAR",
            meaning="What is compared or counted, the currency, the sheet, or the reason code: "
            f"{', '.join(QUARANTINE_REASONS)}.",
        ),
        Column(name="explanation", dtype="VARCHAR", meaning="The row in words."),
        Column(
            name="expected",
            dtype="DOUBLE",
            nullable=True,
            null_rule="counts of lines, rows or customers, for which nothing is expected",
            meaning="Value in the layer below.",
        ),
        Column(
            name="found",
            dtype="DOUBLE",
            meaning="Value in the layer, or number of rows set aside, lines or customers left out, or lines.",
        ),
        Column(
            name="is_equal",
            dtype="BOOLEAN",
            nullable=True,
            null_rule="counts of lines, rows or customers",
            meaning="Whether the comparison adds up, to the rounding of amounts.",
        ),
    ),
)

TABLES = (DATA_QUALITY,)
