"""Tables of the gold layer that describe segments: what they are like, rules for who is in them, and what to do."""

from segmentation_assets.tables.declaration import Column, Table

_MEMBERS = "customer_segments.segment_key"
_VALUES_OF_MEMBERS = ("customer_features.*", _MEMBERS)
_VALUE_OF_MEMBERS = "*/customer_scores.discounted_spend_amount_12m"
_MONEY_OF_MEMBERS = ("customer_features.net_revenue_amount", _MEMBERS)

SEGMENT_PROFILES = Table(
    key="gold/segment_profiles",
    row="a segment and a feature",
    primary_key=("segment_key", "feature"),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Key of the segment.", reads=(_MEMBERS,)),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            meaning="Name of the segment.",
            reads=("customer_segments.segment_name", _MEMBERS),
        ),
        Column(name="feature", dtype="VARCHAR", meaning="Column of silver/customer_features."),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers in the segment.",
            reads=(_MEMBERS,),
        ),
        Column(
            name="customer_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of assigned customers.",
            reads=(_MEMBERS,),
        ),
        Column(
            name="net_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Net revenue of the segment in the lookback.",
            reads=_MONEY_OF_MEMBERS,
        ),
        Column(
            name="net_revenue_share",
            dtype="DOUBLE",
            nullable=True,
            null_rule="total net revenue is not positive",
            meaning="Share of the net revenue of all assigned customers.",
            reads=_MONEY_OF_MEMBERS,
        ),
        Column(
            name="known_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers of the segment whose value is known; the statistics rest on them.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="mean",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="Mean of known values.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="median",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="Median.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="quartile_1",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="25 % point.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="quartile_3",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="75 % point.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="effect_size",
            dtype="DOUBLE",
            unit="standard deviations",
            nullable=True,
            null_rule="no known value, or no spread",
            meaning="Mean of the segment less mean of everyone, in standard deviations of everyone.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of the segment's customers whose value was filled in for fitting.",
            reads=("imputed_features.was_imputed_*", _MEMBERS),
        ),
        Column(
            name="rests_on_imputed",
            dtype="BOOLEAN",
            meaning="Whether so many were filled in that the feature is to be read with care: 20 % or more.",
            reads=("imputed_features.was_imputed_*", _MEMBERS),
        ),
        Column(
            name="previous_mean",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no such segment a month earlier, or no known value then",
            meaning="Mean a month earlier, of the customers who were in the segment then.",
            reads=("segment_profiles.mean",),
        ),
        Column(
            name="change_size",
            dtype="DOUBLE",
            unit="standard deviations",
            nullable=True,
            null_rule="mean or previous mean is not known, or no spread",
            meaning="Mean less the mean a month earlier, in standard deviations of everyone now.",
            reads=(*_VALUES_OF_MEMBERS, "segment_profiles.mean"),
        ),
    ),
)


def _rule_share(name: str, meaning: str) -> Column:
    return Column(
        name=name,
        dtype="DOUBLE",
        minimum=0,
        maximum=1,
        nullable=True,
        null_rule="not measured",
        meaning=meaning,
        reads=_VALUES_OF_MEMBERS,
    )


def _rule_count(name: str, meaning: str) -> Column:
    return Column(
        name=name,
        dtype="BIGINT",
        unit="customers",
        minimum=0,
        nullable=True,
        null_rule="not measured",
        meaning=meaning,
        reads=_VALUES_OF_MEMBERS,
    )


SEGMENT_RULES = Table(
    key="gold/segment_rules",
    row="a segment and a rule that describes it, or the reason why there is none",
    primary_key=("segment_key", "rule_number"),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Key of the segment.", reads=(_MEMBERS,)),
        Column(
            name="rule_number",
            dtype="INTEGER",
            minimum=1,
            maximum=3,
            meaning="Place of the rule by the customers whom it finds.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="rule",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no short rule describes the segment well",
            meaning="Conditions that are all true of a customer whom the rule finds.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="conditions",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no short rule describes the segment well",
            meaning="The same as JSON: feature, low (exclusive), high (inclusive), includes_known, includes_unknown.",
            reads=_VALUES_OF_MEMBERS,
        ),
        _rule_count("matched_count", "Customers with a segment whom the rule finds."),
        _rule_count("correct_count", "Those of them who are in this segment."),
        _rule_share("recall", "Share of the segment's customers whom its rules find, on customers held out."),
        _rule_share("precision", "Share of those whom the rules find who are in the segment, on customers held out."),
        Column(
            name="held_out_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers that recall and precision rest on, each held out once.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="is_shown",
            dtype="BOOLEAN",
            meaning="Whether recall and precision are at least 0.8; rules never assign anybody.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="reason",
            dtype="VARCHAR",
            nullable=True,
            null_rule="the rules are shown",
            meaning="Why there is no rule.",
            reads=_VALUES_OF_MEMBERS,
        ),
    ),
)

_TEXTS = {
    "kind_name": "What the catalogue calls such a segment.",
    "description": "Who is in it.",
    "goal": "What is to be reached.",
    "message": "What to say.",
    "offer": "What to offer.",
    "channel": "How to reach the customers.",
    "cadence": "How often to turn to them.",
    "do_not": "What to avoid.",
}
_KIND = ("customer_features.*", "rfm_segments.*_score", _MEMBERS, "champion.kind", "champion.algorithm")

SEGMENT_STRATEGIES = Table(
    key="gold/segment_strategies",
    row="a segment with customers and what to do about it",
    primary_key=("segment_key",),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Key of the segment.", reads=(_MEMBERS,)),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            meaning="Name of the segment.",
            reads=("champion.segment_key", "champion.segment_name", _MEMBERS),
        ),
        Column(
            name="priority",
            dtype="INTEGER",
            minimum=1,
            meaning="Place by what priority_by names; 1 is the largest.",
            reads=(*_MONEY_OF_MEMBERS, _VALUE_OF_MEMBERS),
        ),
        Column(
            name="priority_by",
            dtype="VARCHAR",
            allowed=("expected_value", "net_revenue"),
            meaning="What segments are ordered by: what they are expected to spend, or where no model says that, "
            "their net revenue in the lookback.",
        ),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers in the segment.",
            reads=(_MEMBERS,),
        ),
        Column(
            name="net_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Their net revenue in the lookback.",
            reads=_MONEY_OF_MEMBERS,
        ),
        Column(
            name="expected_value_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            nullable=True,
            null_rule="no model of lifetime value is in force",
            meaning="What they are expected to spend in twelve months, discounted.",
            reads=(_VALUE_OF_MEMBERS, _MEMBERS),
        ),
        Column(
            name="kind",
            dtype="VARCHAR",
            meaning="Kind of segment it is this month, whatever it is called: the entry of the catalogue.",
            reads=_KIND,
        ),
        *(Column(name=name, dtype="VARCHAR", meaning=meaning, reads=_KIND) for name, meaning in _TEXTS.items()),
    ),
)

TABLES = (SEGMENT_PROFILES, SEGMENT_RULES, SEGMENT_STRATEGIES)
