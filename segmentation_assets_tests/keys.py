"""Asset keys that tests of every tier name."""

REPORTS = {
    "exports/customer_segments",
    "exports/workbook",
    "reports/business_report",
    "reports/clusterings",
    "reports/dashboard",
    "reports/eda",
    "reports/feature_report",
    "reports/figures",
}
"""What people take away."""
