"""Tables of the monitoring layer: how well the data of a month holds together."""

from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.raw import DELIVERED_TABLES, QUARANTINE_REASONS, REPAIRS

WITHOUT_CURRENCY = "none"
"""Stands for the currency of lines that were delivered without one."""

DATA_QUALITY = Table(
    key="monitoring/data_quality",
    row="a comparison between layers, a reason why rows were set aside or customers left out, or a finding in the data",
    primary_key=("kind", "subject", "measure"),
    columns=(
        Column(
            name="kind",
            dtype="VARCHAR",
            allowed=(
                "flow",
                "reconciliation",
                "quarantine",
                "population",
                "crosswalk",
                "currency",
                "hidden_sheet",
                "unused_setting",
                "finding",
                "repair",
            ),
            meaning="The way of rows and money from the delivered files to the segments, as sums and parts of them, "
            "a comparison of a layer with what it was made from, delivered rows set aside, what lies outside "
            "of the population, lines that the crosswalk moves to another customer, the currency of delivered lines, "
            "rows of hidden sheets, entries of a setting that fit no order line, what the data shows about its source, "
            "or values that were changed in order to read them.",
        ),
        Column(
            name="subject",
            dtype="VARCHAR",
            meaning=f"Asset that is compared, delivered table ({', '.join(DELIVERED_TABLES)}), setting, or line of the "
            "way: delivered, raw, lines or counted for a sum, and for a part of it delivered:redelivered, for example.",
        ),
        Column(
            name="measure",
            dtype="VARCHAR",
            meaning="What is compared or counted, the currency, the sheet, the code of a finding, a column and what "
            f"was changed in it ({', '.join(REPAIRS)}), or the reason code: {', '.join(QUARANTINE_REASONS)}.",
        ),
        Column(name="explanation", dtype="VARCHAR", meaning="The row in words."),
        Column(
            name="expected",
            dtype="DOUBLE",
            nullable=True,
            null_rule="counts, for which nothing is expected",
            meaning="Value in the layer below, or what the parts of a sum add up to.",
        ),
        Column(
            name="found",
            dtype="DOUBLE",
            meaning="Value in the layer, or number of rows set aside, lines or customers left out, lines, or what "
            "was found or changed.",
        ),
        Column(
            name="is_equal",
            dtype="BOOLEAN",
            nullable=True,
            null_rule="counts",
            meaning="Whether the comparison adds up, to the rounding of amounts.",
        ),
    ),
)

TABLES = (DATA_QUALITY,)
