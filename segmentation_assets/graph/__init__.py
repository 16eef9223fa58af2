"""The asset graph as plain data, and what is stale in it; nothing here knows Dagster."""
