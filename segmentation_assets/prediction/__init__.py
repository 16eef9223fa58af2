"""What customers will do: churn, lifetime value and segment, foretold and judged on what followed."""
