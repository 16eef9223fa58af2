"""Dagster definitions: assets, checks, resources, jobs, and how a step keeps or computes its result."""
